"""A deployment provides its Messaging Service: found or made, set as the stack declares, with the senders it names.

Every step looks first and changes only what is otherwise, so a request that comes again, or goes on after a process
that died, does what is left. Making a service is the one call that may not be repeated: it is looked for by its name
first, and then every switch is said.

A rollback is an update back to what was declared before; nothing here knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sendpool.adapters.twilio.numbers import Numbers
from sendpool.adapters.twilio.services import Services, UnknownSenderError
from sendpool.domain.errors import (
    ConflictError,
    InvalidRequestError,
    OutOfTimeError,
    TwilioRefusedError,
    Violation,
)
from sendpool.domain.messaging_service import (
    Changes,
    MessagingService,
    ServiceSettings,
    changed,
    differences,
)
from sendpool.domain.senders import NewSender, Sender, is_sender_sid

_NO_SERVICE: Final = 21701
_SERVICE_SID: Final = re.compile("MG[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The service that a stack asks for: by SID, or without one by name; its settings and senders.

    Senders are SIDs, E.164 numbers or short codes. `goes_with_stack`: it is deleted with it.
    """

    account_sid: str
    service_sid: str | None
    name: str
    settings: Changes
    senders: Sequence[str]
    goes_with_stack: bool

    @property
    def which(self) -> tuple[str | None, ...]:
        """What tells one service from another; all else may change about the same one."""
        return (self.account_sid, self.service_sid, None if self.service_sid else self.name)

    @property
    def settings_and_name(self) -> Changes:
        """A service that is asked for by SID keeps the name it has."""
        return self.settings if self.service_sid else {**self.settings, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    services: Services
    numbers: Numbers
    may_go_on: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retiring:
    """What giving a service up needs; most need none of it."""

    services: Callable[[], Services]
    is_stack_there: Callable[[], bool]


def is_service_sid(text: str | None) -> bool:
    return bool(text and _SERVICE_SID.fullmatch(text))


# ------------------------------------------------------------------------------------------------ what is asked


def provide(
    wanted: Declaration,
    needs: Provisioning,
    *,
    before: Declaration | None = None,
    kept: str | None = None,
) -> str:
    """Have the service as it is wanted, and return its SID.

    `kept` is the SID of the service that the stack has, `before` what it declared of that. Raises SendpoolError.
    """
    has = kept if before and before.account_sid == wanted.account_sid else None
    found = _found(wanted, needs, before=before, kept=has)
    service = _settled(found or _made(wanted, needs), wanted, needs)
    # senders of a service that is left behind stay in it
    named_before = before.senders if before and service.sid == has else ()
    if wanted.senders or named_before:
        _fill(service.sid, wanted.senders, needs, named_before=named_before)
    return service.sid


def retire(service_sid: str, was: Declaration, needs: Retiring) -> bool:
    """Delete a service that goes with its stack; tells whether it did.

    One that was asked for by its SID is somebody else's, and stays. So does one that the stack exchanged for another,
    or leaves to somebody: the stack is still there, and texts may be on their way. One whose A2P campaign is approved
    stays as well: it may have been there before the stack, and a new campaign takes weeks and a fee.
    """
    if not was.goes_with_stack or was.service_sid or needs.is_stack_there():
        return False
    services = needs.services()
    try:
        is_registered = services.read(service_sid).is_registered
    except TwilioRefusedError as error:
        if error.twilio_code == _NO_SERVICE:
            return False
        raise
    if is_registered:
        return False
    services.delete(service_sid)
    return True


# ------------------------------------------------------------------------------------------------ the service


def _found(
    wanted: Declaration, needs: Provisioning, *, before: Declaration | None, kept: str | None
) -> MessagingService | None:
    if wanted.service_sid:
        return _services(needs).read(wanted.service_sid)
    own = _there(kept, needs)
    if own and before and before.which == wanted.which:
        return own
    # the name may say another one, and says which one it was before
    named = _services(needs).named(wanted.name)
    candidates = [each for each in named if each.sid == kept] or named
    if len(candidates) > 1:
        sids = ", ".join(each.sid for each in candidates)
        raise ConflictError(
            f"Several Messaging Services have the name {wanted.name!r}: {sids}.",
            code="several_services",
            remedy="Say which with the parameter MessagingServiceSid, or another ServiceName.",
        )
    return candidates[0] if candidates else own


def _there(service_sid: str | None, needs: Provisioning) -> MessagingService | None:
    """Read the service that the stack has; None if somebody deleted it."""
    if service_sid is None:
        return None
    try:
        return _services(needs).read(service_sid)
    except TwilioRefusedError as error:
        if error.twilio_code == _NO_SERVICE:
            return None
        raise


def _made(wanted: Declaration, needs: Provisioning) -> MessagingService:
    return _services(needs).create(changed(ServiceSettings(name=wanted.name), wanted.settings))


def _settled(
    service: MessagingService, wanted: Declaration, needs: Provisioning
) -> MessagingService:
    found = differences(wanted.settings_and_name, service.settings)
    if not found:
        return service
    return _services(needs).update(service.sid, {each.setting: each.declared for each in found})


# ------------------------------------------------------------------------------------------------ its senders


def _fill(
    service_sid: str, wanted: Sequence[str], needs: Provisioning, *, named_before: Sequence[str]
) -> None:
    """Add the senders that are not there; take out those that only the declaration before named, and no others."""
    pool = _services(needs).senders(service_sid)
    stay = {
        sender: there.sid if (there := _in_pool(sender, pool)) else _add(sender, service_sid, needs)
        for sender in wanted
    }
    for sender in named_before:
        there = _in_pool(sender, pool)
        if there and there.sid not in stay.values():
            _services(needs).remove(service_sid, there.sid)


def _in_pool(sender: str, pool: Iterable[Sender]) -> Sender | None:
    return next((each for each in pool if sender in {each.sid, each.address}), None)


def _add(sender: str, service_sid: str, needs: Provisioning) -> str:
    sid = _sid_of(sender, needs)
    try:
        added, _ = _services(needs).add(service_sid, NewSender(sid=sid), may_go_on=needs.may_go_on)
    except UnknownSenderError as error:
        raise _unknown(sender) from error
    except TwilioRefusedError as error:
        raise TwilioRefusedError(error.twilio_code, detail=f"{sender}: {error.detail}") from error
    return added.sid


def _sid_of(sender: str, needs: Provisioning) -> str:
    if is_sender_sid(sender):
        return sender
    _check_time(needs)
    sid = needs.numbers.sid_of(sender)
    if sid is None:
        raise _unknown(sender)
    return sid


def _unknown(sender: str) -> InvalidRequestError:
    words = f"{sender} is no number or short code of this account"
    return InvalidRequestError(Violation("Senders", "unknown_sender", words))


def _services(needs: Provisioning) -> Services:
    """Return what the next call is made with, if that ends in time."""
    _check_time(needs)
    return needs.services


def _check_time(needs: Provisioning) -> None:
    if not needs.may_go_on():
        raise OutOfTimeError
