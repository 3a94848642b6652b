"""One at a time: two commands in the same checkout must not build, start or stop side by side."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack.places import LOCAL


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until nobody else in this checkout holds the lock of this name, and hold it."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
