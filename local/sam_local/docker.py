"""Docker: the daemon that is there, or one of our own for as long as the run takes; and a network for the run.

As root on Debian, what is missing is installed. Elsewhere Docker has to be there.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.stack.failure import StackError
from local.stack.processes import Program

DAEMON = Program("sam-local-dockerd")
PACKAGES = ("docker.io", "containerd", "runc", "iptables")
NETWORK = "sendpool-sam-local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Where programs of this machine listen for containers, and the name by which containers reach them."""

    address: str
    host: str


def docker(*arguments: str) -> str:
    """Run the client and return what it prints; StackError with its complaint when it fails."""
    try:
        done = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, check=False, timeout=120
        )
    except FileNotFoundError:
        raise StackError("there is no docker here") from None
    except subprocess.TimeoutExpired:
        raise StackError(f"`docker {arguments[0]}` did not answer in time") from None
    if done.returncode:
        raise StackError(f"`docker {arguments[0]}` failed: {done.stderr.strip()}")
    return done.stdout.strip()


def is_answering() -> bool:
    """Tell whether a client and a daemon are there and understand each other."""
    try:
        docker("version")
    except StackError:
        return False
    return True


@contextmanager
def daemon() -> Iterator[None]:
    """Have a daemon; one that was started for this ends with it."""
    try:
        if not is_answering():
            _start()
        yield
    finally:
        if DAEMON.stop():
            print("stopped dockerd")


def _start() -> None:
    if "DOCKER_HOST" in os.environ:
        raise StackError(f"no Docker answers at {os.environ['DOCKER_HOST']} (DOCKER_HOST)")
    require("dockerd", PACKAGES)
    if is_answering():  # installing it has started it
        return
    if os.geteuid() != 0:
        raise StackError("Docker does not answer; start it, or run this as root")
    print("starting dockerd for this run …", flush=True)
    # the fallback, vfs, copies the whole image for every container; the proxy takes connections for containers
    # that do not listen yet, which SAM then believes ready
    command = ["dockerd", "--storage-driver=overlay2", "--userland-proxy=false"]
    DAEMON.start(command, env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root")})
    DAEMON.wait_until(is_answering)


def require(program: str, packages: tuple[str, ...]) -> None:
    """Have a program, from Debian's packages where it is missing and we may install."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StackError(
            f"{program} is missing, and only root on Debian can have it installed here"
        )
    print(f"installing {' '.join(packages)} …", flush=True)
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode:
            raise StackError(f"`apt-get {arguments[0]}` failed:\n{done.stderr[-2000:]}")


@contextmanager
def network() -> Iterator[Bridge]:
    """Have a network of our own: whatever container is in it is ours to remove."""
    _remove_network()
    docker("network", "create", NETWORK)
    try:
        yield _bridge()
    finally:
        _remove_network()


def _bridge() -> Bridge:
    (described,) = json.loads(docker("network", "inspect", NETWORK))
    gateway = described["IPAM"]["Config"][0]["Gateway"].partition("/")[0]
    with socket.socket() as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            # Docker runs in a virtual machine, which forwards this name to our loopback
            return Bridge(address="127.0.0.1", host="host.docker.internal")
    return Bridge(address=gateway, host=gateway)


def _remove_network() -> None:
    if not docker("network", "ls", "--quiet", "--filter", f"name=^{NETWORK}$"):
        return
    left = docker("ps", "--all", "--quiet", "--filter", f"network={NETWORK}").split()
    if left:
        docker("rm", "--force", *left)
    docker("network", "rm", NETWORK)
