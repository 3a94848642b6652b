"""What a team's file declares of a Messaging Service, in the ledger: one item, replaced as a whole."""

from __future__ import annotations

from sendpool.adapters.ledger import keys
from sendpool.adapters.ledger.plain import dumps, loads
from sendpool.adapters.ledger.table import Table
from sendpool.domain.declaration import Declaration


class Declarations:
    """Reads and replaces what is declared."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, service_sid: str) -> Declaration:
        """Return what is declared of a service; an empty declaration before anybody said something."""
        item = self._table.get(keys.declaration(service_sid))
        return loads(Declaration, item["declaration"]) if item else Declaration()

    def put(self, service_sid: str, declaration: Declaration) -> None:
        key = keys.declaration(service_sid)
        self._table.put_many([{**key._asdict(), "declaration": dumps(declaration)}])
