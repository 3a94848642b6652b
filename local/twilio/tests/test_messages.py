"""Reading, listing, redacting and deleting messages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from local.twilio.tests.doors import ORDINARY, SENDER, Caller

pytestmark = pytest.mark.enable_socket


def list_sids(twilio: Caller, **query: object) -> list[str]:
    """SIDs of all pages."""
    path: str | None = f"{twilio.messages_path}.json?{urlencode(query)}"
    sids: list[str] = []
    while path:
        page = twilio.api("GET", path).json()
        sids += [message["sid"] for message in page["messages"]]
        path = page["next_page_uri"]
    return sids


def make_delivered(twilio: Caller, **fields: object) -> str:
    sid = str(twilio.make(**fields)["sid"])
    twilio.wait_for(sid, "delivered")
    return sid


def test_a_list_is_newest_first_and_pages_to_its_end(twilio: Caller) -> None:
    made = [twilio.make()["sid"] for _ in range(7)]
    assert list_sids(twilio, PageSize=3) == made[::-1]


def test_a_page_does_not_shift_when_messages_are_made_meanwhile(twilio: Caller) -> None:
    made = [twilio.make()["sid"] for _ in range(4)]
    first = twilio.api("GET", f"{twilio.messages_path}.json?PageSize=2").json()
    twilio.make()
    second = twilio.api("GET", first["next_page_uri"]).json()
    assert [message["sid"] for message in second["messages"]] == made[1::-1]
    assert (second["page"], second["start"], second["end"]) == (1, 2, 3)
    assert second["next_page_uri"] is None


def test_a_list_is_filtered_by_recipient_and_sender(twilio: Caller) -> None:
    first = make_delivered(twilio, To="+12025550111", From=SENDER)
    make_delivered(twilio, To="+14155550111")
    assert list_sids(twilio, To="+12025550111") == [first]
    assert list_sids(twilio, From=SENDER) == [first]
    assert list_sids(twilio, To="+12025550111", From="+14155550100") == []


TODAY = datetime.now(UTC)


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"DateSent>": TODAY - timedelta(days=1)}, True),
        ({"DateSent>": TODAY + timedelta(days=2)}, False),
        ({"DateSent<": TODAY + timedelta(days=1)}, True),
        ({"DateSent<": TODAY - timedelta(days=2)}, False),
        ({"DateSent": TODAY - timedelta(days=2)}, False),
    ],
)
def test_a_list_is_filtered_by_day_sent(
    twilio: Caller, query: dict[str, datetime], *, is_found: bool
) -> None:
    sid = make_delivered(twilio)
    days = {name: day.date().isoformat() for name, day in query.items()}
    assert (list_sids(twilio, **days) == [sid]) is is_found


def test_a_message_not_sent_yet_has_no_day_sent(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 3_600_000})
    twilio.make(To="+12025550172")
    assert list_sids(twilio, **{"DateSent>": "2020-01-01"}) == []
    assert len(list_sids(twilio)) == 1


@pytest.mark.parametrize("query", [{"DateSent": "yesterday"}, {"PageToken": "nonsense"}])
def test_a_query_that_cannot_be_read_is_refused(twilio: Caller, query: dict[str, Any]) -> None:
    response = twilio.api("GET", f"{twilio.messages_path}.json?{urlencode(query)}")
    assert (response.status_code, response.json()["code"]) == (400, 20001)


def test_redacting_empties_the_text_and_keeps_the_rest(twilio: Caller) -> None:
    sid = make_delivered(twilio, Body="secret")
    response = twilio.api("POST", f"{twilio.messages_path}/{sid}.json", Body="")
    assert (response.status_code, response.json()["body"]) == (200, "")
    assert twilio.fetch(sid)["to"] == ORDINARY


def test_a_text_cannot_be_rewritten(twilio: Caller) -> None:
    sid = make_delivered(twilio, Body="secret")
    response = twilio.api("POST", f"{twilio.messages_path}/{sid}.json", Body="other")
    assert response.status_code == 400
    assert twilio.fetch(sid)["body"] == "secret"


def test_a_deleted_message_is_gone_but_the_truth_knows_it(twilio: Caller) -> None:
    sid = make_delivered(twilio)
    response = twilio.api("DELETE", f"{twilio.messages_path}/{sid}.json")
    assert (response.status_code, response.content) == (204, b"")
    assert twilio.fetch(sid)["code"] == 20404
    assert list_sids(twilio) == []
    truth = twilio.control("GET", "truth")["messages"]
    assert [(each["sid"], each["deleted"]) for each in truth] == [(sid, True)]


def test_an_unfinished_message_cannot_be_deleted(twilio: Caller) -> None:
    twilio.control("PATCH", "settings", {"slow_ms": 3_600_000})
    sid = twilio.make(To="+12025550172")["sid"]
    response = twilio.api("DELETE", f"{twilio.messages_path}/{sid}.json")
    assert (response.status_code, response.json()["code"]) == (409, 20009)


def test_the_media_list_is_there_and_empty(twilio: Caller) -> None:
    sid = twilio.make()["sid"]
    assert twilio.api("GET", f"{twilio.messages_path}/{sid}/Media.json").json()["media_list"] == []


def test_the_account_can_be_fetched(twilio: Caller) -> None:
    account_sid = twilio.account.account_sid
    account = twilio.api("GET", f"/2010-04-01/Accounts/{account_sid}.json").json()
    assert (account["sid"], account["status"]) == (account_sid, "active")
