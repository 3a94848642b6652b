"""Where a person may be: all the places that number, state and zone leave open, and the zones as they ship."""

from __future__ import annotations

import io
import json
import zoneinfo
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpool.domain import whereabouts as module
from sendpool.domain.whereabouts import (
    PlaceError,
    UnknownStateError,
    UnknownTimezoneError,
    Whereabouts,
    anywhere_in_the_us,
    is_timezone,
    us_state,
    whereabouts,
    zone_info,
)

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
)
BOISE, PHOENIX = "America/Boise", "America/Phoenix"

# by hand, from the list of split codes
SPLIT = [
    ("ID", "208 986", (BOISE, PACIFIC)),
    ("IN", "219 574 812 930", (EASTERN, CENTRAL)),
    ("KY", "270 364 606", (EASTERN, CENTRAL)),
    ("TN", "423 729", (EASTERN, CENTRAL)),
    ("FL", "850 448", (EASTERN, CENTRAL)),
    ("MI", "906", (EASTERN, CENTRAL)),
    ("ND", "701", (CENTRAL, MOUNTAIN)),
    ("SD", "605", (CENTRAL, MOUNTAIN)),
    ("NE", "308 402 531", (CENTRAL, MOUNTAIN)),
    ("KS", "620 785", (CENTRAL, MOUNTAIN)),
    ("OR", "541 458", (BOISE, PACIFIC)),
    ("NV", "775", (PACIFIC, MOUNTAIN)),
    ("AZ", "928", (PHOENIX, MOUNTAIN)),
    ("AK", "907", ("America/Anchorage", "America/Adak")),
]
ALONE = [
    ("TX", "915", MOUNTAIN),
    ("TX", "713", CENTRAL),
    ("FL", "689", EASTERN),
    ("AZ", "602", PHOENIX),
    ("NM", "505", MOUNTAIN),
    ("CA", "310", PACIFIC),
    ("CT", "203", EASTERN),
    ("DC", "771", EASTERN),
    ("NY", "718", EASTERN),
    ("HI", "808", "Pacific/Honolulu"),
    ("PR", "787", "America/Puerto_Rico"),
    ("PR", "939", "America/Puerto_Rico"),
    ("VI", "340", "America/St_Thomas"),
    ("GU", "671", "Pacific/Guam"),
    ("MP", "670", "Pacific/Saipan"),
    ("AS", "684", "Pacific/Pago_Pago"),
]
STATES = [
    "AK", "AL", "AR", "AS", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "GU", "HI", "IA",
    "ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MP", "MS", "MT",
    "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "RI", "SC",
    "SD", "TN", "TX", "UT", "VA", "VI", "VT", "WA", "WI", "WV", "WY",
]  # fmt: skip
SEVERAL_ZONES = [
    "AK", "AZ", "FL", "ID", "IN", "KS", "KY", "MI", "ND", "NE", "NV", "OR", "SD", "TN", "TX",
]  # fmt: skip
NEWER = [
    "357", "436", "457", "471", "483", "621", "679", "729", "837", "861", "924",
]  # fmt: skip


def us(state: str, *zones: str) -> set[Whereabouts]:
    return {Whereabouts("US", state, zone) for zone in zones}


def number(code: str) -> str:
    return f"+1{code}5550123"


@pytest.mark.parametrize(
    ("code", "state", "zones"),
    [(code, state, zones) for state, codes, zones in SPLIT for code in codes.split()],
)
def test_in_a_split_area_code_every_zone_counts(
    code: str, state: str, zones: tuple[str, ...]
) -> None:
    assert set(whereabouts(number(code))) == us(state, *zones)


@pytest.mark.parametrize(("state", "code", "zone"), ALONE)
def test_an_area_code_has_its_state_and_zone(state: str, code: str, zone: str) -> None:
    assert whereabouts(number(code)) == (Whereabouts("US", state, zone),)


def test_no_other_us_area_code_is_split() -> None:
    several = {
        code
        for code, places in module._area_codes().items()
        if len(places) > 1 and places[0].country == "US"
    }
    assert several == {code for _, codes, _ in SPLIT for code in codes.split()}


def test_every_geographic_us_number_that_phonenumbers_takes_is_somewhere() -> None:
    regions = ("US", "PR", "VI", "GU", "MP", "AS")
    missing = set()
    for code in range(200, 1000):
        for exchange in ("234", "456", "633", "789"):
            parsed = phonenumbers.parse(f"+1{code}{exchange}1234")
            is_geographic = phonenumbers.number_type(parsed) in {0, 1, 2}
            if is_geographic and phonenumbers.region_code_for_number(parsed) in regions:
                places = whereabouts(f"+1{code}{exchange}1234")
                if not places or places[0].country != "US" or places[0].state not in STATES:
                    missing.add(code)
    assert not missing


