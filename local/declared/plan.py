"""The difference between what a file wants and what there is, as the calls that make it so.

Pure: `plan` reads what was looked up (live.py), and neither asks nor changes anything. Each step is one call that may
be repeated; the next plan, after whatever became of them, has what is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from local.declared.file import BrandSection, CampaignSection, Wanted, sender
from local.declared.live import Json, Live
from local.declared.text import Problem
from sendpool.domain.a2p.fees import Fee, brand_fees, campaign_fees
from sendpool.domain.a2p.record import DELETED
from sendpool.domain.declaration import FILE
from sendpool.domain.link_domain import LinkUse
from sendpool.domain.senders import NewSender, Sender, SenderKind


class Sign(StrEnum):
    """What becomes of something."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


class Section(StrEnum):
    """What a file has, in the order in which it is made so."""

    SERVICE = "service"
    SENDERS = "senders"
    LINK_DOMAIN = "link_domain"
    BRAND = "brand"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that will be different."""

    sign: Sign
    what: str


@dataclass(frozen=True, slots=True)
class Step:
    """A call of the API, and what is different after it. Without changes only what is declared is kept."""

    section: Section
    changes: tuple[Change, ...]
    method: str
    path: str
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know: what stays as it is, what others have to do, what it costs."""

    section: Section
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What whoever applies a file agrees to: fees, and handing in a campaign that the preflight rejects."""

    fees: bool = False
    force: bool = False


@dataclass(slots=True)
class Plan:
    """What has to be done, what to know, and what stands in the way. With a problem nothing is done."""

    steps: list[Step] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def count(self, sign: Sign) -> int:
        return sum(each.sign is sign for step in self.steps for each in step.changes)


def plan(wanted: Wanted, live: Live, consent: Consent, *, by_stack: Iterable[str] = ()) -> Plan:
    """Tell what makes the stack as the file wants it; `by_stack` are the senders of its parameter Senders."""
    made = Plan()
    if wanted.settings is not None:
        _settings(wanted.settings, wanted, live, made)
    if wanted.senders is not None:
        _senders(wanted.senders, wanted, live, made, by_stack=list(map(sender, by_stack)))
    _declaration(wanted, live, made)
    if wanted.speaks_of_link_domain:
        _link_domain(wanted.link_domain, live, made)
    if wanted.brand:
        _brand(wanted.brand, live, consent, made)
    if wanted.campaign:
        _campaign(wanted.campaign, wanted, live, consent, made)
    return made


# ------------------------------------------------------------------------------------------------ the service


def _settings(settings: Mapping[str, Any], wanted: Wanted, live: Live, made: Plan) -> None:
    service = live.service
    for name, value in settings.items():
        said_by = service["declared_by"].get(name, FILE)
        if said_by != FILE and service["declared"][name] != value:
            made.problems.append(
                Problem(
                    wanted.text.line_of(("service", name)),
                    f"service.{name}",
                    f"is {_word(service['declared'][name])} by the stack's parameter {said_by}: leave it out here, "
                    "or deploy without that",
                )
            )
    changed = {
        name: value for name, value in settings.items() if service["settings"][name] != value
    }
    if changed:
        changes = tuple(
            Change(Sign.CHANGE, f"{name}  {_word(service['settings'][name])} -> {_word(value)}")
            for name, value in changed.items()
        )
        made.steps.append(Step(Section.SERVICE, changes, "PATCH", "/service", changed))
    for name in live.declared["settings"].keys() - settings.keys():
        text = f"{name} is not declared any more, and stays {_word(service['settings'][name])}"
        made.notes.append(Note(Section.SERVICE, text))


def _senders(
    senders: Sequence[NewSender],
    wanted: Wanted,
    live: Live,
    made: Plan,
    *,
    by_stack: Sequence[NewSender],
) -> None:
    pool = list(map(_sender, (live.pool or {})["senders"]))
    before = [NewSender(**each) for each in live.declared["senders"]]
    others = [each for each in pool if not any(new.is_at(each) for new in senders)]
    kept = [each for each in others if any(new.is_at(each) for new in by_stack)]
    others = [each for each in others if each not in kept]
    leaving = [each for each in others if any(new.is_at(each) for new in before)]
    for place, new in enumerate(senders):
        if any(map(new.is_at, pool)):
            continue
        for each in [each for each in others if _is_in_the_way(each, new)]:
            if each in leaving:
                leaving.remove(each)
                made.steps.append(_leaves(each))
            else:
                where = ("senders", place)
                words = f"the pool has {each.address} in its place, which was never in the file: remove that first"
                made.problems.append(Problem(wanted.text.line_of(where), f"senders.{place}", words))
        body = {name: value for name, value in asdict(new).items() if value is not None}
        change = Change(Sign.ADD, new.words)
        made.steps.append(Step(Section.SENDERS, (change,), "POST", "/service/senders", body))
    made.steps += map(_leaves, leaving)
    for each in others:
        if not any(new.is_at(each) for new in before):
            text = f"{each.address} is in the pool and was never in the file: it stays"
            made.notes.append(Note(Section.SENDERS, text))
    for each in kept:
        text = f"{each.address} is in the stack's parameter Senders: it stays"
        made.notes.append(Note(Section.SENDERS, text))
    warnings = (live.pool or {})["pool"]["warnings"]
    made.notes += [Note(Section.SENDERS, each["message"]) for each in warnings]


def _is_in_the_way(there: Sender, new: NewSender) -> bool:
    """Tell whether a sender has to go before another comes: a country has one alphanumeric, and so do all others."""
    is_both = there.kind is SenderKind.ALPHANUMERIC and new.alphanumeric is not None
    return is_both and there.country == new.country


def _leaves(leaving: Sender) -> Step:
    change = Change(Sign.REMOVE, f"{leaving.address}  is not in the file any more")
    return Step(Section.SENDERS, (change,), "DELETE", f"/service/senders/{leaving.sid}")


def _declaration(wanted: Wanted, live: Live, made: Plan) -> None:
    """Keep what the file says last, so that whoever dies before it finds what has left the file again."""
    kept = live.declared
    settings = _still_by_file(live) if wanted.settings is None else dict(wanted.settings)
    senders = kept["senders"] if wanted.senders is None else list(map(asdict, wanted.senders))
    if settings == kept["settings"] and _unordered(senders) == _unordered(kept["senders"]):
        return
    said = {"settings": settings, "senders": senders}
    made.steps.append(Step(Section.SERVICE, (), "PUT", "/service/declared", said))


def _still_by_file(live: Live) -> dict[str, Any]:
    """Return what an older file said of the settings, without what the stack's parameters say by now."""
    said_by = live.service["declared_by"]
    return {
        name: value
        for name, value in live.declared["settings"].items()
        if said_by.get(name, FILE) == FILE
    }


