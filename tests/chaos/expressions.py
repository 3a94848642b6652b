"""DynamoDB's expressions over items in its own wire form: conditions, key conditions and updates.

What the ledger's adapters write and a little more; anything else is refused loudly rather than guessed at.
tests/chaos/test_memory.py holds it against moto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

Item = dict[str, Any]
Test = Callable[[Item, "Bound"], bool]
Operand = Callable[[Item, "Bound"], Any]
Change = Callable[[Item, Item, "Bound"], None]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+\-]|[:#]?[A-Za-z_]\w*(?:\.#?\w+)*)")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CLAUSES = ("SET", "REMOVE", "ADD")


@dataclass(frozen=True, slots=True)
class Bound:
    """The names and values of one call, with their signs."""

    names: Mapping[str, str]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Bound:
        return cls(
            params.get("ExpressionAttributeNames", {}), params.get("ExpressionAttributeValues", {})
        )

    def path(self, written: str) -> list[str]:
        return [self.names[step] if step[0] == "#" else step for step in written.split(".")]


class UnsupportedError(NotImplementedError):
    """The product uses something of AWS that is not played here yet."""


def holds(expression: str | None, item: Item, bound: Bound) -> bool:
    """Tell whether a condition holds for an item, an absent one being empty."""
    return expression is None or _condition(expression)(item, bound)


def updated(expression: str, item: Item, bound: Bound) -> Item:
    """Return the item after an update; every operand is read from the item as it was."""
    after = _copied(item)
    for change in _update(expression):
        change(item, after, bound)
    return after


def number(value: Mapping[str, Any]) -> Decimal:
    return Decimal(value["N"])


def comparable(value: Any) -> Any:
    """A value that compares as DynamoDB compares: numbers by size, sets without order."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        return Decimal(content)
    return frozenset(content) if kind in {"SS", "NS", "BS"} else content


# ------------------------------------------------------------------------------------------------ reading


class _Tokens:
    def __init__(self, text: str) -> None:
        self.all = list(_tokens(text))
        self.at = 0

    def peek(self) -> str:
        return self.all[self.at] if self.at < len(self.all) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token.upper() not in expected):
            raise UnsupportedError(f"{' '.join(self.all)}: {token!r} where {expected} belongs")
        self.at += 1
        return token

    def takes(self, word: str) -> bool:
        if self.peek().upper() != word:
            return False
        self.at += 1
        return True


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise UnsupportedError(f"{text!r} from {text[at:]!r} on")
        yield found[1]
        at = found.end()


@cache
def _condition(text: str) -> Test:
    tokens = _Tokens(text)
    test = _any(tokens)
    if tokens.peek():
        raise UnsupportedError(f"{text!r}: {tokens.peek()!r} is left over")
    return test


def _any(tokens: _Tokens) -> Test:
    tests = [_all(tokens)]
    while tokens.takes("OR"):
        tests.append(_all(tokens))
    return tests[0] if len(tests) == 1 else lambda item, bound: any(t(item, bound) for t in tests)


def _all(tokens: _Tokens) -> Test:
    tests = [_one(tokens)]
    while tokens.takes("AND"):
        tests.append(_one(tokens))
    return tests[0] if len(tests) == 1 else lambda item, bound: all(t(item, bound) for t in tests)


def _one(tokens: _Tokens) -> Test:
    if tokens.takes("NOT"):
        denied = _one(tokens)
        return lambda item, bound: not denied(item, bound)
    if tokens.takes("("):
        inner = _any(tokens)
        tokens.take(")")
        return inner
    match tokens.peek():
        case "attribute_exists" | "attribute_not_exists" as function:
            wanted = function == "attribute_exists"
            operand = _arguments(tokens)[0]
            return lambda item, bound: (operand(item, bound) is not None) is wanted
        case "begins_with":
            whole, start = _arguments(tokens)
            return lambda item, bound: _begins(whole(item, bound), start(item, bound))
    return _comparison(tokens)


def _arguments(tokens: _Tokens) -> list[Operand]:
    tokens.take()
    tokens.take("(")
    operands = [_operand(tokens)]
    while tokens.takes(","):
        operands.append(_operand(tokens))
    tokens.take(")")
    return operands


def _begins(whole: Any, start: Any) -> bool:
    return whole is not None and "S" in whole and bool(whole["S"].startswith(start["S"]))


