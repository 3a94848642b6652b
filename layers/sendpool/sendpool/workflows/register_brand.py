"""Register a brand: profile, A2P profile, brand, and its vetting or its owner's YES; as far as it goes now.

Each call goes on where the last one ended. What Twilio reviews is looked at again by the sweeper, which goes on by
itself with what was consented to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal, NoReturn

from sendpool.domain.a2p.application import (
    POLICIES,
    BrandApplication,
    BrandKind,
    Part,
    Which,
    digest_of,
    missing,
    parts_of,
)
from sendpool.domain.a2p.record import (
    DELETED,
    Brand,
    BrandRecord,
    Bundle,
    HandedIn,
    Made,
    Vetting,
)
from sendpool.domain.errors import (
    ConflictError,
    InProgressError,
    InvalidRequestError,
    NotFoundError,
    Violation,
)
from sendpool.workflows.registering import NotNowError, Registering, Work, again, go_on

_BRAND: Final = "brand"
_VETTING_BEGINS_WITHIN: Final = timedelta(days=1)
# of an address, at Twilio
_LONGEST_NAME: Final = 64


# ------------------------------------------------------------------------------------------------ stories


def declare(
    name: str, application: BrandApplication, needs: Registering, *, accept_fees: bool
) -> BrandRecord:
    """Keep what is declared of a brand, and go on with its registration.

    Raises ConflictError when something else is declared than is under review or registered.
    """
    known = needs.records.brand(name)
    record = known or BrandRecord(name=name, application=application, created_at=needs.now())
    if known and known.application != application:
        _check_open(known, application)
        # another kind has another fee
        is_same = known.application.fee_kind == application.fee_kind
        accepted_at = known.fees_accepted_at if is_same else None
        record = replace(known, application=application, lacks={}, fees_accepted_at=accepted_at)
    return go_on(record, needs, _steps, accept_fees=accept_fees)


def advance(
    name: str, needs: Registering, *, accept_fees: bool = False, resubmit: bool = False
) -> BrandRecord:
    """Go on with a registration; `resubmit` hands in again what was rejected, as it is."""
    steps = partial(_steps, resubmit=resubmit)
    return go_on(find(name, needs), needs, steps, accept_fees=accept_fees)


def find(name: str, needs: Registering) -> BrandRecord:
    """Return what is kept of a brand; raises NotFoundError."""
    record = needs.records.brand(name)
    if record is None:
        raise NotFoundError(f"There is no brand {name}.")
    return record


def send_otp(name: str, needs: Registering) -> BrandRecord:
    """Send the SMS to a sole proprietor again; raises ConflictError unless an answer is awaited."""
    record = advance(name, needs)
    if record.brand is None or not record.brand.awaits_owner:
        raise ConflictError(
            "No answer of the owner is awaited.",
            code="no_confirmation_awaited",
            remedy=f"GET /compliance/brands/{name} shows what comes next.",
        )
    needs.a2p.send_otp(record.brand.sid)
    return record


def vet(
    name: str,
    provider: Literal["aegis", "campaign-verify"],
    vetting_id: str | None,
    needs: Registering,
) -> BrandRecord:
    """Have a brand vetted, or import a token; one that is under way or succeeded is not begun again."""
    record = advance(name, needs)
    brand = record.brand
    if brand is None or not brand.is_approved:
        raise ConflictError(
            "The brand is not approved.",
            code="brand_not_approved",
            remedy=f"GET /compliance/brands/{name} shows what comes next.",
        )
    if provider == "aegis":
        _check_scorable(record, brand, needs.now())

    def begin(work: Work[BrandRecord]) -> None:
        work.step = "vetting"
        there = needs.a2p.vettings(brand.sid)
        # each token is imported once; a score is a score
        wanted = (provider, None if provider == "aegis" else vetting_id)
        if wanted not in {_vetted_by(each) for each in there if each.status != "FAILED"}:
            there += (needs.a2p.vet(brand.sid, provider, vetting_id),)
        work.keep(replace(work.record, vettings=there))

    return go_on(record, needs, begin)


def _check_scorable(record: BrandRecord, brand: Brand, now: datetime) -> None:
    """Refuse a vetting that there is not, or that is paid for and about to begin by itself."""
    if record.application.is_sole_proprietor:
        raise ConflictError(
            "Brands of sole proprietors are not vetted.",
            code="not_vetted",
            remedy=f"GET /compliance/brands/{record.name} shows what comes next.",
        )
    is_standard = record.application.kind is BrandKind.STANDARD
    is_new = brand.updated_at is not None and now < brand.updated_at + _VETTING_BEGINS_WITHIN
    if is_standard and is_new and not record.vettings:
        raise ConflictError(
            "Twilio begins the vetting of a standard brand by itself, and it is paid with the brand.",
            code="vetting_begins_by_itself",
            remedy="Wait; when it has not begun within a day, ask again.",
        )


def _vetted_by(vetting: Vetting) -> tuple[str, str | None]:
    return vetting.provider, None if vetting.provider == "aegis" else vetting.vetting_id


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A brand that is kept no more; `left` are SIDs of what stays at Twilio."""

    name: str
    left: tuple[str, ...]


