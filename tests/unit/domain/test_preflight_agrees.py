"""The simulated Twilio judges campaigns by rules of its own: what it rejects, preflight rejects with the same code."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.twilio.a2p.campaign_judging import find_faults
from local.twilio.a2p.submission import read_submission
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from sendpool.domain.preflight.rules import rules
from tests.unit.domain.test_preflight import ROWS, fields_of, judged

# a charity with a token of Campaign Verify: brands are not judged before their campaigns
ELIGIBLE: Any = SimpleNamespace(company_type="non-profit", has_passed=bool)
# a value of the wrong form has no code of its own, and whether a flow says enough both can only guess
LOOSE = {20001, 30909}


def form_of(fields: dict[str, Any]) -> Form:
    written: dict[str, list[str]] = {}
    for name, value in fields.items():
        if value is None or name in {"brand_name", "brand_website", "brand_type"}:
            continue
        values = value if isinstance(value, list) else [value]
        texts = [str(each).lower() if isinstance(each, bool) else each for each in values]
        written["".join(map(str.capitalize, name.split("_")))] = texts
    return Form(written)


def codes_of_the_simulator(fields: dict[str, Any]) -> set[int]:
    try:
        return set(find_faults(read_submission(form_of(fields)), ELIGIBLE))
    except ApiError as error:
        return {error.code}


@pytest.mark.parametrize("name", ROWS)
def test_what_the_simulator_rejects_is_rejected_with_its_code(name: str) -> None:
    verdict, findings = judged(name)
    ours = {code for each in findings if each.severity == "reject" for code in each.codes}

    theirs = codes_of_the_simulator(fields_of(ROWS[name]))

    assert theirs <= ours | LOOSE
    if verdict == "accept":
        assert theirs <= {30909}


def test_the_simulator_rejects_some_of_them() -> None:
    theirs = {code for row in ROWS.values() for code in codes_of_the_simulator(fields_of(row))}

    assert theirs >= {21727, 21728, 30892, 30893, 30909, 30933, 30934, 30964}
    assert theirs - LOOSE <= {code for rule in rules().values() for code in rule.codes}
