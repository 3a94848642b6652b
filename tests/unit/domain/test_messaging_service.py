"""Settings of a Messaging Service: which there are, what they may be, and how what is declared comes to hold."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpool.domain.messaging_service import (
    LONGEST_NAME,
    LONGEST_VALIDITY,
    PARAMETERS,
    REFUSED,
    SETTINGS,
    USE_CASES,
    WEBHOOKS,
    Difference,
    ServiceSettings,
    changed,
    declared_webhooks,
    differences,
    problems,
)
from sendpool.edge.service_models import (
    ChangeService,
    Setting,
    SettingsView,
    UseCase,
)
from tests.template.stack import as_written

PUBLIC_URL = "https://sendpool.example.com/base"

urls = st.none() | st.builds(
    "https://{}.example.com/{}?a={}#rc={}".format,
    st.from_regex("[a-z]{1,8}", fullmatch=True),
    st.from_regex("[a-z0-9-]{0,8}", fullmatch=True),
    st.integers(0, 9),
    st.integers(0, 5),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.from_regex(rf"\w[\w ]{{0,{LONGEST_NAME - 1}}}", fullmatch=True),
    "inbound_url": urls,
    "fallback_url": urls,
    "status_callback": urls,
    "inbound_method": st.sampled_from(["GET", "POST"]),
    "fallback_method": st.sampled_from(["GET", "POST"]),
    **dict.fromkeys(
        (
            "inbound_webhook_on_number",
            "sticky_sender",
            "mms_converter",
            "smart_encoding",
            "area_code_geomatch",
        ),
        st.booleans(),
    ),
    "validity_period": st.integers(1, LONGEST_VALIDITY),
    "use_case": st.sampled_from(USE_CASES),
}
settings = st.builds(ServiceSettings, **VALUES)
changes = st.fixed_dictionaries({}, optional=VALUES)


@given(changes, settings)
def test_nothing_differs_after_what_is_declared_was_applied(
    declared: dict[str, Any], live: ServiceSettings
) -> None:
    found = differences(declared, live)
    after = changed(live, {each.setting: each.declared for each in found})
    assert differences(declared, after) == ()
    # AND what is not declared is as it was
    assert {name for name in SETTINGS if getattr(after, name) != getattr(live, name)} == {
        each.setting for each in found
    }


@given(changes)
def test_every_value_that_a_setting_can_have_is_taken(valid: dict[str, Any]) -> None:
    assert problems(valid) == ()


def test_a_difference_has_both_values_and_says_what_follows() -> None:
    live = ServiceSettings(name="shop", sticky_sender=False)
    (found,) = differences({"sticky_sender": True, "mms_converter": True}, live)
    assert found == Difference("sticky_sender", True, False)
    assert "sender" in found.consequence


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_a_consequence(setting: str) -> None:
    assert Difference(setting, 1, 2).consequence.endswith(".")


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("validity_period", 0, "validity_period_out_of_range"),
        ("validity_period", 36_001, "validity_period_out_of_range"),
        ("validity_period", True, "validity_period_out_of_range"),
        ("validity_period", "600", "validity_period_out_of_range"),
        ("use_case", "MARKETING", "unknown_use_case"),
        ("use_case", "delivery_notification", "unknown_use_case"),
        ("use_case", ["marketing"], "unknown_use_case"),
        ("sticky_sender", "on", "wrong_type"),
        ("sticky_sender", None, "wrong_type"),
        ("smart_encoding", 1, "wrong_type"),
        ("name", "", "invalid_name"),
        ("name", " ", "invalid_name"),
        ("name", "x" * 65, "invalid_name"),
        ("name", None, "invalid_name"),
        ("inbound_method", "PUT", "invalid_method"),
        ("inbound_url", "", "invalid_url"),
        ("inbound_url", "/webhooks/inbound", "invalid_url"),
        ("inbound_url", "ftp://example.com", "invalid_url"),
        ("inbound_url", "https://", "invalid_url"),
        ("inbound_url", "https://my_host.example.com/", "invalid_url"),
        ("inbound_url", "https://example.com/a b", "invalid_url"),
        ("inbound_url", "https://example.com:port/", "invalid_url"),
        ("inbound_url", "https://[::1/", "invalid_url"),
        ("status_callback", 7, "invalid_url"),
        ("synchronous_validation", True, "setting_reserved"),
        ("scan_message_content", "enable", "setting_reserved"),
        ("fallback_to_long_code", True, "setting_obsolete"),
        ("shorten_urls", True, "setting_of_messages"),
        ("colour", "red", "unknown_field"),
    ],
)
def test_what_a_setting_cannot_be_is_named_with_a_stable_code(
    setting: str, value: object, code: str
) -> None:
    (found,) = problems({setting: value})
    assert (found.field, found.code) == (setting, code)
    assert found.message


def test_a_refused_name_is_no_setting() -> None:
    assert not set(REFUSED) & set(SETTINGS)


def test_a_new_service_says_every_switch_and_has_them_on() -> None:
    made = ServiceSettings(name="sendpool")
    switches = [name for name in SETTINGS if isinstance(getattr(made, name), bool)]
    assert [name for name in switches if not getattr(made, name)] == ["inbound_webhook_on_number"]
    assert problems({name: getattr(made, name) for name in SETTINGS}) == ()


def test_the_declared_webhooks_are_the_outputs_of_the_template() -> None:
    outputs = as_written().template["Outputs"]
    declared = declared_webhooks(PUBLIC_URL)
    for output, setting in (
        ("InboundWebhookUrl", "inbound_url"),
        ("FallbackWebhookUrl", "fallback_url"),
    ):
        written = outputs[output]["Value"]["Fn::Sub"][0]
        assert written.replace("${Base}", PUBLIC_URL) == declared[setting]
    assert set(declared) == set(WEBHOOKS)
    assert problems(declared) == ()
    assert declared["inbound_webhook_on_number"] is False


def test_the_api_speaks_of_the_same_settings_and_use_cases() -> None:
    assert get_args(Setting) == SETTINGS
    assert get_args(UseCase) == USE_CASES
    assert tuple(SettingsView.model_fields) == SETTINGS
    # what cannot be changed is known all the same, so that the answer can say why
    assert set(ChangeService.model_fields) == set(SETTINGS) | set(REFUSED)


def test_what_is_declared_is_declared_by_a_parameter_of_the_template() -> None:
    parameters = as_written().template["Parameters"]
    assert set(PARAMETERS.values()) <= set(parameters)
    assert set(PARAMETERS) == set(SETTINGS) - {"status_callback"}
    allowed = parameters["ServiceUseCase"]["AllowedValues"]
    assert tuple(allowed) == ("any", *USE_CASES)
    assert parameters["ServiceValidityPeriod"]["MaxValue"] == LONGEST_VALIDITY
