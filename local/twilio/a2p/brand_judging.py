"""What the registry makes of a brand when nobody at the control API says otherwise.

`reject:30795` in the name of the business (for a sole proprietor, of the brand) fails it with that code; several may
stand there. Codes from 18000 on are for the review of the customer profile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from zlib import crc32

from local.twilio.account.senders import SenderKind, country_of, kind_of_number

MARKER = re.compile(r"\breject:((?:217|30)\d+)\b")
EIN = re.compile(r"\d{2}-?\d{7}")
HOME = frozenset({"US", "CA"})
PUBLIC = "public"
BUNDLES_UNFIT = 30793
DUPLICATE = 30703
NUMBER_MISSING = 30757
TAX_ID_MISMATCH = 30795
MOBILE_UNSUPPORTED = 30751
EMAIL_DOMAIN = 21740
UNKNOWN_REASON = 30799
LOWEST_SCORE = 25
HIGHEST_SCORE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a brand's bundles say: of the business, to carriers, of a sole proprietor.

    `exhausted` are the codes of what too many brands share with this one.
    """

    business: Mapping[str, object]
    messaging: Mapping[str, object]
    proprietor: Mapping[str, object]
    is_sole_proprietor: bool
    are_bundles_approved: bool
    is_duplicate: bool
    exhausted: tuple[int, ...]

    @property
    def is_public(self) -> bool:
        """Its shares are traded; then somebody at the company is asked."""
        return self.messaging.get("company_type") == PUBLIC

    @property
    def score(self) -> int:
        """What a secondary vetting finds, always the same for a tax ID."""
        number = str(self.business.get("business_registration_number", ""))
        return LOWEST_SCORE + crc32(number.encode()) % (HIGHEST_SCORE - LOWEST_SCORE + 1)


def find_faults(application: Application) -> tuple[int, ...]:
    """The codes with which the brand fails, none if it is fine."""
    marked = marked_codes(application)
    if marked:
        return marked
    if not application.are_bundles_approved:
        return (BUNDLES_UNFIT,)
    if application.is_duplicate:
        return (DUPLICATE,)
    faults = (
        _proprietor_faults(application)
        if application.is_sole_proprietor
        else _business_faults(application)
    )
    return (*faults, *application.exhausted)


def marked_codes(application: Application) -> tuple[int, ...]:
    """The codes that its name asks for."""
    name = f"{application.business.get('business_name')} {application.proprietor.get('brand_name')}"
    return tuple(int(code) for code in MARKER.findall(name))


def _business_faults(application: Application) -> tuple[int, ...]:
    business = application.business
    number = str(business.get("business_registration_number") or "")
    if not number:
        return (NUMBER_MISSING,)
    if business.get("business_registration_identifier") == "EIN" and not EIN.fullmatch(number):
        return (TAX_ID_MISMATCH,)
    if application.is_public and not _is_own_domain(application):
        return (EMAIL_DOMAIN,)
    return ()


def _proprietor_faults(application: Application) -> tuple[int, ...]:
    number = str(application.proprietor.get("mobile_phone_number") or "")
    is_mobile = country_of(number) in HOME and kind_of_number(number) is SenderKind.LONG_CODE
    return () if is_mobile else (MOBILE_UNSUPPORTED,)


def _is_own_domain(application: Application) -> bool:
    """The contact's e-mail is at the company's website."""
    domain = str(application.messaging.get("brand_contact_email")).rpartition("@")[2].lower()
    host = urlsplit(str(application.business.get("website_url"))).hostname or ""
    return host == domain or host.endswith(f".{domain}")
