"""Templates: what a text with variables becomes, what is refused, and that none can eat the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.template import RenderError, TemplateError, _compile_liquid, compile_template


@pytest.mark.parametrize(
    ("source", "variables", "body"),
    [
        ("Hi {{ name }}!", {"name": "Ann"}, "Hi Ann!"),
        ("{{name}}{{ name }}", {"name": "Ann"}, "AnnAnn"),
        ("No variables, 100 %", {}, "No variables, 100 %"),
        ("{{ a }} 100%s", {"a": "{{ b }} %d"}, "{{ b }} %d 100%s"),
        ("{{ a }}", {"a": "1\r\n2", "unused": "x"}, "1\r\n2"),
        ("{{ a | upcase }}", {"a": "b\r\nc"}, "B\r\nC"),
        ("{{ name | default: 'you' }}", {}, "you"),
        ("{{ name | default: 'you' }}", {"name": ""}, "you"),
        ("{% if vip == 'yes' %}VIP {% endif %}{{ name }}", {"vip": "no", "name": "A"}, "A"),
        ("{{ day | date: '%d.%m.%Y' }}", {"day": "2026-02-01"}, "01.02.2026"),
        ("{{ ['First Name'] }}", {"First Name": "Ann"}, "Ann"),
        ("{% assign x = a | plus: 1 %}{{ x }}", {"a": "41"}, "42"),
        ("{% raw %}{{ name }}{% endraw %}", {}, "{{ name }}"),
        ("{{ true }} {{ nil }}.", {}, "true ."),
        ("{{ now }}", {"now": "given"}, "given"),
    ],
)
def test_variables_are_filled_in(source: str, variables: dict[str, str], body: str) -> None:
    assert compile_template(source).render(variables) == body


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("none", set()),
        ("{{ a }} {{ b }}{{ a }}", {"a", "b"}),
        ("{{ a | append: b }}{% if c %}{{ d }}{% endif %}", {"a", "b", "c", "d"}),
        ("{% assign x = a %}{{ x }}{% for y in (1..2) %}{{ y }}{% endfor %}", {"a"}),
    ],
)
def test_a_template_names_the_variables_that_it_takes(source: str, variables: set[str]) -> None:
    assert compile_template(source).variables == variables


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", None),
        (" \n", None),
        ("x" * 8_001, None),
        ("{{", 1),
        ("Hi\n{{ name }", 2),
        ("Hi\n\n{% if %}x{% endif %}", 3),
        ("{% if a %}", 1),
        ("{% unknown %}", 1),
        ("a\n{{ name | unknown }}", 2),
        ("{% include 'secrets' %}", 1),
        ("{% render 'secrets' %}", 1),
        ("{% tablerow i in (1..3) %}{{ i }}{% endtablerow %}", 1),
        ("{% if true %}" * 20 + "x" + "{% endif %}" * 20, 1),
        ("{{ a" + "[a" * 2_000 + "]" * 2_000 + "}}", None),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_its_line(
    source: str, line: int | None
) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(source)

    assert caught.value.code == "invalid_template"
    assert caught.value.line == line
    assert line is None or str(caught.value).startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("{{ name }}", "name"),
        ("{{ given }} {{ name }}", "name"),
        ("{{ name | upcase }}", "name"),
        ("{{ given | append: name }}", "name"),
        ("{% if name %}x{% endif %}", "name"),
        ("{% if given == name %}x{% endif %}", "name"),
        ("{% for x in name %}x{% endfor %}", "name"),
        ("{% assign x = name %}{{ x }}", "name"),
        ("{{ other | default: '' }}{{ name | upcase }}", "name"),
        ("{{ now }}", "now"),
        ("{{ today | date: '%Y' }}", "today"),
    ],
)
def test_a_missing_variable_is_named(source: str, variable: str) -> None:
    with pytest.raises(RenderError) as caught:
        compile_template(source).render({"given": "x"})

    assert (caught.value.code, caught.value.variable) == ("missing_variable", variable)


@pytest.mark.parametrize(
    ("source", "value", "code"),
    [
        ("{{ a }}", "", "empty_body"),
        ("{{ a | strip }}", " \n ", "empty_body"),
        ("{% if a == 'x' %}hello{% endif %}", "y", "empty_body"),
        ("{{ a }}", "x" * 1_601, "body_too_long"),
        ("{{ a | upcase }}", "x" * 1_601, "body_too_long"),
        ("{{ a | truncate: 10 }}", "x" * 4_001, "body_too_long"),
        ("{% for i in (1..900) %}ten letters{% endfor %}", "", "body_too_long"),
        ("{% capture c %}{% for i in (1..900) %}{{ a }}{% endfor %}{% endcapture %}x", "x" * 10, "body_too_long"),
        ("{{ a | divided_by: 0 }}", "1", "render_failed"),
        ("{{ a | ceil }}", "1e999999999", "render_failed"),
        ("{{ a | base64_decode }}", "é", "render_failed"),
        ("{{ 'now' | date: '%Y' }}", "", "render_failed"),
        ("{% for i in (1..1000000000000) %}x{% endfor %}", "", "render_failed"),
        ("{{ (1..1000000000000) | join: ',' }}", "", "render_failed"),
        ("{{ a | replace: '', a | replace: '', a }}", "x" * 4_000, "render_failed"),
        ("{{ a | split: '' | join: a }}", "x" * 4_000, "render_failed"),
        ("{% assign b = a %}" + "{% assign b = b | append: b %}" * 60 + "{{ b }}", "x", "render_failed"),
        ("{% assign b = a %}" + "{% assign b = b | times: b %}" * 60 + "{{ b }}", "9", "render_failed"),
    ],
)  # fmt: skip
def test_values_that_make_no_message_are_refused_and_none_can_eat_the_machine(
    source: str, value: str, code: str
) -> None:
    with pytest.raises(RenderError) as caught:
        compile_template(source).render({"a": value})

    assert caught.value.code == code
    assert caught.value.variable is None


def test_a_body_may_have_exactly_1600_characters() -> None:
    assert len(compile_template("{{ a }}").render({"a": "x" * 1_600})) == 1_600
    assert len(compile_template("{{ a | upcase }}").render({"a": "x" * 1_600})) == 1_600


def test_errors_do_not_repeat_the_recipients_values() -> None:
    with pytest.raises(RenderError) as caught:
        compile_template("{{ name | truncate: name }}").render({"name": "secret"})

    assert "secret" not in str(caught.value)


LITERALS = st.text(st.sampled_from("ab %s{}\r\n\\'é😀-"), max_size=8).filter(
    lambda text: not any(mark in text + "{" for mark in ("{{", "{%")) and "}}" not in text
)
NAMES = st.sampled_from(["name", "a1", "_x", "Name", "name_2", "iff", "android"])
VALUES = st.dictionaries(NAMES, st.text(max_size=5))


@given(st.lists(st.tuples(LITERALS, NAMES), min_size=1, max_size=4), LITERALS, VALUES)
def test_the_short_way_for_plain_templates_renders_as_liquid_does(
    parts: list[tuple[str, str]], end: str, variables: dict[str, str]
) -> None:
    # GIVEN a text with plain variables in it
    source = "".join(f"{literal}{{{{ {name} }}}}" for literal, name in parts) + end

    # THEN both ways give the same text, or miss the same variable
    outcomes: list[object] = []
    for template in (compile_template(source), _compile_liquid(source)):
        try:
            outcomes.append((template.render(variables), template.variables))
        except RenderError as exc:
            outcomes.append((exc.code, exc.variable))
    assert outcomes[0] == outcomes[1]


PIECES = [*"{}%|:.'\n (1x-", "{{", "}}", "{%", "%}", "if ", "endif", "name", "upcase"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_a_template_or_refused(source: str) -> None:
    try:
        compile_template(source).render({"name": "Ann"})
    except (TemplateError, RenderError) as exc:
        assert exc.code  # noqa: PT017 - either way is right


def test_plain_templates_do_not_load_the_liquid_library() -> None:
    # GIVEN a fresh interpreter that compiles and renders a plain template
    program = (
        "import sys\n"
        "from sendpool.domain.template import compile_template\n"
        "compile_template('Hi {{ name }}').render({'name': 'Ann'})\n"
        "sys.exit('liquid' in sys.modules)"
    )

    # THEN the library is not there
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603
