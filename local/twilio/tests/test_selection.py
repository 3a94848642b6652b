"""Which sender of its pool a service chooses."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.twilio.account.senders import (
    Sender,
    SenderKind,
    country_of,
    kind_of_number,
    steady_sid,
)
from local.twilio.services.alpha import new_alpha_sender
from local.twilio.services.area_codes import overlays_of
from local.twilio.services.channels import channel_sender
from local.twilio.services.reach import reaches, recipient_of
from local.twilio.services.selection import choose_sender
from local.twilio.services.service import Service

NOW = datetime(2026, 1, 1, tzinfo=UTC)

NEW_YORK, WASHINGTON, TORONTO = "+12125550100", "+12025550100", "+14165550100"
LONDON, PARIS = "+447700900100", "+33639980100"
TOLL_FREE = "+18885550100"
SHORT_CODE = "55501"
WHATSAPP, WHATSAPP_UK = "whatsapp:+12025550100", "whatsapp:+447700900100"
RCS = "rcs:brand_agent"

TO_NEW_YORK, TO_BROOKLYN, TO_CHICAGO = "+12125550123", "+17185550123", "+13125550123"
TO_CANADA, TO_UK, TO_GERMANY = "+14165550123", "+447700900123", "+4915123456789"


def make_sender(address: str) -> Sender:
    """A sender of the kind that its address shows; `NAME/GB` is an alphanumeric ID for the UK."""
    name, _, country = address.partition("/")
    if ":" in address:
        return channel_sender(address, country="", now=NOW)
    if not name.lstrip("+").isdecimal():
        return new_alpha_sender(name, country=country, now=NOW)
    is_short = not address.startswith("+")
    country = "US" if is_short else country_of(address)
    return Sender(
        sid=steady_sid("SC" if is_short else "PN", address),
        kind=SenderKind.SHORT_CODE if is_short else kind_of_number(address),
        address=address,
        country=country,
        created=NOW,
        capabilities=("SMS", "MMS") if country in {"US", "CA"} else ("SMS",),
    )


def make_service(*addresses: str, sticky: bool = True, geomatch: bool = True) -> Service:
    service = Service(
        sid="MG" + "0" * 32,
        created=NOW,
        updated=NOW,
        friendly_name="Test",
        sticky_sender=sticky,
        area_code_geomatch=geomatch,
    )
    for address in addresses:
        service.attach(make_sender(address), NOW)
    return service


def choose(
    service: Service,
    to: str,
    *,
    with_media: bool = False,
    wait_of: Callable[[Sender], float] = lambda _: 0.0,
) -> str | None:
    """The address chosen."""
    sender = choose_sender(service, to=to, with_media=with_media, wait_of=wait_of)
    return sender.address if sender else None


@pytest.mark.parametrize(
    ("rule", "pool", "to", "chosen"),
    [
        ("RCS before short code", [NEW_YORK, SHORT_CODE, RCS], TO_NEW_YORK, RCS),
        ("short code before long code", [NEW_YORK, SHORT_CODE], TO_NEW_YORK, SHORT_CODE),
        ("alphanumeric before long code", [LONDON, "Brand"], TO_UK, "Brand"),
        ("alphanumeric not to the US", [NEW_YORK, "Brand"], TO_NEW_YORK, NEW_YORK),
        ("alphanumeric not to Canada", ["Brand"], TO_CANADA, None),
        ("alphanumeric of the country first", ["Brand", "BrandUK/GB"], TO_UK, "BrandUK"),
        ("alphanumeric not of another country", ["BrandFR/FR", LONDON], TO_UK, LONDON),
        ("short code within the US only", [SHORT_CODE], TO_CANADA, None),
        ("toll-free before long code in Canada", [TORONTO, TOLL_FREE], TO_CANADA, TOLL_FREE),
        ("toll-free not abroad", [TOLL_FREE], TO_UK, None),
        ("long code of the area before toll-free", [TOLL_FREE, NEW_YORK], TO_NEW_YORK, NEW_YORK),
        ("own country first", [NEW_YORK, PARIS, LONDON], TO_UK, LONDON),
        ("then a US number", [PARIS, NEW_YORK, LONDON], TO_GERMANY, NEW_YORK),
        ("then any", [PARIS], TO_GERMANY, PARIS),
        ("own country within North America", [NEW_YORK, TORONTO], "+16045550123", TORONTO),
        ("a number of Canada for the US", [TORONTO], TO_NEW_YORK, TORONTO),
        ("no number from abroad for the US", [LONDON, PARIS], TO_NEW_YORK, None),
        ("the same area code", [WASHINGTON, NEW_YORK], TO_NEW_YORK, NEW_YORK),
        ("an overlay of the area code", [WASHINGTON, "+16465550100"], TO_NEW_YORK, "+16465550100"),
        ("the same before an overlay", ["+16465550100", NEW_YORK], TO_NEW_YORK, NEW_YORK),
        ("not its own number", [NEW_YORK], NEW_YORK, None),
        ("an empty pool", [], TO_NEW_YORK, None),
        ("WhatsApp where asked", [NEW_YORK, WHATSAPP, RCS], f"whatsapp:{TO_UK}", WHATSAPP),
        ("WhatsApp of the country", [WHATSAPP, WHATSAPP_UK], f"whatsapp:{TO_UK}", WHATSAPP_UK),
        ("WhatsApp only where asked", [WHATSAPP], TO_NEW_YORK, None),
        ("no number for WhatsApp", [NEW_YORK], f"whatsapp:{TO_NEW_YORK}", None),
        ("RCS where asked", [SHORT_CODE, RCS], f"rcs:{TO_NEW_YORK}", RCS),
        ("no number for RCS", [NEW_YORK], f"rcs:{TO_NEW_YORK}", None),
    ],
)
def test_the_order_of_choice(rule: str, pool: list[str], to: str, chosen: str | None) -> None:
    assert choose(make_service(*pool), to) == chosen, rule


@pytest.mark.parametrize(
    ("rule", "pool", "to", "chosen"),
    [
        ("a sender that takes media", [LONDON, NEW_YORK], TO_UK, NEW_YORK),
        ("none that does", [LONDON, "Brand"], TO_UK, None),
        ("RCS takes media", [NEW_YORK, RCS], TO_NEW_YORK, RCS),
        ("WhatsApp takes media", [WHATSAPP], f"whatsapp:{TO_UK}", WHATSAPP),
    ],
)
def test_media_need_a_sender_that_takes_them(
    rule: str, pool: list[str], to: str, chosen: str | None
) -> None:
    assert choose(make_service(*pool), to, with_media=True) == chosen, rule


def test_a_number_without_text_carries_none() -> None:
    sender = make_sender(NEW_YORK)
    sender.capabilities = ("MMS",)
    service = make_service()
    service.attach(sender, NOW)
    assert choose(service, TO_NEW_YORK) is None
    assert choose(service, TO_NEW_YORK, with_media=True) == NEW_YORK


def test_overlays_go_both_ways_and_may_span_regions() -> None:
    assert overlays_of("415") == {"628"}
    assert overlays_of("771") == {"202"}
    assert overlays_of("917") == {"212", "332", "646", "347", "718", "929"}
    assert overlays_of("907") == frozenset()


def test_without_geomatch_the_area_code_does_not_count() -> None:
    pool = [WASHINGTON, NEW_YORK, "+14155550100"]
    recipients = [f"+1212555{line:04}" for line in range(50)]
    service = make_service(*pool, geomatch=False)
    assert {choose(service, to) for to in recipients} == set(pool)


def test_the_shortest_queue_goes_first() -> None:
    service = make_service(WASHINGTON, NEW_YORK, "+14155550100")
    waits = {WASHINGTON: 2.0, NEW_YORK: 1.0, "+14155550100": 3.0}
    assert choose(service, TO_CHICAGO, wait_of=lambda sender: waits[sender.address]) == NEW_YORK


def test_a_shorter_queue_elsewhere_does_not_outweigh_the_country() -> None:
    service = make_service(LONDON, NEW_YORK)
    waits = {LONDON: 100.0, NEW_YORK: 0.0}
    assert choose(service, TO_UK, wait_of=lambda sender: waits[sender.address]) == LONDON


def test_traffic_spreads_over_idle_senders() -> None:
    pool = [WASHINGTON, NEW_YORK, "+14155550100"]
    service = make_service(*pool)
    chosen = [choose(service, f"+1312555{line:04}") for line in range(300)]
    assert all(chosen.count(address) > 60 for address in pool)


# ------------------------------------------------------------------ sticky sender


def test_a_recipient_keeps_its_sender_though_another_is_idle() -> None:
    # GIVEN a recipient who got a message
    service = make_service(WASHINGTON, NEW_YORK)
    first = choose(service, TO_CHICAGO)
    # WHEN that sender's queue is long
    again = choose(service, TO_CHICAGO, wait_of=lambda sender: float(sender.address == first))
    # THEN it is taken all the same
    assert again == first


def test_without_sticky_sender_the_queue_decides_each_time() -> None:
    service = make_service(WASHINGTON, NEW_YORK, sticky=False)
    first = choose(service, TO_CHICAGO)
    again = choose(service, TO_CHICAGO, wait_of=lambda sender: float(sender.address == first))
    assert again != first


def test_a_known_sender_beats_the_area_code_and_the_kind() -> None:
    service = make_service(WASHINGTON)
    assert choose(service, TO_NEW_YORK) == WASHINGTON
    for address in (NEW_YORK, SHORT_CODE):
        service.attach(make_sender(address), NOW)
    assert choose(service, TO_NEW_YORK) == WASHINGTON


def test_maps_survive_while_the_feature_is_off() -> None:
    # GIVEN a map
    service = make_service(WASHINGTON)
    choose(service, TO_NEW_YORK)
    service.attach(make_sender(NEW_YORK), NOW)
    # WHEN the feature goes off
    service.sticky_sender = False
    # THEN it does not count, nor does it change
    assert choose(service, TO_NEW_YORK) == NEW_YORK
    # AND it counts again once the feature is back
    service.sticky_sender = True
    assert choose(service, TO_NEW_YORK) == WASHINGTON


def test_a_sender_that_leaves_takes_its_maps_along() -> None:
    # GIVEN a map to a number that is then removed and added again
    service = make_service(WASHINGTON)
    choose(service, TO_NEW_YORK)
    sender = make_sender(WASHINGTON)
    service.detach(sender)
    service.attach(make_sender(NEW_YORK), NOW)
    service.attach(sender, NOW)
    # THEN the recipient is new
    assert choose(service, TO_NEW_YORK) == NEW_YORK


@pytest.mark.parametrize(
    ("rule", "known", "added", "to", "chosen"),
    [
        ("a number of the country", NEW_YORK, LONDON, TO_UK, LONDON),
        ("a number of another country", NEW_YORK, PARIS, TO_UK, NEW_YORK),
        ("a number beside one of the country", LONDON, "+447700900101", TO_UK, LONDON),
        ("an alphanumeric ID", NEW_YORK, "Brand", TO_UK, NEW_YORK),
        ("a number beside an alphanumeric ID", "Brand", LONDON, TO_UK, "Brand"),
        ("a short code beside a number from abroad", TORONTO, SHORT_CODE, TO_NEW_YORK, SHORT_CODE),
    ],
)
def test_a_new_local_sender_takes_over_from_numbers_abroad(
    rule: str, known: str, added: str, to: str, chosen: str
) -> None:
    service = make_service(known)
    assert choose(service, to) == known
    service.attach(make_sender(added), NOW)
    assert choose(service, to) == chosen, rule


def test_channels_have_maps_of_their_own() -> None:
    service = make_service(NEW_YORK, WHATSAPP)
    assert choose(service, TO_UK) == NEW_YORK
    assert choose(service, f"whatsapp:{TO_UK}") == WHATSAPP
    service.attach(make_sender(WHATSAPP_UK), NOW)
    assert choose(service, f"whatsapp:{TO_UK}") == WHATSAPP


def test_rcs_knows_no_sticky_sender() -> None:
    service = make_service(NEW_YORK)
    choose(service, TO_NEW_YORK)
    service.attach(make_sender(RCS), NOW)
    assert choose(service, TO_NEW_YORK) == RCS
    service.detach(make_sender(RCS))
    assert choose(service, TO_NEW_YORK) == NEW_YORK


def test_media_pass_a_known_sender_by_for_once() -> None:
    service = make_service(LONDON, NEW_YORK)
    assert choose(service, TO_UK) == LONDON
    assert choose(service, TO_UK, with_media=True) == NEW_YORK
    assert choose(service, TO_UK) == LONDON


# ------------------------------------------------------------------ properties

LONG_CODES = (NEW_YORK, WASHINGTON, TORONTO, LONDON, PARIS)
OTHERS = (TOLL_FREE, SHORT_CODE, "Brand", "BrandUK/GB", WHATSAPP, WHATSAPP_UK, RCS)
POOLS = st.lists(st.sampled_from([*LONG_CODES, *OTHERS]), unique=True)
NUMBERS = st.sampled_from(
    [TO_NEW_YORK, TO_BROOKLYN, TO_CHICAGO, TO_CANADA, TO_UK, TO_GERMANY, NEW_YORK, "+5511987654321"]
)
RECIPIENTS = st.builds(str.__add__, st.sampled_from(["", "", "whatsapp:", "rcs:"]), NUMBERS)


@given(POOLS, RECIPIENTS, st.booleans(), st.booleans())
def test_the_choice_is_of_the_pool_and_reaches_the_recipient(
    pool: list[str], to: str, with_media: bool, geomatch: bool
) -> None:
    service = make_service(*pool, geomatch=geomatch)
    chosen = choose_sender(service, to=to, with_media=with_media, wait_of=lambda _: 0.0)
    if chosen is not None:
        assert chosen in list(service.pool)
        assert reaches(chosen, recipient_of(to))
    elif not with_media:
        assert not any(reaches(sender, recipient_of(to)) for sender in service.pool)


@given(POOLS, RECIPIENTS, st.booleans(), st.integers(0, 2**32 - 1))
def test_the_same_inputs_give_the_same_choice(
    pool: list[str], to: str, with_media: bool, seed: int
) -> None:
    def wait_of(sender: Sender) -> float:
        return float(crc32(sender.address.encode(), seed) % 3)

    services = [make_service(*pool) for _ in range(2)]
    first, second = (choose(each, to, with_media=with_media, wait_of=wait_of) for each in services)
    assert first == second


@given(
    st.sampled_from([[NEW_YORK], [NEW_YORK, WASHINGTON], [LONDON, PARIS], ["Brand", LONDON]]),
    st.sampled_from([TO_NEW_YORK, TO_UK, TO_GERMANY]),
    st.lists(
        st.one_of(
            st.sampled_from([("add", "+12025550199"), ("add", "Brand"), ("off", ""), ("on", "")]),
            st.tuples(st.just("remove"), st.sampled_from(["+12025550199", WASHINGTON, PARIS])),
        ),
        max_size=8,
    ),
)
def test_a_recipient_keeps_its_sender_while_it_is_in_the_pool(
    pool: list[str], to: str, events: Sequence[tuple[str, str]]
) -> None:
    service = make_service(*pool)
    known = choose(service, to)
    for event, address in events:
        _play(service, event, address)
    service.sticky_sender = True
    if known is not None and service.owns(known) and ("remove", known) not in events:
        assert choose(service, to, wait_of=lambda sender: float(sender.address == known)) == known


def _play(service: Service, event: str, address: str) -> None:
    if event in {"on", "off"}:
        service.sticky_sender = event == "on"
    elif event == "add" and not service.owns(address):
        service.attach(make_sender(address), NOW)
    elif event == "remove" and service.owns(address):
        service.detach(make_sender(address))