def forget(name: str, needs: Registering) -> Forgotten:
    """Forget a brand, and delete at Twilio what no API but the Console's keeps: all before the brand itself.

    Raises ConflictError while campaigns need it, or while it is under review.
    """
    record = find(name, needs)
    _check_unused(record, needs)
    left: list[str] | None = None

    def delete(work: Work[BrandRecord]) -> None:
        nonlocal left
        # whoever registered it may not have come to write that down
        known = record.brand if record.brand and not record.brand.is_gone else None
        brand = known or _registered(record, needs)
        if brand:
            work.keep(replace(work.record, brand=brand))
        else:
            for each in _deleting(record, needs):
                work.check_time()
                each()
        left = list(_left(work.record))

    after = go_on(record, needs, delete)
    if left is None:
        raise InProgressError("There was no time to delete all of it.")
    needs.records.delete(after)
    return Forgotten(name, tuple(left))


# ------------------------------------------------------------------------------------------------ going on


def _steps(work: Work[BrandRecord], *, resubmit: bool = False) -> None:
    for which in Which:
        work.step = which.value
        if not _approved(work, which, resubmit=resubmit):
            return
    work.step = _BRAND
    _register(work, resubmit=resubmit)


def _approved(work: Work[BrandRecord], which: Which, *, resubmit: bool) -> bool:
    """Bring a bundle as far as it goes; tell whether it is approved."""
    application = work.record.application
    given = application.customer_profile_sid if which is Which.PROFILE else None
    if given:
        bundle = work.needs.hub.read(which, given)
        if bundle is None:
            words = "is no customer profile of this account, or no more"
            raise InvalidRequestError(Violation("customer_profile_sid", "unknown_profile", words))
        work.keep(work.record.with_bundle(which, bundle))
        return bundle.is_approved
    if missing(application, which):
        known = work.record.bundle(which)
        return known is not None and known.is_approved
    objects = list(_objects(work, which))
    if which is Which.PROFILE and work.record.has_no_primary:
        return False
    sid = _bundle_sid(work, which)
    bundle = _read(work, which, sid)
    if not bundle.is_open:
        _sure(work, which.value)
    if bundle.is_open and (
        not bundle.is_rejected or resubmit or work.record.is_changed(which.value)
    ):
        bundle = _handed_in(work, which, bundle, objects)
    work.keep(work.record.with_bundle(which, bundle))
    return bundle.is_approved