def _link_domain(wanted: LinkUse | None, live: Live, made: Plan) -> None:
    there = live.link_domain or {}
    if wanted is None:
        if there["domain_sid"]:
            step = Step(Section.LINK_DOMAIN, (_left(there),), "DELETE", _LINK_DOMAIN)
            made.steps.append(step)
        return
    changes = tuple(_of_link_domain(wanted, there))
    coming = there["next_step"]
    if there["domain_sid"] == wanted.domain_sid and not (there["ready"] or coming["name"] in _OURS):
        made.notes.append(Note(Section.LINK_DOMAIN, f"next: {coming['what']}"))
        made.notes += [Note(Section.LINK_DOMAIN, f"then: {each.what}") for each in changes]
    elif changes:
        body = {"domain_sid": wanted.domain_sid, "replace": True, **wanted.settings}
        made.steps.append(Step(Section.LINK_DOMAIN, changes, "PUT", _LINK_DOMAIN, body))


def _of_link_domain(wanted: LinkUse, there: Json) -> Iterator[Change]:
    if there["domain_sid"] != wanted.domain_sid:
        if there["domain_sid"]:
            yield _left(there)
        yield Change(Sign.ADD, wanted.domain_sid)
        return
    if there["next_step"]["name"] in _OURS:
        yield Change(Sign.CHANGE, f"{wanted.domain_sid}  {there['next_step']['what']}")
    for name, value in wanted.settings.items():
        if there[name] != value:
            yield Change(Sign.CHANGE, f"{name}  {_word(there[name])} -> {_word(value)}")


