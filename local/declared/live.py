"""What a stack has of all that a file speaks of, asked by its API; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

from local.client import Answer, ApiError
from local.declared.file import CampaignSection, Wanted
from sendpool.edge.registration_models import BrandModel

type Json = Mapping[str, Any]

_PAGE = 1000
# the brand may be registered later; this only says that there will be one
_SOME_BRAND = f"BN{0:032}"


class Api(Protocol):
    """Sendpool's API; raises ApiError when nothing that can be read is answered."""

    def ask(self, method: str, path: str, body: object = None) -> Answer: ...


class RefusedError(Exception):
    """The API refused a request; `answer` has its problem (RFC 9457)."""

    def __init__(self, request: str, answer: Answer) -> None:
        super().__init__(f"{request} was answered {answer.status}: {answer.body.get('detail')}")
        self.request = request
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What there is, as the API shows it; None for what the file does not speak of, and for what is not there."""

    service: Json
    declared: Json
    pool: Json | None
    link_domain: Json | None
    registered: Json | None
    brand: Json | None
    campaign: Json | None
    preflight: Json | None


def good(api: Api, method: str, path: str, body: object = None, *, having: str) -> Json:
    """Ask for something that has a certain member. Raises RefusedError, and ApiError if it has not."""
    answer = api.ask(method, path, body)
    if not answer.is_good:
        raise RefusedError(f"{method} {path}", answer)
    return _having(having, answer, f"{method} {path}")


def _having(member: str, answer: Answer, request: str) -> Json:
    if member not in answer.body:
        words = "is that Sendpool, deployed from this version?"
        raise ApiError(f"{request} was answered without {member}: {words}")
    return answer.body


def look(wanted: Wanted, api: Api) -> Live:
    """Ask for all that the file speaks of. Raises RefusedError, ApiError."""
    service = good(api, "GET", "/service", having="declared_by")
    speaks_of_registration = wanted.brand or wanted.campaign
    return Live(
        service=service,
        declared=good(api, "GET", "/service/declared", having="senders"),
        pool=None if wanted.senders is None else _pool(api),
        link_domain=good(api, "GET", "/service/link-domain", having="next_step")
        if wanted.speaks_of_link_domain
        else None,
        registered=good(api, "GET", "/compliance", having="brands")
        if speaks_of_registration
        else None,
        brand=_there(api, f"/compliance/brands/{wanted.brand.name}") if wanted.brand else None,
        campaign=_there(api, f"/compliance/campaigns/{service['sid']}")
        if wanted.campaign
        else None,
        preflight=good(
            api,
            "POST",
            "/compliance/campaigns/preflight",
            _form(wanted.campaign, _brand_of_campaign(wanted, api)),
            having="findings",
        )
        if wanted.campaign
        else None,
    )


def _there(api: Api, path: str) -> Json | None:
    """Ask for a registration; None when there is none."""
    answer = api.ask("GET", path)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if not answer.is_good:
        raise RefusedError(f"GET {path}", answer)
    return _having("declared", answer, f"GET {path}")


def _pool(api: Api) -> Json:
    """Return the whole pool as one page."""
    senders: list[Json] = []
    cursor = ""
    while True:
        page = good(api, "GET", f"/service/senders?limit={_PAGE}{cursor}", having="pool")
        senders += page["senders"]
        if page["next_cursor"] is None:
            return {**page, "senders": senders}
        cursor = f"&cursor={page['next_cursor']}"


def _brand_of_campaign(wanted: Wanted, api: Api) -> BrandModel | None:
    """Return the brand that the file has, or another one that it names; None as long as that is not declared."""
    name = wanted.brand_of_campaign
    if wanted.brand and wanted.brand.name == name:
        return wanted.brand
    there = _there(api, f"/compliance/brands/{quote(name or '', safe='')}")
    return BrandModel.model_validate(there["declared"]) if there else None


def _form(campaign: CampaignSection, brand: BrandModel | None) -> Json:
    """Fill in what preflight wants to know of the brand, as far as that is declared."""
    form = campaign.model_dump(exclude={"brand"}, exclude_none=True)
    known: dict[str, Any] = {"brand_registration_sid": _SOME_BRAND}
    if brand:
        application = brand.application()
        known |= {
            "brand_name": application.display_name,
            "brand_website": application.business.website_url,
            "brand_type": "SOLE_PROPRIETOR" if application.is_sole_proprietor else "STANDARD",
        }
    return form | {name: value for name, value in known.items() if value}
