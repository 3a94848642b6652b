"""The senders in the pools of services."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from local.twilio.account.senders import AccountSenders, SenderKind
from local.twilio.core.errors import ApiError
from local.twilio.core.settings import Behaviour, Settings
from local.twilio.services.services import Services
from local.twilio.tests.doors import Caller

pytestmark = pytest.mark.enable_socket

START = ["+12025550100", "+14155550100", "+12125550100"]
LOOSE = "+13125550100"
SHORT_CODE = "55501"
WHATSAPP = "whatsapp:+12025550100"


def sid_of(twilio: Caller, path: str, key: str, address: str) -> str:
    """The SID of a sender of the account, as the 2010 API lists it."""
    account = f"/2010-04-01/Accounts/{twilio.account.account_sid}"
    listed = twilio.api("GET", f"{account}/{path}.json").json()
    name = "phone_number" if key == "incoming_phone_numbers" else "short_code"
    return next(str(each["sid"]) for each in listed[key] if each[name] == address)


def number_sid(twilio: Caller, number: str) -> str:
    return sid_of(twilio, "IncomingPhoneNumbers", "incoming_phone_numbers", number)


def short_code_sid(twilio: Caller) -> str:
    return sid_of(twilio, "SMS/ShortCodes", "short_codes", SHORT_CODE)


def channel_sid(twilio: Caller, address: str = WHATSAPP, **fields: str) -> str:
    return str(twilio.control("POST", "channel-senders", {"sender": address, **fields})["sid"])


def buy(twilio: Caller, number: str) -> str:
    """Take a number into the account; its SID."""
    account = f"/2010-04-01/Accounts/{twilio.account.account_sid}"
    made = twilio.api("POST", f"{account}/IncomingPhoneNumbers.json", PhoneNumber=number)
    assert made.status_code == 201, made.text
    return str(made.json()["sid"])


def path_of(service_sid: str, resource: str = "PhoneNumbers") -> str:
    return f"/v1/Services/{service_sid}/{resource}"


def refusal(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


def addresses(twilio: Caller, path: str, key: str, field: str) -> list[Any]:
    return [each[field] for each in twilio.api("GET", path).json()[key]]


# ------------------------------------------------------------------ all kinds alike

KINDS = ["PhoneNumbers", "ShortCodes", "AlphaSenders", "DestinationAlphaSenders", "ChannelSenders"]


def fields_for(twilio: Caller, kind: str) -> dict[str, str]:
    """What a create of that kind needs, for a sender that is free."""
    if kind == "PhoneNumbers":
        return {"PhoneNumberSid": number_sid(twilio, LOOSE)}
    if kind == "ShortCodes":
        return {"ShortCodeSid": short_code_sid(twilio)}
    if kind == "ChannelSenders":
        return {"Sid": channel_sid(twilio)}
    return {"AlphaSender": "Brand"}


EXPECTED: dict[str, dict[str, Any]] = {
    "PhoneNumbers": {
        "service_sid": "MG" + "e0e0" * 8,
        "phone_number": LOOSE,
        "country_code": "US",
        "capabilities": ["SMS", "MMS"],
    },
    "ShortCodes": {
        "service_sid": "MG" + "e0e0" * 8,
        "short_code": SHORT_CODE,
        "country_code": "US",
        "capabilities": ["SMS", "MMS"],
    },
    "AlphaSenders": {
        "service_sid": "MG" + "e0e0" * 8,
        "alpha_sender": "Brand",
        "capabilities": ["SMS"],
    },
    "DestinationAlphaSenders": {
        "service_sid": "MG" + "e0e0" * 8,
        "alpha_sender": "Brand",
        "capabilities": ["SMS"],
        "iso_country_code": "",
    },
    "ChannelSenders": {
        "messaging_service_sid": "MG" + "e0e0" * 8,
        "sender": WHATSAPP,
        "sender_type": "WhatsApp",
        "country_code": "US",
    },
}
PREFIXES = dict(zip(KINDS, ["PN", "SC", "AI", "AI", "XE"], strict=True))
KEYS = dict(
    zip(
        KINDS,
        ["phone_numbers", "short_codes", "alpha_senders", "alpha_senders", "senders"],
        strict=True,
    )
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sender_comes_is_shown_and_goes(twilio: Caller, kind: str) -> None:
    # GIVEN a service without senders, and a moment
    path = path_of(twilio.empty_service_sid, kind)
    twilio.control("POST", "clock", {"frozen": True})
    now = datetime.fromisoformat(twilio.control("GET", "clock")["now"])
    assert twilio.api("GET", path).json()[KEYS[kind]] == []
    # WHEN a sender is added
    fields = fields_for(twilio, kind)
    made = twilio.api("POST", path, **fields)
    # THEN it is shown, by itself and in the list
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    sid = made.json()["sid"]
    assert (made.status_code, sid[:2]) == (201, PREFIXES[kind])
    assert made.json() == {
        "sid": sid,
        "account_sid": twilio.account.account_sid,
        "date_created": moment,
        "date_updated": moment,
        "url": f"{twilio.base_url}{path}/{sid}",
        **EXPECTED[kind],
    }
    assert twilio.api("GET", f"{path}/{sid}").json() == made.json()
    page = twilio.api("GET", path).json()
    assert page["meta"]["key"] == KEYS[kind]
    assert page[KEYS[kind]] == [made.json()]
    # AND once removed it is gone, until it is added again
    assert twilio.api("DELETE", f"{path}/{sid}").status_code == 204
    assert twilio.api("GET", path).json()[KEYS[kind]] == []
    assert twilio.api("GET", f"{path}/{sid}").status_code == 404
    assert twilio.api("POST", path, **fields).status_code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_a_sender_in_the_service_cannot_come_again(twilio: Caller, kind: str) -> None:
    path = path_of(twilio.empty_service_sid, kind)
    fields = fields_for(twilio, kind)
    assert twilio.api("POST", path, **fields).status_code == 201
    assert refusal(twilio.api("POST", path, **fields)) == (409, 21710)


@pytest.mark.parametrize("kind", ["PhoneNumbers", "ShortCodes", "ChannelSenders"])
def test_a_sender_is_in_one_service_at_most(twilio: Caller, kind: str) -> None:
    fields = fields_for(twilio, kind)
    assert twilio.api("POST", path_of(twilio.service_sid, kind), **fields).status_code == 201
    elsewhere = path_of(twilio.empty_service_sid, kind)
    assert refusal(twilio.api("POST", elsewhere, **fields)) == (409, 21712)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_sender_of_another_service_is_not_associated(
    twilio: Caller, kind: str, method: str
) -> None:
    made = twilio.api("POST", path_of(twilio.service_sid, kind), **fields_for(twilio, kind))
    elsewhere = f"{path_of(twilio.empty_service_sid, kind)}/{made.json()['sid']}"
    assert refusal(twilio.api(method, elsewhere)) == (404, 21711)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_sender_is_not_found(twilio: Caller, kind: str, method: str) -> None:
    path = path_of(twilio.service_sid, kind)
    unknown = PREFIXES[kind] + "0" * 32
    assert refusal(twilio.api(method, f"{path}/{unknown}")) == (404, 20404)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_pool_needs_its_service(twilio: Caller, kind: str, method: str) -> None:
    path = path_of("MG" + "0" * 32, kind)
    assert refusal(twilio.api(method, path)) == (404, 20404)


@pytest.mark.parametrize(
    ("kind", "fields", "status", "code"),
    [
        ("PhoneNumbers", {}, 400, 20001),
        ("PhoneNumbers", {"PhoneNumberSid": "PN" + "0" * 32}, 404, 20404),
        ("PhoneNumbers", {"PhoneNumberSid": "nonsense"}, 404, 20404),
        ("ShortCodes", {}, 400, 20001),
        ("ShortCodes", {"ShortCodeSid": "SC" + "0" * 32}, 404, 20404),
        ("ChannelSenders", {}, 400, 20001),
        ("ChannelSenders", {"Sid": "XE" + "0" * 32}, 404, 20404),
        ("AlphaSenders", {}, 400, 21708),
        ("AlphaSenders", {"AlphaSender": ""}, 400, 21708),
        ("AlphaSenders", {"AlphaSender": "TwelveLetter"}, 400, 21709),
        ("AlphaSenders", {"AlphaSender": "12345"}, 400, 21709),
        ("AlphaSenders", {"AlphaSender": "Brand!"}, 400, 21709),
        ("AlphaSenders", {"AlphaSender": "Bränd"}, 400, 21709),
        ("DestinationAlphaSenders", {"IsoCountryCode": "GB"}, 400, 21708),
        ("DestinationAlphaSenders", {"AlphaSender": "1", "IsoCountryCode": "GB"}, 400, 21709),
        ("DestinationAlphaSenders", {"AlphaSender": "Brand", "IsoCountryCode": "US"}, 400, 21709),
        ("DestinationAlphaSenders", {"AlphaSender": "Brand", "IsoCountryCode": "ca"}, 400, 21709),
        ("DestinationAlphaSenders", {"AlphaSender": "Brand", "IsoCountryCode": "XX"}, 400, 20001),
        ("DestinationAlphaSenders", {"AlphaSender": "Brand", "IsoCountryCode": "GBR"}, 400, 20001),
    ],
)
def test_what_cannot_be_added_is_refused(
    twilio: Caller, kind: str, fields: dict[str, str], status: int, code: int
) -> None:
    path = path_of(twilio.empty_service_sid, kind)
    assert refusal(twilio.api("POST", path, **fields)) == (status, code)
    assert twilio.api("GET", path).json()[KEYS[kind]] == []


# ------------------------------------------------------------------ numbers and short codes


def test_the_default_service_starts_with_the_numbers_of_the_settings(twilio: Caller) -> None:
    path = path_of(twilio.service_sid)
    assert addresses(twilio, path, "phone_numbers", "phone_number") == START
    assert addresses(twilio, path_of(twilio.empty_service_sid), "phone_numbers", "sid") == []


def test_the_list_comes_in_pages(twilio: Caller) -> None:
    path = path_of(twilio.service_sid)
    first = twilio.api("GET", f"{path}?PageSize=2").json()
    assert len(first["phone_numbers"]) == 2
    following = first["meta"]["next_page_url"].removeprefix(twilio.base_url)
    second = twilio.api("GET", following).json()
    assert [each["phone_number"] for each in second["phone_numbers"]] == START[2:]
    assert second["meta"]["next_page_url"] is None


@pytest.mark.parametrize(("kind", "other"), [("PhoneNumbers", "ShortCodes")])
def test_a_sender_is_shown_by_its_own_kind_only(twilio: Caller, kind: str, other: str) -> None:
    made = twilio.api("POST", path_of(twilio.service_sid, other), **fields_for(twilio, other))
    one = f"{path_of(twilio.service_sid, kind)}/{made.json()['sid']}"
    assert refusal(twilio.api("GET", one)) == (404, 20404)
    sid = {"PhoneNumberSid": made.json()["sid"]}
    assert refusal(twilio.api("POST", path_of(twilio.service_sid, kind), **sid)) == (404, 20404)


def test_a_number_moves_and_its_new_service_sends_from_it(twilio: Caller) -> None:
    # GIVEN a number of the default service, and a service that cannot send
    number = twilio.api("GET", path_of(twilio.service_sid)).json()["phone_numbers"][0]
    target = path_of(twilio.empty_service_sid)
    sender = {"PhoneNumberSid": number["sid"]}
    assert twilio.create(MessagingServiceSid=twilio.empty_service_sid).json()["code"] == 21704
    # WHEN it moves over
    assert refusal(twilio.api("POST", target, **sender)) == (409, 21712)
    old = f"{path_of(twilio.service_sid)}/{number['sid']}"
    assert twilio.api("DELETE", old).status_code == 204
    moved = twilio.api("POST", target, **sender)
    assert (moved.status_code, moved.json()["service_sid"]) == (201, twilio.empty_service_sid)
    # THEN the service sends from it, and the old one no longer does
    sid = twilio.make(MessagingServiceSid=twilio.empty_service_sid)["sid"]
    assert twilio.wait_for(sid, "delivered", "undelivered")["from"] == number["phone_number"]
    assert addresses(twilio, path_of(twilio.service_sid), "phone_numbers", "sid") != []
    assert number["phone_number"] not in addresses(
        twilio, path_of(twilio.service_sid), "phone_numbers", "phone_number"
    )


def test_a_pool_has_room_for_so_many_numbers_and_short_codes(twilio: Caller) -> None:
    # GIVEN a pool with one place left
    twilio.control("PATCH", "settings", {"max_pool": 4})
    sids = [number_sid(twilio, LOOSE), number_sid(twilio, "+18885550100")]
    path = path_of(twilio.service_sid)
    # WHEN it is filled
    assert twilio.api("POST", path, PhoneNumberSid=sids[0]).status_code == 201
    # THEN neither a number nor a short code has room
    assert refusal(twilio.api("POST", path, PhoneNumberSid=sids[1])) == (400, 21714)
    short_codes = path_of(twilio.service_sid, "ShortCodes")
    code = {"ShortCodeSid": short_code_sid(twilio)}
    assert refusal(twilio.api("POST", short_codes, **code)) == (400, 21714)
    # AND the other kinds do
    alpha = path_of(twilio.service_sid, "AlphaSenders")
    assert twilio.api("POST", alpha, AlphaSender="Brand").status_code == 201
    channel = path_of(twilio.service_sid, "ChannelSenders")
    assert twilio.api("POST", channel, Sid=channel_sid(twilio)).status_code == 201


@pytest.mark.undocumented_requests
def test_a_released_number_leaves_its_pool(twilio: Caller) -> None:
    path = path_of(twilio.service_sid)
    number = twilio.api("GET", path).json()["phone_numbers"][0]
    account = f"/2010-04-01/Accounts/{twilio.account.account_sid}"
    assert (
        twilio.api("DELETE", f"{account}/IncomingPhoneNumbers/{number['sid']}.json").status_code
        == 204
    )
    assert addresses(twilio, path, "phone_numbers", "phone_number") == START[1:]


def test_a_number_without_messages_is_refused() -> None:
    # GIVEN an account with a number for calls alone, which the market here does not sell
    now = datetime(2026, 1, 1, tzinfo=UTC)
    senders = AccountSenders(Settings(), now)
    services = Services(
        Settings(), senders, now, behaviour=Behaviour, is_registered=lambda _: False
    )
    number = senders.add_number("+13125550199", now)
    number.capabilities = ()
    # WHEN it is added THEN its capabilities do not do
    with pytest.raises(ApiError) as raised:
        services.attach(services.default, number.sid, kinds=[SenderKind.LONG_CODE], now=now)
    assert (raised.value.status, raised.value.code) == (400, 21715)


@pytest.mark.undocumented_requests
def test_a_local_number_takes_over_the_recipients_of_its_country(twilio: Caller) -> None:
    # GIVEN a recipient abroad who got a message from the US
    abroad = "+447700900123"
    path = path_of(twilio.service_sid)
    first = twilio.make(To=abroad)["sid"]
    assert twilio.wait_for(first, "delivered")["from"] in START
    # WHEN a number of the country comes
    london = buy(twilio, "+447700900100")
    added = twilio.api("POST", path, PhoneNumberSid=london).json()
    # THEN it writes to the recipient
    assert (added["country_code"], added["capabilities"]) == ("GB", ["SMS"])
    second = twilio.make(To=abroad)["sid"]
    assert twilio.wait_for(second, "delivered")["from"] == "+447700900100"


def test_a_pool_that_cannot_reach_the_recipient_fails_the_message(twilio: Caller) -> None:
    # GIVEN a service with an alphanumeric ID alone
    alpha = path_of(twilio.empty_service_sid, "AlphaSenders")
    twilio.api("POST", alpha, AlphaSender="Brand")
    # WHEN it writes to the US and abroad
    home = twilio.make(MessagingServiceSid=twilio.empty_service_sid)["sid"]
    abroad = twilio.make(MessagingServiceSid=twilio.empty_service_sid, To="+447700900123")["sid"]
    # THEN only the US is out of reach
    assert twilio.wait_for(home, "failed")["error_code"] == 21703
    assert twilio.wait_for(abroad, "delivered")["from"] == "Brand"


# ------------------------------------------------------------------ alphanumeric IDs


def test_each_country_has_one_alphanumeric_id_beside_the_default(twilio: Caller) -> None:
    # GIVEN a default ID
    service = twilio.empty_service_sid
    defaults = path_of(service, "AlphaSenders")
    destinations = path_of(service, "DestinationAlphaSenders")
    twilio.api("POST", defaults, AlphaSender="Brand")
    # WHEN IDs for countries come, one of them the same
    for country, name in (("FR", "Marque"), ("gb", "Brand")):
        made = twilio.api("POST", destinations, AlphaSender=name, IsoCountryCode=country)
        assert (made.status_code, made.json()["iso_country_code"]) == (201, country.upper())
    # THEN no country takes a second
    again = twilio.api("POST", destinations, AlphaSender="Autre", IsoCountryCode="FR")
    assert refusal(again) == (409, 21710)
    assert refusal(twilio.api("POST", destinations, AlphaSender="Other")) == (409, 21710)
    assert refusal(twilio.api("POST", defaults, AlphaSender="Other")) == (409, 21710)
    # AND the default is shown in both lists, the others in theirs
    assert addresses(twilio, defaults, "alpha_senders", "alpha_sender") == ["Brand"]
    assert addresses(twilio, destinations, "alpha_senders", "iso_country_code") == ["", "FR", "GB"]


@pytest.mark.parametrize(
    ("country", "names"),
    [("FR", ["Marque"]), ("fr", ["Marque"]), ("DE", []), ("", ["A", "Marque"])],
)
def test_destinations_are_filtered_by_country(
    twilio: Caller, country: str, names: list[str]
) -> None:
    path = path_of(twilio.empty_service_sid, "DestinationAlphaSenders")
    twilio.api("POST", path, AlphaSender="A")
    twilio.api("POST", path, AlphaSender="Marque", IsoCountryCode="FR")
    filtered = f"{path}?IsoCountryCode={country}"
    assert addresses(twilio, filtered, "alpha_senders", "alpha_sender") == names


def test_services_may_share_an_alphanumeric_id(twilio: Caller) -> None:
    for service in (twilio.service_sid, twilio.empty_service_sid):
        made = twilio.api("POST", path_of(service, "AlphaSenders"), AlphaSender="Brand")
        assert made.status_code == 201


# ------------------------------------------------------------------ channel senders


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"sender": "whatsapp:+447700900100"}, ("WhatsApp", "GB")),
        ({"sender": "rcs:brand_agent"}, ("RCS", "US")),
        ({"sender": "rcs:brand_agent", "country_code": "DE"}, ("RCS", "DE")),
        ({"sender": "messenger:1047945319", "sender_type": "Messenger"}, ("Messenger", "US")),
    ],
)
def test_the_control_api_sets_channel_senders_up(
    twilio: Caller, given: dict[str, str], shown: tuple[str, str]
) -> None:
    made = twilio.control("POST", "channel-senders", given)
    assert (made["sender"], made["sender_type"], made["country_code"]) == (given["sender"], *shown)
    path = path_of(twilio.empty_service_sid, "ChannelSenders")
    attached = twilio.api("POST", path, Sid=made["sid"]).json()
    assert (attached["sender_type"], attached["country_code"]) == shown


@pytest.mark.parametrize(
    "given",
    [
        {"sender": "+12025550100"},
        {"sender": "telegram:brand"},
        {"sender": "rcs:brand_agent", "sender_type": "WhatsApp"},
        {},
    ],
)
def test_what_is_no_channel_sender_is_refused_with_its_reason(
    twilio: Caller, given: dict[str, str]
) -> None:
    url = f"{twilio.base_url}/_control/channel-senders"
    response = requests.post(url, json=given, timeout=30)
    assert response.status_code == 400
    assert "sender" in response.json()["error"]


def test_the_same_address_keeps_its_sid(twilio: Caller) -> None:
    assert channel_sid(twilio) == channel_sid(twilio)
