"""Count a broadcast again from its messages, and mend its tallies and counters where they say something else.

It may run while the broadcast does. A tally is read before its messages, and replaced only if nobody moved it since:
what changes after we read is reported by the stream and counted as ever. The counters are compared with the sum of all
tallies when both stood still for a moment, and set on the condition that they still do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sendpool.adapters.ledger.broadcasts import Broadcasts, Tallies, VersionedTally
from sendpool.adapters.ledger.chunks import Chunks
from sendpool.adapters.ledger.table import TransactionLostError
from sendpool.domain.broadcast import Broadcast
from sendpool.domain.clicks import Clicks, Kind
from sendpool.domain.message import Delivery
from sendpool.domain.tally import Clicked, Reported, Standing, Tally, counts, moved, standing
from sendpool.workflows.roll_up import RollingUp, completes

_TALLIES_A_READ = 100


class StillMovingError(Exception):
    """The counters moved whenever they were compared; repeat when less is going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounting:
    """What a recount needs; `pause` waits a moment before counters are compared once more."""

    chunks: Chunks
    rolling: RollingUp
    pause: Callable[[], None]

    @property
    def tallies(self) -> Tallies:
        return self.rolling.tallies

    @property
    def broadcasts(self) -> Broadcasts:
        return self.rolling.broadcasts


@dataclass(frozen=True, slots=True)
class Recount:
    """What a recount changed: chunks whose tally was wrong, and counters with what they were and are."""

    chunks: int
    counters: dict[str, tuple[int, int]]


def recount(broadcast: Broadcast, needs: Recounting, *, counted: Callable[[int], None]) -> Recount:
    """Mend a broadcast's tallies and counters; `counted` hears after each chunk how many are done.

    Raises StillMovingError when the counters do not come to rest; the tallies are right then all the same.
    """
    mended = 0
    for number in range(broadcast.cursor.chunk):
        mended += _mend_tally(broadcast.id, number, needs)
        counted(number + 1)
    changed = _mend_counters(broadcast, needs)
    completes(broadcast.id, needs.rolling)
    return Recount(mended, changed)


def _mend_tally(broadcast_id: str, number: int, needs: Recounting) -> bool:
    for attempt in Retrying(
        retry=retry_if_exception_type(TransactionLostError),
        stop=stop_after_attempt(10),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    ):
        with attempt:
            [before] = needs.tallies.read([(broadcast_id, number)]).values()
            after = _from_messages(broadcast_id, number, needs)
            if after == before.tally:
                return False
            now = needs.rolling.now()
            needs.tallies.replace(broadcast_id, [(before, after)], now=now)
    return True


def _from_messages(broadcast_id: str, number: int, needs: Recounting) -> Tally:
    truth = needs.chunks.truth(broadcast_id, number)
    said: list[Reported] = [
        (n, standing(r.result.status, error_code=r.result.error_code, reason=r.result.reason))
        for n, r in truth.results.items()
    ]
    said += [(n, _heard(each)) for n, each in truth.deliveries.items()]
    said += [(n, _clicked(each)) for n, each in truth.clicks.items()]
    return moved(Tally(), said)


def _clicked(clicks: Clicks) -> Clicked:
    previews, scanners, human = map(clicks.count, (Kind.PREVIEW, Kind.SCANNER, Kind.HUMAN))
    return Clicked(clicks.version, previews, scanners, human, clicks.has_more)


def _heard(delivery: Delivery) -> Standing:
    return standing(
        delivery.status,
        error_code=delivery.error_code,
        reason=None,
        price=delivery.price,
        currency=delivery.currency,
    )


_LOOKS = 10


def _mend_counters(broadcast: Broadcast, needs: Recounting) -> dict[str, tuple[int, int]]:
    for _ in range(_LOOKS):
        before = needs.tallies.counters(broadcast.id).counts
        summed = _sum(_all_tallies(broadcast, needs))
        names = before.keys() | summed.keys()
        wrong = {
            name: (before.get(name, 0), summed[name])
            for name in names
            if before.get(name, 0) != summed[name]
        }
        if not wrong and needs.tallies.counters(broadcast.id).counts == before:
            return {}
        if wrong and needs.tallies.correct(
            broadcast.id, before=before, after=summed, now=needs.rolling.now()
        ):
            return wrong
        needs.pause()
    raise StillMovingError


def _all_tallies(broadcast: Broadcast, needs: Recounting) -> Iterable[VersionedTally]:
    everything = range(broadcast.cursor.chunk)
    for start in everything[::_TALLIES_A_READ]:
        some = everything[start : start + _TALLIES_A_READ]
        yield from needs.tallies.read((broadcast.id, number) for number in some).values()


def _sum(tallies: Iterable[VersionedTally]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for each in tallies:
        summed += counts(each.tally)
    return summed
