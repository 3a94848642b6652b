"""The sender pool of a service, and since when each sender has been in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from local.twilio.account.senders import Sender, SenderKind

COUNTED = frozenset({SenderKind.LONG_CODE, SenderKind.TOLL_FREE, SenderKind.SHORT_CODE})


@dataclass(slots=True)
class Pool:
    """Senders in order of coming; only alphanumeric IDs may share an address, each for its own country."""

    _by_sid: dict[str, Sender] = field(default_factory=dict)
    _attached: dict[str, datetime] = field(default_factory=dict)
    _addresses: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Sender]:
        """All senders."""
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        """How many they are, of all kinds."""
        return len(self._by_sid)

    @property
    def counted_size(self) -> int:
        """Numbers and short codes, the senders that Twilio limits."""
        return sum(sender.kind in COUNTED for sender in self._by_sid.values())

    def add(self, sender: Sender, now: datetime) -> None:
        """Take a sender in that is not here yet."""
        self._by_sid[sender.sid] = sender
        self._attached[sender.sid] = now
        self._addresses[sender.address] += 1

    def remove(self, sender: Sender) -> None:
        """Let a sender go; KeyError if it is not here."""
        del self._by_sid[sender.sid]
        del self._attached[sender.sid]
        self._addresses[sender.address] -= 1

    def with_sid(self, sid: str) -> Sender | None:
        """The sender with that SID."""
        return self._by_sid.get(sid)

    def attached_at(self, sid: str) -> datetime | None:
        """When the sender came into the pool, None if it is not here."""
        return self._attached.get(sid)

    def owns(self, address: str) -> bool:
        """A sender here has that address."""
        return self._addresses[address] > 0
