"""The demo's own checks: they pass on what is right and name what is not."""

from dataclasses import replace
from typing import Any

import pytest

from local.demo.recipients import Recipient, as_csv, recipients
from local.demo.recount import Line, against_counters, against_file, against_twilio, lines

BROADCAST = "bc_07375b3fb2164a9bae0156d0e76c7a41"
PARTITION = f"BC#{BROADCAST}#000000"

ROWS = [
    Recipient(to="+12015550100", name="Ada"),
    Recipient(to="+12015550183", name="Alan"),
    Recipient(to="+15005550001", name="Hedy", refusal=21211),
    Recipient(to="call me", name="Zoë", skip="invalid_phone"),
]
ITEMS: list[dict[str, Any]] = [
    {"pk": PARTITION, "sk": "CHUNK", "done": True},
    {
        "pk": PARTITION, "sk": "MSG#000", "row": 1, "status": "accepted", "sid": "SM0",
        "created_at": "2026-01-01T00:00:00.000+00:00",
    },
    {
        "pk": PARTITION, "sk": "ST#000", "status": "delivered", "sid": "SM0",
        "timeline": {"sent": "2026-01-01T00:00:02.000+00:00", "delivered": "2026-01-01T00:00:01.000+00:00"},
    },
    {
        "pk": PARTITION, "sk": "MSG#001", "row": 2, "status": "accepted", "sid": "SM1",
        "created_at": "2026-01-01T00:00:00.000+00:00",
    },
    {
        "pk": PARTITION, "sk": "ST#001", "status": "undelivered", "sid": "SM1", "error_code": 30003,
        "timeline": {"undelivered": "2026-01-01T00:00:01.000+00:00"},
    },
    {
        "pk": PARTITION, "sk": "MSG#002", "row": 3, "status": "failed", "error_code": 21211,
        "reason": "refused_by_twilio", "created_at": "2026-01-01T00:00:00.000+00:00",
    },
    {
        "pk": PARTITION, "sk": "MSG#003", "row": 4, "status": "skipped", "reason": "invalid_phone",
        "created_at": "2026-01-01T00:00:00.000+00:00",
    },
]  # fmt: skip
REPORT: dict[str, Any] = {
    "total": 4,
    "outcomes": 4,
    "final": 4,
    "counters": {"delivered": 1, "undelivered": 1, "failed": 1, "skipped": 1},
    "skipped": {"invalid_phone": 1},
    "errors": [{"code": 30003, "count": 1}, {"code": 21211, "count": 1}],
}


def at_twilio(number: int, to: str, status: str, code: int | None = None) -> dict[str, Any]:
    callback = f"http://127.0.0.1/webhooks/status?m={BROADCAST}-000000-{number:03d}#rc=3"
    return {
        "sid": f"SM{number}",
        "to": to,
        "status": status,
        "error_code": code,
        "status_callback": callback,
    }


MADE = [
    at_twilio(0, "+12015550100", "delivered"),
    at_twilio(1, "+12015550183", "undelivered", 30003),
]


def differences(
    recount: list[Line], report: dict[str, Any] = REPORT, made: list[dict[str, Any]] = MADE
) -> list[str]:
    return [
        *against_file(recount, ROWS),
        *against_counters(recount, report),
        *against_twilio(recount, ROWS, made),
    ]


def test_nothing_differs_when_all_agree() -> None:
    somebody_elses = {**at_twilio(0, "+12015550100", "sent"), "status_callback": None}
    assert differences(lines(ITEMS), made=[*MADE, somebody_elses]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"total": 5}, "recipients total: 5 reported, 4 counted"),
        ({"final": 3}, "sum final: 3 reported, 4 counted"),
        ({"outcomes": 5}, "sum outcomes: 5 reported, 4 counted"),
        ({"skipped": {"duplicate": 1}}, "skipped duplicate: 1 reported, 0 counted"),
        ({"errors": []}, "error 21211: 0 reported, 1 counted"),
        ({"counters": {"delivered": 2}}, "status delivered: 2 reported, 1 counted"),
    ],
)
def test_every_counter_is_compared(change: dict[str, Any], said: str) -> None:
    assert said in differences(lines(ITEMS), report=REPORT | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "unknown"}, "1 rows have no outcome: 1"),
        ({"row": 2}, "1 rows are not in the ledger: 1"),
        ({"row": 9}, "1 rows of the ledger are not in the file: 9"),
        (
            {"status": "skipped", "reason": "duplicate"},
            "1 rows are skipped or sent against what the file says: 1",
        ),
        ({"sid": "SM7"}, f"1 messages ended differently at Twilio: {BROADCAST}-000000-000"),
        ({"sid": None}, f"1 messages at Twilio are not in the ledger: {BROADCAST}-000000-000"),
    ],
)
def test_a_wrong_line_of_the_ledger_is_named(change: dict[str, Any], said: str) -> None:
    first, *others = lines(ITEMS)
    assert said in differences([replace(first, **change), *others])


def test_a_message_that_was_made_twice_is_named() -> None:
    again = {**MADE[0], "sid": "SM9"}
    found = differences(lines(ITEMS), made=[*MADE, again])
    assert f"1 messages were made twice: {BROADCAST}-000000-000" in found
    assert "1 people were sent to twice: +12015550100" in found


def test_a_message_that_was_never_made_is_named() -> None:
    found = differences(lines(ITEMS), made=MADE[:1])
    assert found == [f"1 messages in the ledger are not at Twilio: {BROADCAST}-000000-001"]


def test_a_row_that_was_not_refused_is_named() -> None:
    recount = [replace(line, code=None) if line.row == 3 else line for line in lines(ITEMS)]
    said = "1 rows are refused, or not, against what the file says: 3"
    assert said in differences(recount)


def test_somebody_who_opted_out_before_may_be_skipped() -> None:
    first, *_ = lines(ITEMS)
    skipped = replace(first, status="skipped", reason="opted_out", sid=None)
    assert [*against_file([skipped], ROWS[:1])] == []


def test_callbacks_without_a_send_result_count() -> None:
    (line,) = lines([item for item in ITEMS if item["sk"] == "ST#001"])
    assert (line.status, line.code, line.row) == ("undelivered", 30003, 0)


def test_the_file_is_always_the_same_2000_rows() -> None:
    rows = recipients()
    assert len(rows) == 2_000
    assert as_csv(rows) == as_csv(recipients())
    sendable = [row.to for row in rows if not row.skip]
    assert len(set(sendable)) == len(sendable) == 1_950
