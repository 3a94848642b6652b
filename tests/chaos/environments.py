"""Processes that functions run in: each has its own copy of the handler's module, as each Lambda environment has."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import CodeType, ModuleType

from tests.chaos.deployment import Deployed


@dataclass(slots=True)
class Environments:
    """Warm processes that are free. One that dies is never given back, and a new one starts when it is needed."""

    _code: dict[str, CodeType]
    _free: dict[str, list[ModuleType]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def of(cls, functions: Iterable[Deployed]) -> Environments:
        """Read every function's code now, so that all runs of this process run the same."""
        return cls(
            {each.name: compile(each.path.read_text(), each.path, "exec") for each in functions}
        )

    def take(self, function: Deployed) -> ModuleType:
        free = self._free.setdefault(function.name, [])
        return free.pop() if free else self._started(function)

    def give_back(self, function: Deployed, environment: ModuleType) -> None:
        self._free[function.name].append(environment)

    def _started(self, function: Deployed) -> ModuleType:
        module = ModuleType(f"chaos_{function.name}_{next(self._numbers)}")
        sys.modules[module.__name__] = module
        exec(self._code[function.name], vars(module))  # noqa: S102 - the project's own code
        return module
