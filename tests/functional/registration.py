"""A brand and a campaign to be registered, by our API, and the time that reviews take at the simulated Twilio."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from functions.compliance.app import lambda_handler as compliance
from functions.sweeper.app import lambda_handler as sweeper
from tests.functional.aws import Context
from tests.functional.conftest import Clock
from tests.functional.requests import http
from tests.functional.simulated import OTHER_SERVICE_SID, SimulatedTwilio

BRAND, CAMPAIGN = "/compliance/brands/owl", f"/compliance/campaigns/{OTHER_SERVICE_SID}"
DAY = 86_400
BUSINESS = {
    "name": "Owl Couriers",
    "type": "Corporation",
    "industry": "TRANSPORTATION",
    "registration_identifier": "EIN",
    "registration_number": "98-7654321",
    "website_url": "https://owlcouriers.com",
}
PERSON = {
    "first_name": "Ann",
    "last_name": "Owl",
    "email": "ann@owlcouriers.com",
    "phone_number": "+12025550188",
}
STANDARD: dict[str, Any] = {
    "kind": "standard",
    "email": "ann@owlcouriers.com",
    "business": BUSINESS,
    "representatives": [PERSON | {"business_title": "Founder", "job_position": "CEO"}],
    "address": {
        "street": "1 Main Street",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02101",
        "country": "US",
    },
    "company": {"company_type": "private"},
}
SOLE: dict[str, Any] = {
    "kind": "sole_proprietor",
    "email": "ann@owlcouriers.com",
    "proprietor": PERSON
    | {
        "brand_name": "Ann Owl",
        "mobile_phone_number": "+12025550177",
        "vertical": "RETAIL",
    },
    "address": STANDARD["address"],
}
CONSENT = (
    "I agree to receive recurring texts about my parcels from Owl Couriers at this number. Consent is not a condition "
    "of purchase. Msg frequency varies. Msg & data rates may apply. Reply STOP to opt out, HELP for help."
)
FORM: dict[str, Any] = {
    "brand": "owl",
    "us_app_to_person_usecase": "DELIVERY_NOTIFICATION",
    "description": "Owl Couriers sends delivery notices to customers who have a parcel under way and signed up for "
    "texts on our website.",
    "message_flow": "Customers sign up at https://owlcouriers.com/sms. They enter their mobile number and check an "
    f'optional box, unchecked by default, that says: "{CONSENT}" Links to https://owlcouriers.com/privacy and '
    "https://owlcouriers.com/terms stand below the box.",
    "message_samples": [
        "Owl Couriers: your parcel [number] is out for delivery today. Reply STOP to opt out",
        "Owl Couriers: we left your parcel with [neighbour]. Questions? Reply to this text.",
    ],
    "has_embedded_links": False,
    "has_embedded_phone": False,
    "subscriber_opt_in": True,
    "age_gated": False,
    "direct_lending": False,
    "privacy_policy_url": "https://owlcouriers.com/privacy",
    "terms_and_conditions_url": "https://owlcouriers.com/terms",
}


def ask(method: str, path: str, body: object = None, **query: str) -> tuple[int, dict[str, Any]]:
    event = http(method, path, body, query=urlencode(query)) | {"queryStringParameters": query}
    answer = compliance(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def good(method: str, path: str, body: object = None, **query: str) -> dict[str, Any]:
    status, answered = ask(method, path, body, **query)
    assert status in {200, 202}, answered
    return answered


def steps(shown: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["state"] for each in shown["steps"]}


def step(shown: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in shown["steps"] if each["name"] == name]
    return dict(found)


class Time:
    """Both clocks, ours and the simulator's, and the sweeper that looks at its minute."""

    def __init__(self, simulator: SimulatedTwilio, clock: Clock) -> None:
        self._simulator, self._clock = simulator, clock
        simulator.control("POST", "clock", {"frozen": True})

    def passes(self, **span: float) -> None:
        """Let time pass, and the sweeper look."""
        self.stands_by(**span)
        sweeper({}, Context(milliseconds=[60_000]))

    def stands_by(self, **span: float) -> None:
        """Let time pass, and nobody look."""
        seconds = timedelta(**span).total_seconds()
        self._simulator.control("POST", "clock", {"advance_seconds": seconds})
        self._clock.pass_by(**span)


def approved_brand(time: Time, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Bring a brand to where campaigns may be registered for it."""
    good("PUT", BRAND, (body or STANDARD) | {"accept_fees": True})
    for _ in range(3):
        time.passes(days=1, minutes=20)
    time.passes(minutes=6)
    shown = good("GET", BRAND)
    assert steps(shown)["brand"] == "done", shown
    return shown


def hand_in_by_hand(simulator: SimulatedTwilio, brand_sid: str) -> None:
    """Hand in a campaign of the other service as somebody does in the console."""
    form = {
        "BrandRegistrationSid": brand_sid,
        "Description": "Something else that somebody handed in by hand",
        "MessageFlow": FORM["message_flow"],
        "MessageSamples": FORM["message_samples"],
        "UsAppToPersonUsecase": "2FA",
        "HasEmbeddedLinks": "false",
        "HasEmbeddedPhone": "false",
    }
    simulator.api("POST", f"/v1/Services/{OTHER_SERVICE_SID}/Compliance/Usa2p", **form)
