"""Gap: Python functions run under ministack's own worker script, on the emulator's interpreter.

That worker reports every error as `Runtime.HandlerError`, sees all packages of the emulator, and is slow. We run
functions as AWS does: under awslambdaric, which speaks the Runtime API that ministack offers to custom runtimes,
on an interpreter that has what the runtime has, with the layer unpacked once.

A laptop is no region: where AWS starts an environment for every invocation at the same time, here a function has
few of them, and an invocation waits for one. Unbounded, a burst of callbacks starts hundreds of interpreters.
"""

import functools
import io
import os
import threading
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import IO, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

CORES = os.cpu_count() or 1
ENVIRONMENTS = max(3, CORES)
"""How many invocations of one function run at a time."""

EMULATOR_ONLY = (
    "FUNCTION_LOGS",
    "GATEWAY_PORT",
    "BIND_HOST",
    "SFTP_ENABLED",
    "IOT_MTLS_ENABLED",
    "LOG_LEVEL",
    "AUTH",
)
BOOTSTRAP = """#!/bin/sh
export PYTHONPATH="{path}" PYTHONUNBUFFERED=1 LANG=en_US.UTF-8 TZ=:UTC
export AWS_EXECUTION_ENV=AWS_Lambda_{runtime} AWS_LAMBDA_INITIALIZATION_TYPE=on-demand
export AWS_LAMBDA_LOG_FORMAT={log_format}
unset {emulator_only}
exec {python} -m awslambdaric "$_HANDLER"
"""


def fill(*, python: Path, logs: Path) -> None:
    """Run functions with a Python runtime on `python`; their output also goes to files in `logs`."""
    worker_class = lambda_runtime._worker_class_for  # noqa: SLF001
    execute = lambda_svc._execute_function_warm  # noqa: SLF001
    environments: defaultdict[str, threading.Semaphore] = defaultdict(
        lambda: threading.Semaphore(ENVIRONMENTS)
    )

    def choose_class(config: dict[str, Any]) -> Any:
        if not is_python(config):
            return worker_class(config)
        return functools.partial(RuntimeClientWorker, python=python, logs=logs)

    def execute_under_runtime_client(function: Any, event: Any, request_id: str) -> Any:
        if not is_python(function.get("config") or function):
            return execute(function, event, request_id)
        with environments[(function.get("config") or function)["FunctionArn"]]:
            return lambda_svc._execute_function_provided_warm(function, event, request_id)  # noqa: SLF001

    lambda_runtime._worker_class_for = choose_class  # noqa: SLF001
    lambda_svc._execute_function_warm = execute_under_runtime_client  # noqa: SLF001


def is_python(config: dict[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


class RuntimeClientWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """An execution environment whose bootstrap starts awslambdaric."""

    _starts = threading.Semaphore(CORES)

    def __init__(
        self, name: str, config: dict[str, Any], code_zip: bytes, *, python: Path, logs: Path
    ) -> None:
        super().__init__(name, config, with_bootstrap(code_zip, bootstrap(config, python)))
        self._log_file = logs / f"{name}.log"

    def _spawn(self, init_timeout: float | None = None) -> None:
        # more at once than there are cores, and all of them miss the deadline of the init phase
        with self._starts:
            super()._spawn(init_timeout)

    def _build_handler_class(self, *args: Any) -> Any:
        handler = super()._build_handler_class(*args)
        # else each answer waits 40 ms for an acknowledgement that the client delays
        handler.disable_nagle_algorithm = True
        return handler

    def _drain_stderr_bounded(
        self, first_line_wait: float = 0.004, idle_confirm: float = 0.002, hard_cap: float = 0.25
    ) -> str:
        """Output arrives before the result does: what is not there by now was never written."""
        drained: str = super()._drain_stderr_bounded(first_line_wait, idle_confirm, hard_cap)
        return drained

    def _pump_output(self, stream: IO[bytes], log_queue: Any) -> None:
        with self._log_file.open("ab", buffering=0) as log:
            super()._pump_output(CopiedStream(stream, log), log_queue)


class CopiedStream:
    """A stream whose lines are also written to a log as they are read."""

    def __init__(self, stream: IO[bytes], log: Any) -> None:
        self._stream = stream
        self._log = log

    def readline(self) -> bytes:
        line = self._stream.readline()
        self._log.write(line)
        return line

    def close(self) -> None:
        self._stream.close()


def bootstrap(config: dict[str, Any], python: Path) -> str:
    """The script that starts the runtime client of a function with this configuration."""
    return BOOTSTRAP.format(
        path=os.pathsep.join(f"{folder}/python" for folder in layer_folders(config)),
        runtime=config["Runtime"],
        log_format="JSON"
        if (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON"
        else "TEXT",
        emulator_only=" ".join(EMULATOR_ONLY),
        python=python,
    )


def layer_folders(config: dict[str, Any]) -> list[str]:
    """Where the function's layers lie, each unpacked once for all functions."""
    blobs = (lambda_svc._resolve_layer_zip(layer) for layer in config.get("Layers") or [])  # noqa: SLF001
    return [lambda_svc._docker_extracted_dir(blob, "layer") for blob in blobs if blob]  # noqa: SLF001


@functools.cache
def with_bootstrap(code_zip: bytes, script: str) -> bytes:
    """The function's code with the script that starts it."""
    package = io.BytesIO()
    package.write(code_zip)
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr("bootstrap", script)
    return package.getvalue()
