"""What a reviewer makes of a submission when nobody at the control API says otherwise.

`reject:30475` in the summary of the use case rejects with that code; several may stand there.
"""

import re
from collections.abc import Mapping

MARKER = re.compile(r"\breject:(\d{5})\b")
POLITICAL = "POLITICAL_ELECTION_CAMPAIGNS"
SOLE_PROPRIETOR = "SOLE_PROPRIETOR"
UNKNOWN_REASON = 30440
TOKEN_MISSING = 30501
REGISTRATION_MISSING = 30527
# what is disallowed for good: no edit makes a spammer, a lender or a fraud acceptable
FINAL = frozenset(
    {
        *(30441, 30442, 30443, 30444, 30480, 30481, 30524, 30528),
        *range(30455, 30470),
    }
)


def find_faults(submission: Mapping[str, object]) -> tuple[int, ...]:
    """The rejection codes that a submission deserves, none if it is fine."""
    marked = tuple(int(code) for code in MARKER.findall(str(submission["use_case_summary"])))
    if marked:
        return marked
    faults = []
    if _is_political(submission) and submission["vetting_id"] is None:
        faults.append(TOKEN_MISSING)
    if _lacks_registration(submission):
        faults.append(REGISTRATION_MISSING)
    return tuple(faults)


def may_be_edited(codes: tuple[int, ...]) -> bool:
    """A rejection for these codes can be mended by an edit."""
    return not FINAL & set(codes)


def _is_political(submission: Mapping[str, object]) -> bool:
    categories = submission["use_case_categories"]
    return isinstance(categories, list) and POLITICAL in categories


def _lacks_registration(submission: Mapping[str, object]) -> bool:
    """Whoever tells a type of business other than a sole proprietor's has a registration to show."""
    business_type = submission["business_type"]
    number = submission["business_registration_number"]
    return business_type not in {None, SOLE_PROPRIETOR} and number is None