def _comparison(tokens: _Tokens) -> Test:
    left = _operand(tokens)
    sign = tokens.take().upper()
    if sign == "BETWEEN":
        low = _operand(tokens)
        tokens.take("AND")
        high = _operand(tokens)
        return lambda item, bound: (
            _compare(">=", left(item, bound), low(item, bound))
            and _compare("<=", left(item, bound), high(item, bound))
        )
    if sign == "IN":
        tokens.at -= 1
        among = _arguments(tokens)
        return lambda item, bound: any(
            _compare("=", left(item, bound), each(item, bound)) for each in among
        )
    if sign not in _COMPARISONS:
        raise UnsupportedError(f"{' '.join(tokens.all)}: {sign}")
    right = _operand(tokens)
    return lambda item, bound: _compare(sign, left(item, bound), right(item, bound))


def _compare(sign: str, left: Any, right: Any) -> bool:
    """Compare two values: with an absent one, or one of another type, only `<>` holds."""
    if left is None or right is None or left.keys() != right.keys():
        return sign == "<>" and (left is not None or right is not None)
    if "M" in left or "L" in left:
        return bool(_COMPARISONS[sign](_deep(left), _deep(right)))
    return bool(_COMPARISONS[sign](comparable(left), comparable(right)))


def _deep(value: Any) -> Any:
    kind, content = next(iter(value.items()))
    if kind == "M":
        return {name: _deep(inner) for name, inner in content.items()}
    return [_deep(inner) for inner in content] if kind == "L" else comparable(value)


def _operand(tokens: _Tokens) -> Operand:
    token = tokens.peek()
    tokens.take()
    if token[0] == ":":
        return lambda _item, bound: bound.values[token]
    if not (token[0] == "#" or token[0].isalpha()):
        raise UnsupportedError(f"{' '.join(tokens.all)}: {token!r} is no operand")
    return lambda item, bound: _found(item, bound.path(token))


def _found(item: Item, path: list[str]) -> Any:
    value: Any = {"M": item}
    for step in path:
        value = value.get("M", {}).get(step) if value else None
    return value


# ------------------------------------------------------------------------------------------------ updates


@cache
def _update(text: str) -> tuple[Change, ...]:
    tokens = _Tokens(text)
    changes: list[Change] = []
    while tokens.peek():
        clause = tokens.take(*_CLAUSES).upper()
        changes.append(_clause(clause, tokens))
        while tokens.takes(","):
            changes.append(_clause(clause, tokens))
    return tuple(changes)


def _clause(clause: str, tokens: _Tokens) -> Change:
    target = tokens.take()
    if clause == "REMOVE":
        return lambda _before, after, bound: _assign(after, bound.path(target), None)
    if clause == "SET":
        tokens.take("=")
        value = _value(tokens)
        return lambda before, after, bound: _assign(after, bound.path(target), value(before, bound))
    operand = _operand(tokens)

    def change(before: Item, after: Item, bound: Bound) -> None:
        path = bound.path(target)
        _assign(after, path, _added(_found(before, path), operand(before, bound)))

    return change


def _value(tokens: _Tokens) -> Operand:
    value = _term(tokens)
    while tokens.peek() in {"+", "-"}:
        sign, left, right = tokens.take(), value, _term(tokens)
        value = _sum(sign, left, right)
    return value


def _sum(sign: str, left: Operand, right: Operand) -> Operand:
    def value(item: Item, bound: Bound) -> Any:
        a, b = number(left(item, bound)), number(right(item, bound))
        return {"N": str(a + b if sign == "+" else a - b)}

    return value


def _term(tokens: _Tokens) -> Operand:
    if tokens.peek() != "if_not_exists":
        return _operand(tokens)
    known, other = _arguments(tokens)
    return lambda item, bound: known(item, bound) or other(item, bound)


def _added(before: Any, by: Any) -> Any:
    kind = next(iter(by))
    if kind == "N":
        return {"N": str((number(before) if before else Decimal(0)) + number(by))}
    return {kind: sorted({*(before[kind] if before else ()), *by[kind]})}


def _assign(item: Item, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        if "M" not in item.get(step, {}):
            raise UnsupportedError(f"a path {path} into what is no map")
        item = item[step]["M"]
    if value is None:
        item.pop(path[-1], None)
    else:
        item[path[-1]] = value


def _copied(item: Item) -> Item:
    return {
        name: {"M": _copied(value["M"])} if "M" in value else value for name, value in item.items()
    }