def _objects(work: Work[BrandRecord], which: Which) -> Iterator[str]:
    """Make and tell what a bundle is made of; yields the SIDs."""
    application = work.record.application
    for part in parts_of(application, which):
        yield _end_user(work, which, part)
    if which is Which.PRODUCT:
        yield str(work.record.profile.sid if work.record.profile else "")
        return
    yield _document(work, application)
    primary = work.needs.hub.primary() if "primary" not in work.record.made else None
    if primary:
        work.keep(work.record.with_made("primary", Made(sid=primary)))
    made = work.record.made.get("primary")
    work.keep(replace(work.record, has_no_primary=made is None))
    if made:
        yield made.sid


def _called(work: Work[BrandRecord], part: str) -> str:
    """Return the name by which something is found again at Twilio."""
    whose = f"{work.needs.stage} {work.record.name}"
    called = f"sendpool {whose} {part}"
    return called if len(called) <= _LONGEST_NAME else f"sendpool {digest_of(whose)} {part}"


def _end_user(work: Work[BrandRecord], which: Which, part: Part) -> str:
    hub = work.needs.hub
    return _told(
        work,
        which,
        part.name,
        part.digest,
        make=lambda: hub.end_user(part, called=_called(work, part.name)),
        tell=lambda sid: hub.tell_end_user(sid, part),
    )


def _document(work: Work[BrandRecord], application: BrandApplication) -> str:
    """An address is not changed: another one is made, and the document names it."""
    hub, address = work.needs.hub, application.address
    digest = digest_of([application.display_name, address])
    address_sid = _told(
        work,
        Which.PROFILE,
        f"address {digest}",
        digest,
        make=lambda: hub.address(
            address,
            customer_name=application.display_name or work.record.name,
            called=_called(work, f"address {digest}"),
        ),
        tell=lambda _sid: True,
    )
    return _told(
        work,
        Which.PROFILE,
        "document",
        digest,
        make=lambda: hub.document(address_sid, called=_called(work, "document")),
        tell=lambda sid: hub.tell_document(sid, address_sid),
    )


def _told(
    work: Work[BrandRecord],
    which: Which,
    part: str,
    digest: str,
    *,
    make: Callable[[], tuple[str, bool]],
    tell: Callable[[str], bool],
) -> str:
    """Make a part unless it is there, and tell Twilio what it says unless it knows; returns its SID.

    `tell` tells whether it is still there.
    """
    made = work.record.made.get(part)
    if made is None:
        work.check_time()
        sid, is_new = make()
        made = Made(sid=sid, digest=digest if is_new else "")
        work.keep(work.record.with_made(part, made))
    if made.digest != digest:
        work.check_time()
        if not tell(made.sid):
            _miss(work, which, made.sid)
        work.keep(work.record.with_made(part, Made(sid=made.sid, digest=digest)))
    return made.sid


def _miss(work: Work[BrandRecord], which: Which, sid: str) -> NoReturn:
    """Forget a part that somebody deleted, so that it is made anew soon: by then Twilio's lists do not show it.

    Raises ConflictError when its bundle takes no other.
    """
    made = work.record.made.get(which.value)
    bundle = work.needs.hub.read(which, made.sid) if made else None
    if bundle is not None and not bundle.is_open:
        raise ConflictError(
            f"Somebody deleted {sid} at Twilio, and {bundle.sid} is {bundle.status}: it takes no other.",
            code="part_missing",
            remedy="Leave that part of what is declared as it was; or declare the brand under another name, whose "
            "profile is reviewed anew and whose brand costs the fee again.",
        )
    work.keep(work.record.without_made(sid))
    raise NotNowError


def _bundle_sid(work: Work[BrandRecord], which: Which) -> str:
    application = work.record.application
    policy_sid = POLICIES[which, application.is_sole_proprietor]
    return _told(
        work,
        which,
        which.value,
        policy_sid,
        make=lambda: work.needs.hub.bundle(
            which,
            called=_called(work, which.value.replace("_", " ")),
            email=application.email or "",
            policy_sid=policy_sid,
            status_callback=f"{work.needs.callback_url}?b={work.record.name}",
        ),
        tell=lambda _sid: True,
    )