def _left(there: Json) -> Change:
    return Change(Sign.REMOVE, f"{there['domain_sid']}  {there['domain'] or ''}".rstrip())


_LINK_DOMAIN: Final = "/service/link-domain"
# what PUT /service/link-domain does by itself
_OURS: Final = {"certificate", "callback"}


# ------------------------------------------------------------------------------------------------ registration


def _brand(brand: BrandSection, live: Live, consent: Consent, made: Plan) -> None:
    path = f"/compliance/brands/{brand.name}"
    said = brand.model_dump(mode="json", exclude={"name"})
    for each in (live.registered or {})["brands"]:
        if each["name"] != brand.name:
            text = f"{each['name']} is registered here too, and stays"
            made.notes.append(Note(Section.BRAND, text))
    there = live.brand
    is_handed_in = there is not None and there["brand_sid"] is not None
    changes = (
        tuple(_differences(there["declared"], said, hidden=_PERSONAL))
        if there
        else (Change(Sign.ADD, f"{brand.name}  {brand.kind}"),)
    )
    put = Step(Section.BRAND, changes, "PUT", path, said | {"accept_fees": consent.fees})
    fees = () if brand.mock or is_handed_in else brand_fees(brand.kind)
    _registration(put, there, fees, consent, made)


def _campaign(
    campaign: CampaignSection, wanted: Wanted, live: Live, consent: Consent, made: Plan
) -> None:
    path = f"/compliance/campaigns/{live.service['sid']}"
    use_case, brand = campaign.us_app_to_person_usecase, wanted.brand_of_campaign
    said = {"brand": brand} | campaign.model_dump(mode="json", exclude=_OF_BRAND)
    there = live.campaign
    status = there["status"] if there else None
    changes = (
        tuple(_differences({"brand": there["brand"]} | there["declared"], said))
        if there
        else (Change(Sign.ADD, f"{use_case or ''}  of {brand}".lstrip()),)
    )
    body = {name: value for name, value in said.items() if value is not None}
    body |= {"accept_fees": consent.fees, "force": consent.force}
    put = Step(Section.CAMPAIGN, changes, "PUT", path, body)
    is_mock = wanted.brand is not None and wanted.brand.mock
    fees = () if is_mock or status not in _NOT_HANDED_IN else campaign_fees(use_case)
    _registration(put, there, fees, consent, made)
    if changes:
        _judge(wanted, live, consent, made)
    if changes and status not in {*_NOT_HANDED_IN, "FAILED"}:
        words = f"differs, but it is {status}: what was handed in is changed only after it failed"
        made.problems.append(Problem(wanted.text.line_of(("campaign",)), "campaign", words))


def _registration(
    put: Step, there: Json | None, fees: Sequence[Fee], consent: Consent, made: Plan
) -> None:
    """Declare what is new or differs; of what is as the file has it, say what comes next and accept its fees."""
    due = () if there and there["fees_accepted_at"] else fees
    if put.changes:
        made.steps.append(put)
    else:
        made.notes += [Note(put.section, text) for text in standing(there or {})]
        if due and consent.fees:
            change = Change(Sign.CHANGE, "its fees are accepted")
            path, body = f"{put.path}/advance", {"accept_fees": True}
            made.steps.append(Step(put.section, (change,), "POST", path, body))
    made.notes += _due(put.section, due, consent)


