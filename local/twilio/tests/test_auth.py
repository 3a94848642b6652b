"""Who may come in."""

import re

import pytest
import requests

from local.twilio.core.settings import Account
from local.twilio.tests.doors import TIMEOUT, Caller

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (Account().account_sid, Account().auth_token),
        (Account().api_key_sid, Account().api_key_secret),
    ],
)
def test_auth_token_and_api_key_both_open_the_account(
    twilio: Caller, user: str, password: str
) -> None:
    url = f"{twilio.base_url}{twilio.messages_path}.json"
    assert requests.get(url, auth=(user, password), timeout=TIMEOUT).status_code == 200


@pytest.mark.parametrize(
    "auth",
    [
        None,
        (Account().account_sid, "wrong"),
        ("AC" + "0" * 32, Account().auth_token),
        (Account().api_key_sid, Account().auth_token),
    ],
)
def test_wrong_credentials_get_20003_with_a_detail(
    twilio: Caller, auth: tuple[str, str] | None
) -> None:
    response = requests.get(
        f"{twilio.base_url}{twilio.messages_path}.json", auth=auth, timeout=TIMEOUT
    )
    assert response.status_code == 401
    assert response.json() == {
        "code": 20003,
        "detail": "Your AccountSid or AuthToken was incorrect.",
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


@pytest.mark.parametrize(
    "path",
    [
        "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json",
        "/2010-04-01/Accounts/{own}/Messages/SM00000000000000000000000000000000.json",
        "/2010-04-01/Accounts/{own}/Nonsense.json",
        "/v1/Services/MG00000000000000000000000000000000",
    ],
)
def test_what_is_not_there_gets_20404(twilio: Caller, path: str) -> None:
    response = twilio.api("GET", path.format(own=twilio.account.account_sid))
    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_every_answer_says_how_busy_the_account_is(twilio: Caller) -> None:
    headers = twilio.create().headers
    assert headers["Twilio-Concurrent-Requests"] == "1"
    assert re.fullmatch(r"RQ[0-9a-f]{32}", headers["Twilio-Request-Id"])
    assert float(headers["Twilio-Request-Duration"]) >= 0
