"""What campaigns may be for: Twilio's codes, and which brands and services they go with."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.twilio.a2p.brand import Brand

SOLE_PROPRIETOR = "SOLE_PROPRIETOR"
LOW_VOLUME = "LOW_VOLUME"
POLITICAL = "POLITICAL"
CHARITY = "CHARITY"
APPROVED_BY_CARRIERS = frozenset(
    {"AGENTS_FRANCHISES", "EMERGENCY", "K12_EDUCATION", "PROXY", "SOCIAL", "SWEEPSTAKE"}
)
BROAD = frozenset({"MIXED", "MARKETING"})


@dataclass(frozen=True, slots=True)
class UseCase:
    """One use case."""

    code: str
    name: str
    description: str

    def to_json(self) -> dict[str, Any]:
        """As the list of use cases shows it."""
        return {
            "code": self.code,
            "name": self.name,
            "description": self.description,
            "post_approval_required": self.code in APPROVED_BY_CARRIERS,
        }


_ALL = (
    UseCase("2FA", "Two-Factor authentication (2FA)", "One-time passwords and password resets"),
    UseCase("ACCOUNT_NOTIFICATION", "Account Notification", "Reminders, alerts and notifications"),
    UseCase(
        "AGENTS_FRANCHISES",
        "Agents and Franchises",
        "Agents, franchises or offices of one brand with numbers of their own",
    ),
    UseCase(CHARITY, "Charity", "501(c)(3) charities, not religious organizations"),
    UseCase("PROXY", "Proxy", "Peer-to-peer messages through pooled numbers"),
    UseCase("CUSTOMER_CARE", "Customer Care", "Account management and support"),
    UseCase("DELIVERY_NOTIFICATION", "Delivery Notification", "The status of a delivery"),
    UseCase("EMERGENCY", "Emergency", "Public safety and health in emergencies"),
    UseCase("FRAUD_ALERT", "Fraud Alert Messaging", "Notices of fraud"),
    UseCase("HIGHER_EDUCATION", "Higher Education", "Colleges, universities, school districts"),
    UseCase("K12_EDUCATION", "K-12 Education", "Schools of grades K-12"),
    UseCase(LOW_VOLUME, "Low Volume Mixed", "Any combination of use cases at low throughput"),
    UseCase("MARKETING", "Marketing", "Marketing and promotional content"),
    UseCase("MIXED", "Mixed", "Several use cases"),
    UseCase(POLITICAL, "Political", "Organized efforts to influence decisions"),
    UseCase("POLLING_VOTING", "Polling and voting", "Polls and votes that are not political"),
    UseCase(
        "PUBLIC_SERVICE_ANNOUNCEMENT",
        "Public Service Announcement",
        "Messages that raise awareness of an important issue",
    ),
    UseCase("SECURITY_ALERT", "Security Alert", "A system's security was compromised"),
    UseCase("SOCIAL", "Social", "Communication within closed communities"),
    UseCase("SWEEPSTAKE", "Sweepstake", "Sweepstakes"),
)
STANDARD = {each.code: each for each in _ALL}
OF_A_PROPRIETOR = UseCase(SOLE_PROPRIETOR, "Sole Proprietor", "Individuals without a tax ID")

# what a service is declared to be for: the campaigns that do not go with it; undeclared ones take any
INCOMPATIBLE: dict[str, frozenset[str]] = {
    "verification": frozenset({"MARKETING", "POLLING_VOTING", "SWEEPSTAKE", POLITICAL, CHARITY}),
    "marketing": frozenset({"2FA", "FRAUD_ALERT", "SECURITY_ALERT", "EMERGENCY"}),
    "notifications": frozenset({"MARKETING", "POLLING_VOTING", "SWEEPSTAKE"}),
    "poll": frozenset({"2FA", "FRAUD_ALERT", "SECURITY_ALERT", "MARKETING"}),
    "discussion": frozenset({"2FA", "FRAUD_ALERT", "SECURITY_ALERT"}),
}


def goes_with_service(code: str, service_use_case: str) -> bool:
    """A campaign for this use case may run on a service declared for that."""
    return code not in INCOMPATIBLE.get(service_use_case, frozenset())


def use_cases_of(brand: Brand | None) -> Iterable[UseCase]:
    """What a brand may have campaigns for; without one, what any standard brand may."""
    if brand is None:
        return STANDARD.values()
    if brand.is_sole_proprietor:
        return (OF_A_PROPRIETOR,)
    return (STANDARD[LOW_VOLUME],) if brand.is_low_volume else STANDARD.values()
