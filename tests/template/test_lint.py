"""cfn-lint has nothing to say, neither of what we write nor of what SAM makes of it."""

from __future__ import annotations

import json

from cfnlint.api import lint

from tests.template.stack import TEMPLATE, Stack

REGIONS = ["us-east-1", "eu-west-1"]


def test_the_template_has_no_findings() -> None:
    assert lint(TEMPLATE.read_text(), regions=REGIONS) == []


def test_what_is_deployed_has_no_findings(stack: Stack) -> None:
    assert lint(json.dumps(stack.template), regions=REGIONS) == []
