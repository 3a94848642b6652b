"""Which way the arrows point: functions to edge to workflows to domain; adapters at the side; nothing back."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "sendpool"
PACKAGE = LAYER / "sendpool"
FUNCTIONS = ROOT / "functions"
SIMULATOR = ROOT / "local" / "twilio"

# what each floor must not know
FORBIDDEN = {
    "domain": {
        "sendpool.adapters",
        "sendpool.workflows",
        "sendpool.edge",
        "boto3",
        "botocore",
        "twilio",
        "aws_lambda_powertools",
        "pydantic",
        "urllib3",
        "os",
        "time",
    },
    "adapters": {"sendpool.workflows", "sendpool.edge"},
    "workflows": {"sendpool.edge", "boto3", "botocore", "twilio", "aws_lambda_powertools", "os"},
    "edge": {"boto3", "botocore", "functions"},
}
# the SDK costs a cold start a third of a second: only who sends, or answers with TwiML, may load it
MAY_IMPORT_TWILIO = {
    "layers/sendpool/sendpool/adapters/twilio",
    "layers/sendpool/sendpool/edge/outbound.py",
    "functions/inbound/app.py",
}
CLOCKS = {"now", "today", "utcnow", "fromtimestamp", "monotonic", "perf_counter"}


def _sources(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (
            path
            for path in sorted(folder.rglob("*.py"))
            if "tests" not in path.relative_to(folder).parts
        )


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or anywhere else; of `from a import b` both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found |= {module} | {f"{module}.{each.name}" for each in names}
            case ast.ImportFrom():
                raise AssertionError(f"{path}: a relative import")
    return found


def _within(module: str, packages: set[str]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in packages)


def _importing(packages: set[str], *folders: Path) -> set[str]:
    """The files below these folders that import any of these packages."""
    return {
        str(path.relative_to(ROOT))
        for path in _sources(*folders)
        if any(_within(module, packages) for module in _imports(path))
    }


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_a_floor_knows_nothing_of_those_above_it(floor: str) -> None:
    assert _importing(FORBIDDEN[floor], PACKAGE / floor) == set()


def test_every_module_stands_on_a_floor() -> None:
    assert {path.parent for path in PACKAGE.glob("*/__init__.py")} == {
        PACKAGE / floor for floor in FORBIDDEN
    }
    assert [path.name for path in PACKAGE.glob("*.py")] == ["__init__.py"]


def test_the_domain_has_no_clock() -> None:
    reading = {
        f"{path.name}:{node.lineno}"
        for path in _sources(PACKAGE / "domain")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    }
    assert reading == set()


def test_only_who_sends_or_answers_twilio_imports_its_sdk() -> None:
    importing = _importing({"twilio"}, PACKAGE, FUNCTIONS)
    assert importing
    assert not [path for path in importing if not path.startswith(tuple(MAY_IMPORT_TWILIO))]


def test_only_adapters_import_boto3() -> None:
    importing = _importing({"boto3", "botocore"}, PACKAGE, FUNCTIONS)
    assert importing
    assert {path for path in importing if "/adapters/" not in path} == set()


def test_what_is_deployed_imports_neither_tests_nor_the_laptop() -> None:
    assert _importing({"tests", "local", "functions"}, LAYER, FUNCTIONS) == set()


def test_functions_do_not_import_each_other_and_are_one_file_each() -> None:
    folders = [path for path in FUNCTIONS.iterdir() if path.is_dir() and path.name != "__pycache__"]
    for folder in folders:
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert [path.name for path in files if path.suffix != ".pyc"] == ["app.py"]


def test_the_simulated_twilio_shares_no_code_with_us() -> None:
    # it would agree with our mistakes
    tests = SIMULATOR / "tests"
    assert _importing({"sendpool"}, SIMULATOR, tests) == set()


def test_every_file_says_what_it_is_for() -> None:
    files = _sources(PACKAGE, FUNCTIONS, ROOT / "local")
    assert not [path for path in files if not ast.get_docstring(ast.parse(path.read_text()))]


def test_nobody_catches_everything_but_who_has_others_waiting() -> None:
    catching = [
        path.name
        for path in _sources(PACKAGE, FUNCTIONS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    # whatever happened, the sweeper has other duties, and CloudFormation waits for an answer
    assert catching == ["duties.py", "provisioning.py"]


# Twilio waits for these: they load nothing that they do not need to take in what it says
WEBHOOKS = ("status", "inbound", "fallback", "clicks")
NOT_FOR_WEBHOOKS = {
    "pydantic",
    "twilio.rest",
    "sendpool.adapters.events",
    "sendpool.adapters.ledger.a2p",
    "sendpool.adapters.ledger.toll_free",
    "sendpool.adapters.twilio.services",
    "sendpool.domain.a2p",
    "sendpool.domain.events",
    "sendpool.domain.preflight",
    "sendpool.domain.senders",
    "sendpool.domain.toll_free",
    "sendpool.edge.duties",
    "sendpool.edge.routes",
    "sendpool.edge.seldom",
    "sendpool.edge.serving",
    "sendpool.workflows.registering",
    "sendpool.workflows.service",
}


@pytest.mark.parametrize("function", WEBHOOKS)
def test_webhooks_load_no_registration_toll_free_preflight_service_or_events(function: str) -> None:
    loaded = _loaded(function)
    assert "sendpool.edge.webhooks" in loaded
    assert {each for each in loaded if _within(each, NOT_FOR_WEBHOOKS)} == set()


def test_what_webhooks_must_not_load_is_there_and_loaded_by_others() -> None:
    # or a name that is wrong or old would forbid nothing
    others = _loaded("compliance") | _loaded("sweeper") | _loaded("service")
    assert others >= NOT_FOR_WEBHOOKS


def _loaded(function: str) -> set[str]:
    """Every module that a function has loaded when it is ready, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, app; print(*sys.modules)"],
        env={"PYTHONPATH": str(FUNCTIONS / function), "AWS_DEFAULT_REGION": "us-east-1"},
        cwd=LAYER,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


IMPORTS_EVERYTHING = """
import importlib, os, pkgutil, socket, sys
import boto3, botocore.session

read, built = [], []
environ = type(os.environ)

def remember(original):
    def reading(self, key, *default):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in {"os", "collections.abc", "_collections_abc"}:
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith("sendpool"):
            read.append(key)
        return original(self, key, *default)
    return reading

environ.__getitem__ = remember(environ.__getitem__)
environ.get = remember(environ.get)
boto3.client = boto3.resource = lambda *args, **more: built.append(args)
botocore.session.Session.create_client = lambda *args, **more: built.append(args)

class NoSocket(socket.socket):
    def connect(self, address):
        raise AssertionError(f"connects to {address}")

socket.socket = NoSocket

import sendpool
names = [each.name for each in pkgutil.walk_packages(sendpool.__path__, "sendpool.")]
for name in names:
    importlib.import_module(name)
assert len(names) > 30, names
assert not read, f"reads {read}"
assert not built, f"builds {built}"
"""


def test_importing_the_layer_reads_no_environment_and_builds_no_client() -> None:
    done = subprocess.run(  # noqa: S603 - this interpreter, the text above
        [sys.executable, "-W", "error", "-c", IMPORTS_EVERYTHING],
        env={},
        cwd=LAYER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
