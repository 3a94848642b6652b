"""Which ports the local stack listens on: chosen ones, else the usual ones, else any that is free."""

import os
import socket

from local.stack.failure import StackError

HOST = "127.0.0.1"


def choose(variable: str, *, usual: int) -> int:
    """The port that `variable` names (it must be free), else `usual`, else any free one."""
    chosen = os.environ.get(variable)
    if chosen is None:
        return usual if is_free(usual) else any_free()
    if not chosen.isdigit() or not int(chosen) < 1 << 16:
        raise StackError(f"{variable} must be a port number, not {chosen!r}")
    if int(chosen) and not is_free(int(chosen)):
        raise StackError(f"port {chosen} ({variable}) is taken by another program")
    return int(chosen) or any_free()


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port that the system just had to spare."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
