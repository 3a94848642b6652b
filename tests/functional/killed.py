"""The end of a process that gets no chance to do anything about it."""

from __future__ import annotations


class KilledError(BaseException):
    """What SIGKILL looks like from inside: nothing is caught, nothing is written."""
