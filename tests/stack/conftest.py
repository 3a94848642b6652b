"""Both emulators, started once for all tests of gaps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack.emulators import BARE, FILLED, Emulator, running


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Ministack as it comes."""
    with running(BARE, tmp_path_factory.mktemp("bare")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Ministack with its gaps filled."""
    with running(FILLED, tmp_path_factory.mktemp("filled")) as emulator:
        yield emulator