def _judge(wanted: Wanted, live: Live, consent: Consent, made: Plan) -> None:
    """Say what reviewers would find. What they would reject stands in the way, unless it is forced."""
    for each in (live.preflight or {})["findings"]:
        text = f"{each['message']}. {each['fix']} ({each['rule']})"
        if each["severity"] == "reject" and not consent.force:
            parts = each["field"].split(".")
            place = ("campaign", *(int(part) if part.isdecimal() else part for part in parts))
            line = wanted.text.line_of(place)
            made.problems.append(Problem(line, f"campaign.{each['field']}", text))
        else:
            made.notes.append(Note(Section.CAMPAIGN, f"{each['field']}: {text}"))


def standing(shown: Json) -> Iterator[str]:
    """Say which step of a registration is next, who acts, what is missing and why it was rejected."""
    coming = next((each for each in shown["steps"] if each["state"] != "done"), None)
    if coming is None:
        yield "registered"
        return
    yield f"{coming['name']}: {coming['state']}, up to {coming['actor']}. {coming['next']}"
    if coming["missing"]:
        yield f"missing: {', '.join(coming['missing'])}"
    for each in coming["problems"]:
        yield f"{each['code']} {each['title']}: {each['change']}"


def _due(section: Section, fees: Iterable[Fee], consent: Consent) -> Iterator[Note]:
    """Name fees before they are due."""
    amounts = ", ".join(
        f"{each.name} {each.micros / 1_000_000:.2f} USD{'' if each.period == 'once' else ' a month'}"
        for each in fees
    )
    if amounts:
        agreed = "accepted" if consent.fees else "not accepted: it stops before them"
        yield Note(section, f"fees, about: {amounts} ({agreed})")


# ------------------------------------------------------------------------------------------------ words


# what a plan does not show, as it is read in logs
_PERSONAL: Final = (
    "email",
    "brand_contact_email",
    "representatives",
    "proprietor",
    "address",
    "registration_number",
)
# comes from the declaration of the brand
_OF_BRAND: Final = {"brand", "brand_registration_sid", "brand_name", "brand_website", "brand_type"}
# Twilio's statuses of a campaign that it does not have
_NOT_HANDED_IN: Final = {None, DELETED}
_LONGEST: Final = 60
_SIGNED_IN: Final = re.compile(r"(?<=://)[^\s/?#@]+(?=@)")
_QUERY: Final = re.compile(r"(://[^\s?#]*\?)\S+")


def _differences(before: Json, after: Json, *, hidden: Sequence[str] = ()) -> Iterator[Change]:
    """Tell what differs, by dotted names; nothing said and an empty list are the same."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for name in new | old:
        if name.split(".")[0] in _OF_BRAND - {"brand"} or old.get(name) == new.get(name):
            continue
        if set(name.split(".")) & set(hidden):
            yield Change(Sign.CHANGE, f"{name}  (not shown)")
        else:
            yield Change(Sign.CHANGE, f"{name}  {_word(old.get(name))} -> {_word(new.get(name))}")


def _flat(said: object, path: str = "") -> Iterator[tuple[str, object]]:
    children: Iterable[tuple[object, object]]
    match said:
        case Mapping():
            children = said.items()
        case list():
            children = enumerate(said)
        case None:
            return
        case _:
            yield path, said
            return
    for name, value in children:
        yield from _flat(value, f"{path}.{name}" if path else str(name))


def _word(value: object) -> str:
    """Write a value as the file does, shortened, and without what of a URL may be a secret."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = _QUERY.sub(r"\1…", _SIGNED_IN.sub("…", str(value)))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _sender(shown: Json) -> Sender:
    return Sender(
        sid=shown["sid"],
        kind=SenderKind(shown["kind"]),
        address=shown["address"],
        country=shown["country"],
    )


def _unordered(senders: Iterable[Json]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in senders)
