"""Prices: asked for once a day by whoever needs them first, shared in S3, and old ones rather than none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from botocore.exceptions import ClientError
from twilio.http import HttpClient
from twilio.http.response import Response

from local.twilio.pricing.prices import PRICE_UNIT
from local.twilio.pricing.prices import PriceList as SimulatedPriceList
from sendpool.adapters import aws as clients
from sendpool.adapters.prices import PriceFiles
from sendpool.adapters.twilio.pricing import PriceList
from sendpool.adapters.twilio.transport import NeverSentError, NoAnswerError, TransportError
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.prices import Cost, CountryPrices, millionths, table_of
from sendpool.edge import prices as edge
from sendpool.edge import warm
from sendpool.workflows.pricing import Prices
from tests.functional.aws import ACCOUNT_SID, AUTH_TOKEN, PATH, Aws
from tests.functional.conftest import NOW, Clock
from tests.functional.rest import killed_at

COUNTRIES = "https://pricing.twilio.com/v1/Messaging/Countries/"


def country(iso: str, **prices: str) -> dict[str, Any]:
    rows = [
        {"number_type": kind, "base_price": price, "current_price": price}
        for kind, price in prices.items()
    ]
    return {
        "country": iso,
        "iso_country": iso,
        "url": COUNTRIES + iso,
        "outbound_sms_prices": [{"carrier": "One", "mcc": "1", "mnc": "1", "prices": rows}],
        "inbound_sms_prices": [],
        "price_unit": "USD",
    }


@dataclass
class FakePriceList(HttpClient):
    """Twilio's price list behind the SDK's HTTP client; `trouble` is what every question meets instead."""

    countries: dict[str, Any] = field(default_factory=dict)
    trouble: TransportError | Response | None = None
    asked: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def request(self, method: str, uri: str, **more: Any) -> Response:  # type: ignore[override]
        assert method == "GET"
        assert uri.startswith(COUNTRIES)
        iso = uri.removeprefix(COUNTRIES)
        self.asked.append(iso)
        self.requests.append(more)
        if isinstance(self.trouble, TransportError):
            raise self.trouble
        if self.trouble:
            return self.trouble
        if iso not in self.countries:
            return Response(404, json.dumps({"code": 20404, "message": "no", "status": 404}))
        return Response(200, json.dumps(self.countries[iso]))


@pytest.fixture
def twilio() -> FakePriceList:
    return FakePriceList({"DE": country("DE", mobile="0.104"), "US": country("US", local="0.0083")})


@pytest.fixture
def prices(aws: Aws, twilio: FakePriceList) -> Iterator[Prices]:
    edge.use_transport(lambda: twilio)
    yield edge.prices()
    edge.use_transport()


@pytest.fixture
def files(aws: Aws) -> PriceFiles:
    return PriceFiles(clients.s3(), aws.environment["FILES_BUCKET"])


def another_process(twilio: FakePriceList) -> Prices:
    edge.use_transport(lambda: twilio)
    return edge.prices()


def busy(seconds: str) -> Response:
    return Response(429, json.dumps({"code": 20429, "status": 429}), {"Retry-After": seconds})


# ---------------------------------------------------------------------------------------------- asking


def test_a_country_is_asked_for_with_the_account_s_credentials_and_a_short_timeout(
    prices: Prices, twilio: FakePriceList
) -> None:
    assert prices.of("DE") == CountryPrices(
        country="DE", currency="USD", fetched_at=NOW, sms={"mobile": Cost(104_000, 104_000)}
    )
    [request] = twilio.requests
    assert request["auth"] == (ACCOUNT_SID, AUTH_TOKEN)
    assert request["timeout"] <= 5


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (NeverSentError("ConnectTimeoutError"), TwilioUnavailableError),
        (NoAnswerError("ReadTimeoutError"), TwilioUnavailableError),
        (Response(500, ""), TwilioUnavailableError),
        (Response(503, "<html>"), TwilioUnavailableError),
        (Response(401, json.dumps({"code": 20003})), TwilioUnavailableError),
        (Response(200, "<html>"), TwilioUnavailableError),
        (Response(200, "[]"), TwilioUnavailableError),
        (Response(200, "{}"), TwilioUnavailableError),
        (busy("7"), TwilioBusyError),
        (Response(429, "<html>"), TwilioBusyError),
        (Response(429, json.dumps({"code": 20003})), TwilioBusyError),
        (Response(429, json.dumps({"code": 21610})), TwilioUnavailableError),
    ],
    ids=lambda each: f"{type(each).__name__} {getattr(each, 'status_code', '')}",
)
def test_a_question_that_fails_is_one_of_our_errors(
    aws: Aws, twilio: FakePriceList, trouble: TransportError | Response, error: type[Exception]
) -> None:
    twilio.trouble = trouble
    price_list = PriceList(credentials=warm.parameters().credentials, http_client=twilio)
    with pytest.raises(error):
        price_list.ask("DE", now=NOW)


def test_every_country_of_the_simulated_twilio_has_a_price(twilio: FakePriceList, aws: Aws) -> None:
    simulated = SimulatedPriceList().countries()
    twilio.countries = {
        each.iso_country: {"outbound_sms_prices": each.outbound_json(), "price_unit": PRICE_UNIT}
        for each in simulated
    }
    price_list = PriceList(credentials=warm.parameters().credentials, http_client=twilio)
    table = table_of(price_list.ask(each.iso_country, now=NOW) for each in simulated)
    assert table
    for each in simulated:
        cost = table.of(each.iso_country, kind="sms", segments=1)
        assert cost
        assert cost.low in {millionths(price) for price in each.outbound.values()}


# ---------------------------------------------------------------------------------------------- keeping


def test_a_country_is_asked_for_once_a_day(
    prices: Prices, twilio: FakePriceList, clock: Clock
) -> None:
    prices.of("DE")
    clock.pass_by(hours=23, minutes=59)
    prices.of("DE")
    assert twilio.asked == ["DE"]
    twilio.countries["DE"] = country("DE", mobile="0.2")
    clock.pass_by(minutes=1)
    newest = prices.of("DE")
    assert newest
    assert (newest.sms, newest.fetched_at) == ({"mobile": Cost(200_000, 200_000)}, clock())
    assert twilio.asked == ["DE", "DE"]


def test_what_one_process_asked_the_others_read(
    prices: Prices, twilio: FakePriceList, clock: Clock
) -> None:
    first = prices.of("DE")
    clock.pass_by(hours=1)
    assert another_process(twilio).of("DE") == first
    assert twilio.asked == ["DE"]


def test_a_country_that_twilio_does_not_list_has_no_price_and_is_not_asked_for_again(
    prices: Prices, twilio: FakePriceList
) -> None:
    for process in (prices, prices, another_process(twilio)):
        unknown = process.of("KP")
        assert unknown
        assert unknown.sms == {}
    assert twilio.asked == ["KP"]
    assert prices.table(["KP"]) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"country": "DE"}', b"null", b"\xff"])
def test_a_file_that_cannot_be_read_is_replaced(
    prices: Prices, twilio: FakePriceList, files: PriceFiles, content: bytes
) -> None:
    files.client.put_object(Bucket=files.bucket, Key="prices/DE.json", Body=content)
    asked = prices.of("DE")
    assert twilio.asked == ["DE"]
    assert files.get("DE") == asked


def test_what_s3_refuses_is_not_mistaken_for_an_empty_cache(aws: Aws) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        PriceFiles(clients.s3(), "somebody-else").get("DE")


# ---------------------------------------------------------------------------------------------- twilio is away


def test_old_prices_are_better_than_none_and_tell_their_age(
    prices: Prices, twilio: FakePriceList, clock: Clock
) -> None:
    prices.of("DE")
    clock.pass_by(days=5)
    twilio.trouble = NoAnswerError("ReadTimeoutError")
    for process in (prices, another_process(twilio)):
        table = process.table(["DE"])
        assert table
        assert table.fetched_at == NOW


def test_without_any_answer_ever_there_are_no_prices(prices: Prices, twilio: FakePriceList) -> None:
    twilio.trouble = NeverSentError("NewConnectionError")
    assert prices.of("DE") is None
    assert prices.table(["DE", "US"]) is None


def test_a_failure_keeps_the_process_from_asking_for_a_minute(
    prices: Prices, twilio: FakePriceList, clock: Clock
) -> None:
    twilio.trouble = NoAnswerError("ReadTimeoutError")
    assert prices.table(["DE", "FR", "US"]) is None
    assert twilio.asked == ["DE"]
    twilio.trouble = None
    clock.pass_by(seconds=59)
    assert prices.table(["US"]) is None
    clock.pass_by(seconds=1)
    assert prices.table(["US"])


def test_a_busy_twilio_is_left_alone_for_as_long_as_it_asks(
    prices: Prices, twilio: FakePriceList, clock: Clock
) -> None:
    twilio.trouble = busy("300")
    assert prices.of("US") is None
    twilio.trouble = None
    clock.pass_by(seconds=299)
    assert prices.of("US") is None
    clock.pass_by(seconds=1)
    assert prices.of("US")


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_while_it_keeps_prices_leaves_the_next_one_to_ask(
    prices: Prices, twilio: FakePriceList, clock: Clock, when: Literal["before", "after"]
) -> None:
    for call in count(1):
        twilio.asked.clear()
        clock.pass_by(days=1)
        with killed_at(call, when) as was_killed:
            another_process(twilio).of("DE")
        answer = another_process(twilio).of("DE")
        assert answer
        assert answer.sms == {"mobile": Cost(104_000, 104_000)}
        assert twilio.asked in (["DE"], ["DE", "DE"])
        if not was_killed():
            assert call > 2
            return


# ---------------------------------------------------------------------------------------------- tables, edge


def test_a_table_has_the_countries_that_have_prices(prices: Prices, twilio: FakePriceList) -> None:
    table = prices.table(["US", "DE", "KP", "US"])
    assert table
    assert set(table.countries) == {"US", "DE"}
    assert sorted(twilio.asked) == ["DE", "KP", "US"]


def test_a_rotated_token_is_used_for_the_next_question(
    prices: Prices, twilio: FakePriceList, aws: Aws
) -> None:
    assert edge.prices() is prices
    aws.session.client("ssm").put_parameter(
        Name=f"{PATH}/twilio/auth-token", Value="f" * 32, Type="SecureString", Overwrite=True
    )
    warm.parameters.cache_clear()  # five minutes pass
    edge.prices().of("DE")
    assert twilio.requests[-1]["auth"] == (ACCOUNT_SID, "f" * 32)


def test_the_edge_loads_neither_twilio_s_sdk_nor_the_numbering_plans() -> None:
    assert (
        printed(
            "import sys, sendpool.edge.prices;"
            "print(sorted({each.split('.')[0] for each in sys.modules}"
            " & {'twilio', 'phonenumbers', 'pydantic'}))"
        )
        == "[]"
    )


def test_asking_through_the_sdk_s_transport_loads_no_resource_of_the_sdk() -> None:
    assert (
        printed(
            "import sys, sendpool.adapters.twilio.pricing, sendpool.workflows.pricing;"
            "print('twilio.rest.pricing' in sys.modules, 'twilio.rest' in sys.modules)"
        )
        == "False False"
    )


def printed(program: str) -> str:
    """Run a program in an interpreter of its own, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - this interpreter, the text above
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2] / "layers" / "sendpool",
    )
    return done.stdout.strip()
