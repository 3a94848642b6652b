"""Connection overrides: a webhook URL may end in a fragment such as `#rc=3&rp=ct,rt,5xx&ct=2000&rt=5000`.

The fragment is neither sent nor signed.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

CONNECT_FAILED = "ct"
READ_FAILED = "rt"
EDGES = (
    *("ashburn", "dublin", "frankfurt", "sao-paulo"),
    *("singapore", "sydney", "tokyo", "umatilla"),
)
DEFAULT_EDGES = EDGES[:1]
FAILURES = frozenset({"4xx", "5xx", CONNECT_FAILED, READ_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Connection overrides of a URL; times in milliseconds.

    `edges` show in the tries only, and `sni` nowhere: everything leaves from this machine, mostly without TLS.
    """

    connect_ms: int = 5000
    read_ms: int = 15000
    total_ms: int = 15000
    retries: int = 1
    policy: frozenset[str] = frozenset({CONNECT_FAILED})
    edges: tuple[str, ...] = DEFAULT_EDGES
    sni: bool = True

    def wants_retry(self, outcome: str) -> bool:
        """The retry policy covers this outcome."""
        kind = f"{outcome[0]}xx" if outcome.isdecimal() else outcome
        return kind in FAILURES and bool(self.policy & {kind, "all"})

    def edge_of(self, earlier_tries: int) -> str:
        """The edge that the next try leaves from: they take turns."""
        return self.edges[earlier_tries % len(self.edges)]


def parse_overrides(fragment: str) -> Overrides:
    """Overrides of a fragment; values out of range are bounded, unreadable ones ignored."""
    given = {name: values[-1] for name, values in parse_qs(fragment).items()}
    edges = tuple(edge for edge in given.get("e", "").split(",") if edge in EDGES)
    return Overrides(
        connect_ms=_bounded(given.get("ct"), default=5000, low=100, high=10000),
        read_ms=_bounded(given.get("rt"), default=15000, low=100, high=15000),
        total_ms=_bounded(given.get("tt"), default=15000, low=100, high=15000),
        retries=_bounded(given.get("rc"), default=1, low=0, high=5),
        policy=frozenset(given.get("rp", CONNECT_FAILED).split(",")),
        edges=edges or DEFAULT_EDGES,
        sni=given.get("sni") != "n",
    )


def _bounded(text: str | None, *, default: int, low: int, high: int) -> int:
    if text is None or not text.isdecimal():
        return default
    return min(high, max(low, int(text)))
