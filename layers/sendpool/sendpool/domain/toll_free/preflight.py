"""A toll-free submission held against what gets toll-free numbers rejected, before somebody waits a week for it.

Most is what campaigns are held against as well (domain/preflight): the texts are read the same way, and the table
`data/toll-free-preflight.json` says which of those rules hold here, with which codes and what fix. What reviewers look
up in pictures of the opt-in, such as its disclosures, is not asked of the summary. Rules `T-` are of toll-free alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sendpool.domain.preflight.addresses import host_of, is_below, split_url
from sendpool.domain.preflight.campaign import Campaign
from sendpool.domain.preflight.consent import check_description, check_flow, quotes_a_script
from sendpool.domain.preflight.content import check_content
from sendpool.domain.preflight.form import check_wording
from sendpool.domain.preflight.pages import check_pages
from sendpool.domain.preflight.reading import Reading, read, spoken_name
from sendpool.domain.preflight.rules import Hit, Rule, rules
from sendpool.domain.preflight.samples import check_links, check_replies, check_samples
from sendpool.domain.preflight.verdict import Preflight, judge
from sendpool.domain.preflight.vocabulary import vocabulary
from sendpool.domain.toll_free.submission import POLITICAL, SOLE_PROPRIETOR, Submission

_TABLE: Final = Path(__file__).parents[1] / "data" / "toll-free-preflight.json"

# the fields of a campaign: those of a toll-free form that say the same
_FIELDS: Final = {
    "description": "use_case_summary",
    "message_flow": "use_case_summary",
    "message_samples": "production_message_sample",
    "message_samples.0": "production_message_sample",
    "opt_in_message": "opt_in_confirmation_message",
    "help_message": "help_message_sample",
    "privacy_policy_url": "privacy_policy_url",
    "terms_and_conditions_url": "terms_and_conditions_url",
    "age_gated": "age_gated_content",
    "brand_name": "business_name",
}
_USE_CASES: Final = {
    "TWO_FACTOR_AUTHENTICATION": "2FA",
    "ACCOUNT_NOTIFICATIONS": "ACCOUNT_NOTIFICATION",
    "CUSTOMER_CARE": "CUSTOMER_CARE",
    "CHARITY_NONPROFIT": "CHARITY",
    "DELIVERY_NOTIFICATIONS": "DELIVERY_NOTIFICATION",
    "FRAUD_ALERT_MESSAGING": "FRAUD_ALERT",
    "HIGHER_EDUCATION": "HIGHER_EDUCATION",
    "K12": "K12_EDUCATION",
    "MARKETING": "MARKETING",
    "POLLING_AND_VOTING_NON_POLITICAL": "POLLING_VOTING",
    "POLITICAL_ELECTION_CAMPAIGNS": "POLITICAL",
    "PUBLIC_SERVICE_ANNOUNCEMENT": "PUBLIC_SERVICE_ANNOUNCEMENT",
    "SECURITY_ALERT": "SECURITY_ALERT",
}
_SHARED: Final[tuple[Callable[[Reading], Iterator[Hit]], ...]] = (
    check_description,
    check_flow,
    check_samples,
    check_replies,
    check_links,
    check_pages,
    check_content,
    check_wording,
)


def preflight(submission: Submission) -> Preflight:
    """Hold a submission against all rules; of an empty field only what is said of missing ones."""
    reading = read(_as_campaign(submission))
    shared = (hit for check in _SHARED for hit in check(reading))
    own = (hit for check in _OWN for hit in check(submission, reading))
    return judge(chain(filter(None, map(_here, shared)), own), toll_free_rules())


@cache
def toll_free_rules() -> Mapping[str, Rule]:
    """Return the rules that hold for toll-free numbers; what the table leaves out is said of campaigns."""
    campaigns = rules()
    return {
        name: Rule(
            severity=each["severity"],
            codes=tuple(each["codes"]),
            message=each.get("message") or campaigns[name].message,
            fix=each.get("fix") or campaigns[name].fix,
        )
        for name, each in _written()["rules"].items()
    }


@cache
def _written() -> Mapping[str, Any]:
    read_: Mapping[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return read_


def _here(hit: Hit) -> Hit | None:
    """Name the field as toll-free forms do; None for what does not hold here."""
    field = _FIELDS.get(hit.field)
    if field is None or hit.rule not in toll_free_rules():
        return None
    return Hit(hit.rule, field, hit.text, hit.severity, hit.message)


def _as_campaign(submission: Submission) -> Campaign:
    """Write it as a campaign. What is said beside the summary mostly tells of the opt-in."""
    told = (submission.use_case_summary, submission.additional_information)
    categories = submission.use_case_categories
    sample = submission.production_message_sample
    return Campaign(
        us_app_to_person_usecase=_USE_CASES.get(categories[0]) if len(categories) == 1 else "MIXED",
        description=submission.use_case_summary,
        message_flow="\n\n".join(filter(None, told)) or None,
        message_samples=(sample,) if sample else (),
        opt_in_message=submission.opt_in_confirmation_message,
        opt_in_keywords=submission.opt_in_keywords,
        help_message=submission.help_message_sample,
        privacy_policy_url=submission.privacy_policy_url,
        terms_and_conditions_url=submission.terms_and_conditions_url,
        age_gated=submission.age_gated_content,
        brand_name=spoken_name(submission.doing_business_as or submission.business_name),
        brand_website=submission.business_website,
        brand_type=submission.business_type,
    )


# ------------------------------------------------------------------------------------------------ of toll-free alone


def _check_business(submission: Submission, _reading: Reading) -> Iterator[Hit]:
    kind = submission.business_type
    if kind != SOLE_PROPRIETOR and not submission.business_registration_number:
        field = "business_registration_number"
        # demanded of whoever says what kind of business it is, and soon of everybody
        yield Hit("T-REGISTRATION", field, severity=None if kind else "warn")
    categories = submission.use_case_categories
    if POLITICAL in categories and not submission.vetting_id:
        yield Hit("T-POLITICAL-TOKEN", "vetting_id")
    if "CHARITY_NONPROFIT" in categories and kind not in {None, "NON_PROFIT"}:
        yield Hit("T-CHARITY", "business_type", kind)
    _, _, domain = (submission.business_contact_email or "").rpartition("@")
    if domain.lower() in _written()["free_mail"].split():
        yield Hit("T-EMAIL-DOMAIN", "business_contact_email", domain)


def _check_addresses(submission: Submission, _reading: Reading) -> Iterator[Hit]:
    website = submission.business_website
    if website and not _is_public(website):
        yield Hit("T-WEBSITE", "business_website", website)
    for place, url in enumerate(submission.opt_in_image_urls):
        if not _is_public(url):
            yield Hit("T-OPT-IN-PAGE", f"opt_in_image_urls.{place}", url)


def _is_public(url: str) -> bool:
    parts, host = split_url(url), host_of(url) or ""
    is_private = is_below(host, vocabulary().private_hosts) or "." not in host
    return parts is not None and not is_private and not host.replace(".", "").isdigit()


def _check_opt_in(submission: Submission, reading: Reading) -> Iterator[Hit]:
    match submission.opt_in_type:
        case "IMPORT" | "IMPORT_PLEASE_REPLACE" as kind:
            yield Hit("T-OPT-IN-TYPE", "opt_in_type", kind)
        case "VERBAL" if reading.flow is None or not quotes_a_script(reading.flow):
            yield Hit("T-OPT-IN-VERBAL", "use_case_summary")
        case "VIA_TEXT":
            for field in ("opt_in_keywords", "opt_in_confirmation_message"):
                if not getattr(submission, field):
                    yield Hit("T-OPT-IN-BY-TEXT", field)


_OWN: Final[tuple[Callable[[Submission, Reading], Iterator[Hit]], ...]] = (
    _check_business,
    _check_addresses,
    _check_opt_in,
)
