"""What may stand in `To` and `From`: E.164 numbers, short codes, alphanumeric IDs, channel addresses."""

import re

# 500 is for personal numbers and Twilio's own magic ones; 900 is for premium services
E164 = re.compile(r"\+(?:1(?!500)[2-9]\d{9}|[2-9]\d{6,14})")
ANY_NUMBER = re.compile(r"\+\d{7,15}")  # a sender only needs to look like one
SHORT_CODE = re.compile(r"\d{5,6}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")
CHANNEL = re.compile(r"(?P<channel>whatsapp|rcs|messenger):(?P<rest>.+)")
SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")
PREMIUM_PREFIXES = ("+1900",)
SMS = "sms"


def channel_of(address: str) -> str:
    """The channel of an address: `sms` unless it begins with another's name."""
    found = CHANNEL.fullmatch(address)
    return found["channel"] if found else SMS


def is_number(address: str) -> bool:
    """A phone number in E.164, on its own or behind a channel's name."""
    found = CHANNEL.fullmatch(address)
    return E164.fullmatch(found["rest"] if found else address) is not None


def is_sender(address: str) -> bool:
    """The form of something that a message can come from."""
    forms = (ANY_NUMBER, SHORT_CODE, ALPHANUMERIC, CHANNEL)
    return any(form.fullmatch(address) for form in forms)