def _handed_in(work: Work[BrandRecord], which: Which, bundle: Bundle, objects: list[str]) -> Bundle:
    """Fill a bundle, have it evaluated, and hand it in if nothing is missing."""
    hub = work.needs.hub
    there = hub.assigned(which, bundle.sid)
    for object_sid in there.keys() - set(objects):
        hub.unassign(which, bundle.sid, there[object_sid])
    for object_sid in objects:
        if object_sid not in there:
            work.check_time()
            if not hub.assign(which, bundle.sid, object_sid):
                _miss(work, which, object_sid)
    policy_sid = POLICIES[which, work.record.application.is_sole_proprietor]
    lacks = hub.evaluate(which, bundle.sid, policy_sid)
    work.keep(replace(work.record, lacks={**work.record.lacks, which.value: lacks}))
    if lacks:
        return bundle
    application = work.record.application
    # whoever dies now has handed it in, whatever is declared next
    work.hand_in(
        HandedIn(digest=application.digest, is_sure=False),
        lambda record, handed_in: record.with_handed_in(which.value, handed_in),
        lambda: hub.submit(which, bundle.sid, email=application.email or ""),
    )
    _sure(work, which.value)
    return _read(work, which, bundle.sid)


def _read(work: Work[BrandRecord], which: Which, sid: str) -> Bundle:
    bundle = work.needs.hub.read(which, sid)
    if bundle is None:
        path = f"/compliance/brands/{work.record.name}"
        raise ConflictError(
            f"Somebody deleted {sid} at Twilio.",
            code="profile_missing",
            remedy=f"DELETE {path}, and declare it anew: what is still there is found again by its name.",
        )
    return bundle


def _sure(work: Work[BrandRecord], step: str) -> None:
    """Note that what was begun to be handed in has arrived."""
    last = work.record.handed_in.get(step)
    if last and not last.is_sure:
        work.keep(work.record.with_handed_in(step, replace(last, is_sure=True)))


def _register(work: Work[BrandRecord], *, resubmit: bool) -> None:
    record, a2p = work.record, work.needs.a2p
    if record.brand is None or record.brand.is_gone:
        brand = _first(work)
        if brand is None:
            return
    else:
        found = a2p.brand(record.brand.sid)
        if found is None:
            _note_deletion(work, record.brand)
            return
        brand = found
    # of what is half filled in Twilio was told nothing: no try is used up for that
    is_whole = not any(missing(record.application, which) for which in Which)
    if brand.is_failed and is_whole and (resubmit or work.record.is_changed(_BRAND)):
        brand = _resubmitted(work, brand)
    if is_whole or not brand.is_failed:
        _sure(work, _BRAND)
    work.keep(replace(work.record, brand=brand))
    if brand.is_approved and not record.application.is_sole_proprietor:
        work.step = "vetting"
        work.keep(replace(work.record, vettings=a2p.vettings(brand.sid)))


def _first(work: Work[BrandRecord]) -> Brand | None:
    """Register a brand if the fee is accepted, unless an attempt that could not be kept has done it."""
    record = work.record
    if record.fees_accepted_at is None and not record.application.mock:
        return None
    if record.profile is None or record.product is None:
        return None
    work.check_time()
    brand = _registered(record, work.needs) or work.needs.a2p.register(
        record.profile.sid,
        record.product.sid,
        kind=record.application.kind,
        is_mock=record.application.mock,
    )
    handed_in = HandedIn(digest=record.application.digest)
    work.keep(replace(record.with_handed_in(_BRAND, handed_in), brand=brand))
    return brand


def _registered(record: BrandRecord, needs: Registering) -> Brand | None:
    """Return the brand of these bundles, whoever registered it."""
    if record.profile is None or record.product is None:
        return None
    return needs.a2p.registered(record.profile.sid, record.product.sid)


