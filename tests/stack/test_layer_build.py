"""The layer as `sam build` makes it (docs/adr/0001-layer-build.md)."""

from __future__ import annotations

import marshal
import subprocess
from pathlib import Path

import pytest

from local.stack import build
from local.stack.places import BUILD, PROJECT

PYC_HEADER_BYTES = 16


@pytest.fixture(scope="module")
def layer() -> Path:
    """What `sam build` made."""
    build.ensure()
    return BUILD / "SendpoolLayer" / "python"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_another_build_is_byte_for_byte_the_same(layer: Path, tmp_path: Path) -> None:
    # WHEN the layer is built again, at another place and with other file modes
    subprocess.run(  # noqa: S603
        ["make", "--silent", "build-SendpoolLayer", f"ARTIFACTS_DIR={tmp_path}"],  # noqa: S607
        cwd=PROJECT / "layers" / "sendpool",
        env=build.build_environment(),
        umask=0o027,
        check=True,
        capture_output=True,
    )
    # THEN nothing differs
    assert contents(tmp_path / "python") == contents(layer)


def test_the_layer_holds_neither_what_the_runtime_brings_nor_what_nobody_uses(layer: Path) -> None:
    names = {path.name for path in layer.iterdir()}
    assert {"sendpool", "twilio", "aws_lambda_powertools"} <= names
    assert not {"boto3", "botocore", "aiohttp", "multidict", "yarl"} & names


def test_modules_are_compiled_for_where_they_will_lie(layer: Path) -> None:
    compiled = (layer / "sendpool/edge/__pycache__/warm.cpython-313.pyc").read_bytes()
    assert compiled[4:8] == b"\x01\0\0\0", "bytecode that is never checked against its source"
    code = marshal.loads(compiled[PYC_HEADER_BYTES:])  # noqa: S302
    assert code.co_filename == "/opt/python/sendpool/edge/warm.py"