@pytest.mark.parametrize("code", NEWER)
def test_area_codes_newer_than_phonenumbers_are_somewhere(code: str) -> None:
    assert whereabouts(number(code))


def test_every_state_has_a_zone_and_those_with_several_have_them_all() -> None:
    places = {state: whereabouts("+18005550123", state=state) for state in STATES}

    assert all(places.values())
    assert [state for state in STATES if len(places[state]) > 1] == SEVERAL_ZONES
    assert set(places["TX"]) == us("TX", CENTRAL, MOUNTAIN)
    assert set(places["AK"]) == us("AK", "America/Anchorage", "America/Adak")


@pytest.mark.parametrize(
    ("to", "country", "zones"),
    [
        ("+14165550123", "CA", {"America/Toronto"}),
        ("+16045550123", "CA", {"America/Vancouver"}),
        ("+12505550123", "CA", {"America/Vancouver", "America/Edmonton"}),
        ("+17095550123", "CA", {"America/St_Johns", "America/Goose_Bay"}),
        ("+18765550123", "JM", {"America/Jamaica"}),
        ("+12425550123", "BS", {"America/Nassau"}),
        ("+18095550123", "DO", {"America/Santo_Domingo"}),
        ("+442079460000", "GB", {"Europe/London"}),
        ("+33612345678", "FR", {"Europe/Paris"}),
        ("+919812345678", "IN", {"Asia/Kolkata"}),
        ("+351912345678", "PT", {"Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"}),
        ("+38344123456", "XK", {"Europe/Belgrade"}),
    ],
)
def test_other_countries_are_themselves_with_all_their_zones(
    to: str, country: str, zones: set[str]
) -> None:
    assert set(whereabouts(to)) == {Whereabouts(country, None, zone) for zone in zones}


def test_countries_that_share_a_code_are_told_apart() -> None:
    assert {place.country for place in whereabouts("+79161234567")} == {"RU"}
    assert {place.country for place in whereabouts("+77011234567")} == {"KZ"}
    assert whereabouts("+262639012345") == (Whereabouts("YT", None, "Indian/Mayotte"),)


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_number_of_every_country_is_somewhere(country: str) -> None:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    to = phonenumbers.format_number(
        example or phonenumbers.example_number(country), phonenumbers.PhoneNumberFormat.E164
    )
    places = whereabouts(to)
    # the Vatican's, Spitsbergen's and their like cannot be told from those of their neighbours
    calling_code = phonenumbers.country_code_for_region(country)
    sharing = phonenumbers.region_codes_for_country_code(calling_code)
    assert {place.country for place in places} <= set(sharing)
    assert all(zone_info(place.zone) for place in places)


@pytest.mark.parametrize(
    "to",
    [
        "+18005550123",
        "+18885550123",
        "+19005550123",
        "+15005550006",
        "+15335550123",
        "+12005550123",
        "+80012345678",
        "+881612345678",
        "+99912345678",
        "+1",
        "+",
        "",
        "2025550123",
        "whatsapp:+12025550123",
    ],
)
def test_what_is_nowhere_or_no_number_has_no_places(to: str) -> None:
    assert whereabouts(to) == ()


# ------------------------------------------------------------------------------- number, state and zone together


def test_zone_and_state_known_are_the_place() -> None:
    assert whereabouts(number("212"), state="NY", timezone=EASTERN) == (
        Whereabouts("US", "NY", EASTERN),
    )


def test_a_zone_alone_goes_with_the_state_of_the_number() -> None:
    assert whereabouts(number("305"), timezone=PACIFIC) == (Whereabouts("US", "FL", PACIFIC),)
    assert whereabouts(number("850"), timezone=CENTRAL) == (Whereabouts("US", "FL", CENTRAL),)


def test_a_zone_alone_goes_with_the_country_of_the_number() -> None:
    assert whereabouts("+79161234567", timezone="Asia/Omsk") == (
        Whereabouts("RU", None, "Asia/Omsk"),
    )


@pytest.mark.parametrize(
    ("timezone", "country"),
    [(EASTERN, "US"), ("Europe/Paris", "FR"), ("US/Eastern", "US"), ("Etc/GMT+5", "US")],
)
def test_a_zone_with_a_number_from_nowhere_is_in_its_own_country(
    timezone: str, country: str
) -> None:
    assert whereabouts("+18005550123", timezone=timezone) == (Whereabouts(country, None, timezone),)


def test_of_a_state_without_a_zone_all_its_zones_count() -> None:
    assert set(whereabouts("+18005550123", state="TN")) == us("TN", EASTERN, CENTRAL)


def test_an_area_code_in_the_known_state_narrows_its_zones() -> None:
    assert whereabouts(number("901"), state="TN") == (Whereabouts("US", "TN", CENTRAL),)
    assert set(whereabouts(number("423"), state="TN")) == us("TN", EASTERN, CENTRAL)
    assert whereabouts(number("915"), state="TX") == (Whereabouts("US", "TX", MOUNTAIN),)


