"""The queues before each sender: so many hours deep, paced in segments a second.

A queue is not kept as a list: it is known by the moment when its last segment will have left, as all leave in order.
"""

from dataclasses import dataclass, field

from local.twilio.account.senders import Sender, SenderKind

HOME = frozenset({"US", "CA"})
LONG_CODE_RATE = 1.0  # US and Canada, outside A2P campaigns
ABROAD_RATE = 10.0
RATES = {SenderKind.TOLL_FREE: 3.0, SenderKind.SHORT_CODE: 100.0, SenderKind.ALPHA: 10.0}
CHANNEL_RATE = 80.0
SEGMENTS_OF_MMS = 3  # MMS leave more slowly than texts


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares one rate: a campaign's numbers together, every other sender by itself."""

    key: str
    rate: float  # segments a second


def lane_of(sender: Sender, *, service_sid: str | None, campaign_rate: float | None) -> Lane:
    """The lane of a sender; a US long code in an approved campaign goes at the campaign's rate."""
    if sender.kind is SenderKind.CHANNEL:
        return Lane(sender.address, CHANNEL_RATE)
    if sender.kind is not SenderKind.LONG_CODE:
        return Lane(sender.address, RATES[sender.kind])
    if sender.country in HOME and service_sid and campaign_rate:
        return Lane(service_sid, campaign_rate)
    return Lane(sender.address, LONG_CODE_RATE if sender.country in HOME else ABROAD_RATE)


@dataclass(slots=True)
class Queues:
    """When each lane will be free, in seconds of the clock."""

    _free_at: dict[str, float] = field(default_factory=dict)

    def wait(self, lane: Lane, *, now: float) -> float:
        """Seconds until the lane is free."""
        return max(0.0, self._free_at.get(lane.key, 0.0) - now)

    def is_full(self, lane: Lane, *, depth: float, now: float, scale: float) -> bool:
        """So many seconds of traffic at the lane's own rate already wait."""
        return scale > 0 and self.wait(lane, now=now) * scale >= depth

    def join(self, lane: Lane, *, units: int, now: float, scale: float) -> None:
        """Take the room of a message: the lane is busy for that long after all before it."""
        if scale > 0:
            self._free_at[lane.key] = now + self.wait(lane, now=now) + units / (lane.rate * scale)

    def clear(self) -> None:
        """Empty all queues."""
        self._free_at.clear()
