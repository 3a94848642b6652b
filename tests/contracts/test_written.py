"""docs/ says what the code says."""

from __future__ import annotations

from local.contracts.__main__ import stale


def test_no_contract_is_stale() -> None:
    assert stale() == [], "run python -m local.contracts"