@pytest.mark.parametrize("timezone", [None, PACIFIC])
def test_number_and_state_that_disagree_both_count(timezone: str | None) -> None:
    # GIVEN somebody in California with a number of Florida's panhandle
    found = whereabouts(number("850"), state="CA", timezone=timezone)
    # THEN Florida, which presumes its area codes to live there, stays
    assert set(found) == us("CA", PACIFIC) | us("FL", EASTERN, CENTRAL)


def test_a_foreign_number_stays_beside_a_known_state() -> None:
    assert set(whereabouts("+14165550123", state="NY")) == us("NY", EASTERN) | {
        Whereabouts("CA", None, "America/Toronto")
    }


def test_a_state_is_taken_in_either_case() -> None:
    assert whereabouts(number("212"), state="ny") == whereabouts(number("212"), state="NY")


@pytest.mark.parametrize("state", ["XX", "New York", "", "ON", "N"])
def test_what_is_no_state_is_refused_with_its_own_code(state: str) -> None:
    with pytest.raises(UnknownStateError) as caught:
        whereabouts(number("212"), state=state)
    assert caught.value.code == "unknown_state"


@pytest.mark.parametrize(
    "timezone", ["EDT", "america/new_york", "", "../zones", "Factory", "Mars/Olympus", "+05:00"]
)
def test_what_is_no_iana_zone_is_refused_with_its_own_code(timezone: str) -> None:
    with pytest.raises(UnknownTimezoneError) as caught:
        whereabouts(number("212"), timezone=timezone)
    assert caught.value.code == "unknown_timezone"


def test_texts_can_be_tried_without_a_refusal() -> None:
    assert us_state(" fl ") == "FL"
    assert us_state(None) is us_state("") is us_state("Florida") is None
    assert is_timezone("America/New_York")
    assert not is_timezone("New York")


def test_both_refusals_can_be_caught_as_one() -> None:
    assert {UnknownStateError, UnknownTimezoneError} == set(PlaceError.__subclasses__())
    assert issubclass(PlaceError, ValueError)


@settings(deadline=None)  # the first call reads time zones
@given(st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True))
def test_only_the_beginning_of_a_number_tells_where(to: str) -> None:
    found = whereabouts(to)
    assert found == whereabouts(to[:-1] + "0")
    assert len(set(found)) == len(found)


def test_nothing_known_is_every_us_zone_but_those_of_tomorrow() -> None:
    everywhere = {
        place.zone for state in STATES for place in whereabouts("+18005550123", state=state)
    }
    assert {place.zone for place in anywhere_in_the_us()} == everywhere - {
        "Pacific/Guam",
        "Pacific/Saipan",
    }
    assert {place.state for place in anywhere_in_the_us()} == {None}


# ------------------------------------------------------------------------------------------------ zones as shipped


def test_the_shipped_zones_win_over_those_of_the_system(tmp_path: Path) -> None:
    # GIVEN a system whose zones are wrong, and no zone that was loaded before
    (tmp_path / "America").mkdir()
    tokyo = resources.files("tzdata").joinpath("zoneinfo/Asia/Tokyo").read_bytes()
    (tmp_path / "America" / "New_York").write_bytes(tokyo)
    zoneinfo.reset_tzpath([tmp_path])
    zone_info.cache_clear()
    winter = datetime(2026, 1, 1, 12, tzinfo=UTC)
    try:
        assert winter.astimezone(zoneinfo.ZoneInfo.no_cache(EASTERN)).hour == 21
        # WHEN the zone is loaded
        # THEN it is the one of the package
        assert winter.astimezone(zone_info(EASTERN)).hour == 7
    finally:
        zoneinfo.reset_tzpath()


def test_every_zone_in_the_tables_is_the_packages_own() -> None:
    names = {place.zone for places in module._area_codes().values() for place in places}
    winter = datetime(2027, 1, 1, tzinfo=UTC)
    for name in names | {zone for zones in module._zones_of_country().values() for zone in zones}:
        packed = resources.files("tzdata").joinpath(f"zoneinfo/{name}").read_bytes()
        theirs = zoneinfo.ZoneInfo.from_file(io.BytesIO(packed))
        assert winter.astimezone(zone_info(name)).hour == winter.astimezone(theirs).hour


def test_what_governments_decided_in_2026_has_arrived() -> None:
    # British Columbia and Alberta no longer turn their clocks back
    before, after = (datetime(2026, 7, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    for name in ("America/Vancouver", "America/Edmonton"):
        summer, winter = (at.astimezone(zone_info(name)).utcoffset() for at in (before, after))
        assert summer == winter


def test_the_table_of_area_codes_names_its_source() -> None:
    table = json.loads(module._AREA_CODES.read_text())
    assert any("phonenumbers 9.0.43" in line for line in table["source"])
    assert all(len(row) >= 3 for row in table["area_codes"].values())
