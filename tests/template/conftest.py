"""The template in both forms, read once."""

from __future__ import annotations

import pytest

from tests.template.stack import Stack, as_deployed, as_written


@pytest.fixture(scope="session")
def written() -> Stack:
    return as_written()


@pytest.fixture(scope="session")
def stack() -> Stack:
    return as_deployed()
