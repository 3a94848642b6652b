"""What the functions that take in texts build."""

from __future__ import annotations

from sendpool.edge import warm
from sendpool.edge.answers import answer_book
from sendpool.edge.people import opting_out
from sendpool.workflows.receive import Receiving


def receiving() -> Receiving:
    return Receiving(
        inbound=warm.inbound_messages(),
        messages=warm.messages(),
        conversations=warm.conversations(),
        opting_out=opting_out(),
        book=answer_book,
        likely_stop=warm.settings().likely_stop,
    )