def _note_deletion(work: Work[BrandRecord], brand: Brand) -> None:
    """Somebody had it deleted. It is registered anew once its fees are accepted anew."""
    gone = replace(brand, status=DELETED, problems=())
    handed_in = {step: each for step, each in work.record.handed_in.items() if step != _BRAND}
    work.keep(
        replace(work.record, brand=gone, vettings=(), handed_in=handed_in, fees_accepted_at=None)
    )


def _resubmitted(work: Work[BrandRecord], brand: Brand) -> Brand:
    """Hand a failed brand in again, once for each failure: few times are free."""
    last = work.record.handed_in.get(_BRAND)
    begun = again(last, work.record.application.digest, brand.updated_at)
    if begun is None:
        return brand
    return work.hand_in(
        begun,
        lambda record, handed_in: record.with_handed_in(_BRAND, handed_in),
        lambda: work.needs.a2p.resubmit_brand(brand.sid),
    )


# ------------------------------------------------------------------------------------------------ rules


def _check_open(known: BrandRecord, application: BrandApplication) -> None:
    because = known.closed_because
    if because:
        raise ConflictError(
            because,
            code="registration_closed",
            remedy="Wait for the outcome; what was registered is changed only after it failed.",
        )
    _check_representatives(known, application)
    is_other = known.application.kind is not application.kind
    is_begun = known.profile or known.product or known.made
    # a brand that was registered as a mock stays one
    is_there = known.brand is not None and not known.brand.is_gone
    is_mixed = is_there and known.application.mock is not application.mock
    if (is_other and is_begun) or is_mixed:
        mock = "mock " if known.application.mock else ""
        raise ConflictError(
            f"{known.name} is being registered as {mock}{known.application.kind}.",
            code="brand_kind_fixed",
            remedy=f"DELETE /compliance/brands/{known.name} first, or use another name.",
        )


def _check_representatives(known: BrandRecord, application: BrandApplication) -> None:
    """An approved profile takes nobody in and lets nobody go; what its people are called may be corrected."""
    is_given = known.application.customer_profile_sid or application.customer_profile_sid
    is_fixed = known.profile is not None and known.profile.is_approved and not is_given
    if is_fixed and len(known.application.representatives) != len(application.representatives):
        raise ConflictError(
            "The profile is approved: Twilio adds no representatives to it, and takes none out.",
            code="field_fixed",
            remedy="Leave as many as there were; or declare the brand under another name, whose profile is reviewed "
            "anew and whose brand costs the fee again.",
        )


def _check_unused(record: BrandRecord, needs: Registering) -> None:
    used = [
        each.id
        for each in needs.records.all()
        if not isinstance(each, BrandRecord) and each.brand == record.name
    ]
    if used:
        raise ConflictError(
            f"The campaign of {used[0]} needs this brand.",
            code="brand_in_use",
            remedy=f"DELETE /compliance/campaigns/{used[0]} first.",
        )
    because = record.closed_because
    if because and record.brand is None:
        raise ConflictError(
            because, code="registration_closed", remedy="Wait for the outcome of the review."
        )


def _deleting(record: BrandRecord, needs: Registering) -> Iterator[Callable[[], None]]:
    """Yield what deletes each part, those that hold others first."""
    made, hub = record.made, needs.hub
    for which in (Which.PRODUCT, Which.PROFILE):
        if which.value in made:
            yield lambda which=which: hub.delete_bundle(which, made[which.value].sid)  # type: ignore[misc]
    for each in made.values():
        if each.sid.startswith("IT"):
            yield lambda sid=each.sid: hub.delete_end_user(sid)  # type: ignore[misc]
        if each.sid.startswith("RD"):
            yield lambda sid=each.sid: hub.delete_document(sid)  # type: ignore[misc]


def _left(record: BrandRecord) -> Iterator[str]:
    if record.brand and not record.brand.is_gone:
        yield record.brand.sid
        yield from (each.sid for each in (record.profile, record.product) if each)
    yield from (each.sid for each in record.made.values() if each.sid.startswith("AD"))
