"""`plan` and `apply`: what of a declarative file is not so yet, and making it so."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local.client import ApiError
from local.declared.apply import carry_out
from local.declared.file import load
from local.declared.live import Json, RefusedError, look
from local.declared.plan import Consent, Plan, Section, Sign, Step, plan, standing
from local.declared.text import BrokenFileError, Problem
from local.operate.target import Target, TargetError

_CHANGED = 2
# more is some other file, which YAML would read for minutes
_LONGEST = 1_000_000
_COLOURS = {Sign.ADD: "green", Sign.CHANGE: "yellow", Sign.REMOVE: "red"}


def show(target: Target, asked: Namespace, console: Console) -> int:
    """Print the plan: 1 if something stands in its way, 2 if asked to tell that something would change."""
    made = _planned(target, asked, console)
    if made is None:
        return 1
    if made.steps:
        command = escape(_command("apply", target, asked))
        console.print(f"To make it so:\n  {command}", soft_wrap=True)
    return _CHANGED if made.steps and asked.detailed_exitcode else 0


def make_so(target: Target, asked: Namespace, console: Console) -> int:
    """Print the plan, ask, and carry it out; 1 if something stands in its way."""
    made = _planned(target, asked, console)
    if made is None:
        return 1
    if not made.steps:
        return 0
    if not asked.yes and not _agreed(console):
        console.print("Nothing was done.")
        return 1
    done = 0
    try:
        for step, answered in carry_out(made, target.api):
            done += 1
            console.print(f"done: {step.method} {escape(step.path)}")
            _show_standing(step, answered, console)
    except (RefusedError, ApiError, KeyboardInterrupt) as error:
        stays = f"{done} of {len(made.steps)} calls are done and stay."
        again = f"{_command('plan', target, asked)} shows the rest."
        unsure = (
            "\nWhether that call was done is not known; repeat the command, which looks first."
            if not isinstance(error, RefusedError)
            else ""
        )
        raise TargetError(f"{_words(error)}{unsure}\n{stays} {again}") from error
    console.print(f"{escape(asked.file)} is applied to {target.name}.", soft_wrap=True)
    return 0


def _command(name: str, target: Target, asked: Namespace) -> str:
    """Write the command that does something with the same file, as one types it."""
    consents = [each for each in ("accept_fees", "force") if getattr(asked, each)]
    options = [f" --{each.replace('_', '-')}" for each in consents]
    return f"{target.command} {name} {shlex.quote(asked.file)}{''.join(options)}"


def _text(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise TargetError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TargetError(f"{path} is not UTF-8") from error
    if len(text) > _LONGEST:
        raise TargetError(f"{path} has more than {_LONGEST:,} characters")
    return text


def _planned(target: Target, asked: Namespace, console: Console) -> Plan | None:
    """Read the file and look what there is, and print the plan; None if something stands in its way."""
    try:
        wanted = load(_text(asked.file), os.environ)
        live = look(wanted, target.api)
    except BrokenFileError as error:
        _show_problems(asked.file, error.problems, console)
        return None
    except (RefusedError, ApiError) as error:
        raise TargetError(_words(error)) from error
    consent = Consent(fees=asked.accept_fees, force=asked.force)
    made = plan(wanted, live, consent, by_stack=target.senders)
    console.print(f"{escape(asked.file)} and {target.name} ({live.service['sid']})", soft_wrap=True)
    for section in Section:
        _show_section(section, made, console)
    if made.problems:
        _show_problems(asked.file, made.problems, console)
        return None
    console.print(_summary(made))
    return made


def _show_section(section: Section, made: Plan, console: Console) -> None:
    changes = [change for step in made.steps if step.section is section for change in step.changes]
    notes = [each.text for each in made.notes if each.section is section]
    if not (changes or notes):
        return
    console.print(f"\n[bold]{section}[/bold]")
    for change in changes:
        colour = _COLOURS[change.sign]
        console.print(f"  [{colour}]{change.sign}[/{colour}] {escape(change.what)}", soft_wrap=True)
    for note in notes:
        console.print(f"    {escape(note)}", soft_wrap=True)


def _summary(made: Plan) -> str:
    if not made.steps:
        return "\nNothing is to be changed."
    counted = ", ".join(
        f"{made.count(sign)} to {word}"
        for sign, word in ((Sign.ADD, "add"), (Sign.CHANGE, "change"), (Sign.REMOVE, "remove"))
    )
    keeps = any(not step.changes for step in made.steps)
    return f"\n{counted}{'; what the file declares is kept' if keeps else ''}."


def _show_problems(path: str, problems: Iterable[Problem], console: Console) -> None:
    for each in problems:
        where = f" {each.where}" if each.where else ""
        console.print(
            f"[red]{escape(path)}:{each.line}:[/red]{escape(where)} {escape(each.message)}",
            soft_wrap=True,
        )


def _show_standing(step: Step, answered: Json, console: Console) -> None:
    """Say how a registration or link domain stands after its step: most go on for days, with others."""
    lines: Iterable[str] = ()
    if step.section in {Section.BRAND, Section.CAMPAIGN}:
        lines = standing(answered)
    elif step.section is Section.LINK_DOMAIN:
        lines = [answered["next_step"]["what"]]
    for line in lines:
        console.print(f"      {escape(line)}", soft_wrap=True)


def _agreed(console: Console) -> bool:
    if not sys.stdin.isatty():
        raise TargetError("nobody can be asked here: look at the plan, then repeat with --yes")
    try:
        return console.input("Make it so? Only yes does: ").strip() == "yes"
    except EOFError:
        return False


def _words(error: RefusedError | ApiError | KeyboardInterrupt) -> str:
    if not isinstance(error, RefusedError):
        return str(error) or "interrupted"
    problem, status = error.answer.body, error.answer.status
    broken = [f"  {each['field']}: {each['message']}" for each in problem.get("errors", ())]
    # API Gateway writes its word in either way
    said = problem.get("detail") or problem.get("message") or problem.get("Message") or ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        said += (
            "\n  Have these credentials expired, or are they of a role that may not call this API?"
        )
    why = "\n".join(broken) or f"  {said} {problem.get('remedy') or ''}".rstrip()
    found_by = (
        f"\n  code {problem['code']}, request {problem.get('request_id')}"
        if "code" in problem
        else ""
    )
    is_refusal = status < HTTPStatus.INTERNAL_SERVER_ERROR
    how = "was refused" if is_refusal and "code" in problem else f"was answered {status}"
    return f"{error.request} {how}:\n{why}{found_by}"
