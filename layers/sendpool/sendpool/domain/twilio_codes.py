"""What each Twilio error code means to us, and what to do about it.

`explain(code)` answers for every number: a row of the table where the code is known, the class of its number
range where it is not. Decide by code, never by Twilio's wording: that changes without notice.

Three traps that samples on the web fall into: 21611 is a full queue (an empty pool is 21704), 21614 is a number
that is not mobile (an unverified one on a trial account is 21608), 21617 is a body that is too long (a missing
Messaging Service is 21701). And 30xxx never comes as the answer to a send: it arrives in a status callback. With
a Messaging Service so do 21610 and 21703.

Source: Twilio's error dictionary of 2026; classes, retry rules and remedies are ours.
"""

# A table reads best with one row a line, in columns.
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class ErrorClass(StrEnum):
    """What kind of trouble it is, in the words of our API."""

    INVALID_RECIPIENT = "invalid_recipient"
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    FILTERED = "filtered"
    SENDER_MISCONFIGURED = "sender_misconfigured"
    NOT_REGISTERED = "not_registered"
    RATE_LIMITED = "rate_limited"
    QUEUE_FULL = "queue_full"
    EXPIRED = "expired"
    CONTENT_INVALID = "content_invalid"
    AUTH = "auth"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """When it comes: as the answer to our request, in a status callback, or as either."""

    CREATE = "create"
    CALLBACK = "callback"
    EITHER = "either"


class Retry(StrEnum):
    """Whether the same message may be tried again, and when."""

    NO = "no"
    """It ends the same way for this recipient."""
    LATER = "later"
    """It passes by itself in minutes or hours; Twilio made nothing or delivered nothing."""
    BACKOFF = "backoff"
    """It passes within seconds; Twilio made nothing."""
    EVIDENCE_FIRST = "evidence_first"
    """Twilio may have made the message: look before sending again."""
    FIX_REQUEST = "fix_request"
    """The caller has to change the message."""
    FIX_CONFIG = "fix_config"
    """The operator has to change the account, the sender pool or a registration."""
    FIX_CREDENTIALS = "fix_credentials"
    """The operator has to change the credentials or the state of the account; the message itself is fine."""


class Effect(StrEnum):
    """What else follows from the code, beside this one message."""

    OPT_OUT = "opt_out"
    MARK_LANDLINE = "mark_landline"
    MARK_UNREACHABLE = "mark_unreachable"
    SLOW_DOWN = "slow_down"
    PAUSE_BROADCAST = "pause_broadcast"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class TwilioCode:
    """One error code: its class, when it comes, what follows, and the HTTP status our API answers with."""

    code: int
    error_class: ErrorClass
    phase: Phase
    retry: Retry
    effects: frozenset[Effect]
    http_status: int
    remedy: str

    @property
    def passes(self) -> bool:
        """Tell whether the same message may be tried again as it is, because the trouble passes by itself."""
        return self.retry in {Retry.LATER, Retry.BACKOFF}

    @property
    def halts(self) -> bool:
        """Tell whether going on would burn messages or money: the trouble is not this one message's."""
        return Effect.PAUSE_BROADCAST in self.effects

    @property
    def may_pass(self) -> bool:
        """Tell whether the same message may be tried again, perhaps after the operator has changed something."""
        return self.passes or self.retry in {Retry.FIX_CONFIG, Retry.FIX_CREDENTIALS}


# The caller's mistakes are 4xx, ours and the operator's 502, a passing state 429 or 503.
_HTTP_STATUS = {
    ErrorClass.INVALID_RECIPIENT: 422,
    ErrorClass.OPTED_OUT: 409,
    ErrorClass.BLOCKED: 409,
    ErrorClass.UNREACHABLE: 409,
    ErrorClass.FILTERED: 409,
    ErrorClass.SENDER_MISCONFIGURED: 502,
    ErrorClass.NOT_REGISTERED: 502,
    ErrorClass.RATE_LIMITED: 429,
    ErrorClass.QUEUE_FULL: 503,
    ErrorClass.EXPIRED: 409,
    ErrorClass.CONTENT_INVALID: 422,
    ErrorClass.AUTH: 502,
    ErrorClass.PROVIDER_UNAVAILABLE: 503,
    ErrorClass.UNKNOWN: 502,
}


def _row(
    code: int,
    error_class: ErrorClass,
    phase: Phase,
    retry: Retry,
    effects: frozenset[Effect],
    remedy: str,
    http_status: int | None = None,
) -> TwilioCode:
    status = http_status or _HTTP_STATUS[error_class]
    return TwilioCode(code, error_class, phase, retry, effects, status, remedy)


# fmt: off
_RECIPIENT, _OPTED_OUT, _BLOCKED, _UNREACHABLE = ErrorClass.INVALID_RECIPIENT, ErrorClass.OPTED_OUT, ErrorClass.BLOCKED, ErrorClass.UNREACHABLE
_FILTERED, _SENDER, _UNREGISTERED, _RATE = ErrorClass.FILTERED, ErrorClass.SENDER_MISCONFIGURED, ErrorClass.NOT_REGISTERED, ErrorClass.RATE_LIMITED
_QUEUE, _EXPIRED, _CONTENT, _AUTH = ErrorClass.QUEUE_FULL, ErrorClass.EXPIRED, ErrorClass.CONTENT_INVALID, ErrorClass.AUTH
_PROVIDER, _UNKNOWN = ErrorClass.PROVIDER_UNAVAILABLE, ErrorClass.UNKNOWN

_CREATE, _CALLBACK, _EITHER = Phase.CREATE, Phase.CALLBACK, Phase.EITHER

_NO, _LATER, _BACKOFF, _EVIDENCE = Retry.NO, Retry.LATER, Retry.BACKOFF, Retry.EVIDENCE_FIRST
_REQUEST, _CONFIG, _CREDENTIALS = Retry.FIX_REQUEST, Retry.FIX_CONFIG, Retry.FIX_CREDENTIALS

_NONE: frozenset[Effect] = frozenset()
_STOP = frozenset({Effect.OPT_OUT})
_LANDLINE = frozenset({Effect.MARK_LANDLINE})
_GONE = frozenset({Effect.MARK_UNREACHABLE})
_SLOW = frozenset({Effect.SLOW_DOWN})
_ALARM = frozenset({Effect.ALARM})
_PAUSE = frozenset({Effect.PAUSE_BROADCAST})
_HALT = frozenset({Effect.PAUSE_BROADCAST, Effect.ALARM})

_ROWS = (
    # media that Twilio fetches
    _row(11200, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "Twilio could not fetch a URL of the message. Make each media URL public and answering within seconds."),
    _row(11751, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The media is larger than the channel takes (5 MB for MMS, body included). Send a smaller file."),
    _row(12300, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The media URL answered with a content type that Twilio does not take. Serve it with its true Content-Type."),
    _row(14107, _RATE,         _CALLBACK, _LATER,       _SLOW,     "More than 15 replies went between the two numbers in 30 seconds. Look for two robots answering each other."),
    # the REST API
    _row(20001, _CONTENT,      _CREATE,   _REQUEST,     _ALARM,    "The request carried a parameter that Twilio does not know. Compare this release with Twilio's API."),
    _row(20003, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "Twilio refused the credentials. Store a valid API key for this account, then resume."),
    _row(20005, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "The Twilio account is suspended or closed. Settle it in the Twilio console, then resume."),
    _row(20006, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "The API key may not use this resource. Give it the permission, or store another key."),
    _row(20008, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "These are test credentials, and this resource takes live ones only. Store live credentials."),
    _row(20009, _PROVIDER,     _CREATE,   _LATER,       _NONE,     "The message is still on its way and cannot be deleted yet. Repeat it after the message has a final status."),
    _row(20404, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "Twilio knows no such account or resource. Check the account SID in the settings, and that the SID belongs to this account."),
    _row(20409, _PROVIDER,     _CREATE,   _LATER,       _NONE,     "Another change of the same thing is in progress at Twilio. Repeat the request in a while."),
    _row(20412, _PROVIDER,     _CREATE,   _LATER,       _NONE,     "The thing changed at Twilio in between. Read it again, then repeat the request."),
    _row(20422, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A parameter did not pass Twilio's validation. Compare the request with Twilio's documentation."),
    _row(20429, _RATE,         _CREATE,   _BACKOFF,     _SLOW,     "Too many requests at once on the account; nothing was made. Repeat with growing pauses, with fewer in parallel."),
    _row(20500, _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "Twilio failed and may have made the message all the same. Wait for evidence; sendpool looks for it by itself."),
    _row(20503, _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "Twilio was unavailable and may have made the message all the same. Wait for evidence; sendpool looks for it by itself."),
    _row(20504, _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "Twilio failed and may have made the message all the same. Wait for evidence; sendpool looks for it by itself."),
    # recipient and sender
    _row(21102, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The account has as many Messaging Services as Twilio allows. Delete one, or ask Twilio for more.", 409),
    _row(21211, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "`to` is not a phone number that exists. Give the full number in E.164, such as +12025550123."),
    _row(21212, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "`from` is malformed. Name a number of the sender pool in E.164, or leave it to the pool."),
    _row(21265, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "`to` is a short code, which cannot receive messages. Take it off the list."),
    _row(21266, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "`to` and `from` are the same number. Take your own numbers off the list."),
    _row(21267, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "A trial account cannot send from an alphanumeric sender. Upgrade the account, or use a number."),
    _row(21268, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "`to` is a premium-rate or information number. Take it off the list."),
    _row(21401, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "`to` is not a phone number that exists. Give the full number in E.164, such as +12025550123."),
    _row(21408, _SENDER,       _CREATE,   _CONFIG,      _ALARM,    "Messages to this country are switched off. Allow the country in Twilio's messaging geo permissions."),
    _row(21601, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The number cannot receive texts for this account. Check its capabilities in the Twilio console."),
    _row(21602, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The message has no text. Give `body`, `media_urls` or `content_sid`."),
    _row(21603, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "The request named no sender. Check that the Messaging Service SID is set for this stage."),
    _row(21604, _RECIPIENT,    _CREATE,   _REQUEST,     _NONE,     "The request named no recipient. Give `to`."),
    _row(21605, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "An old endpoint of Twilio takes 160 characters only. Check the Twilio API URL in the settings."),
    _row(21606, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "`from` is not a number of this account that can send messages. Name a number of the sender pool, or leave it to the pool."),
    _row(21607, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "A trial account can send from its own trial number only. Upgrade the account, or use that number."),
    _row(21608, _RECIPIENT,    _CREATE,   _CONFIG,      _NONE,     "A trial account can only text verified numbers. Verify this one in the Twilio console, or upgrade the account."),
    _row(21609, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "Twilio does not accept our callback address. The public URL must be absolute, with a real host name without underscores."),
    _row(21610, _OPTED_OUT,    _EITHER,   _NO,          _STOP,     "This person said STOP to these senders. Send nothing until they text START."),
    _row(21611, _QUEUE,        _CREATE,   _LATER,       _SLOW,     "Ten hours of messages wait for this sender. Send slower, or add senders to the pool, and come back in hours, not seconds."),
    _row(21612, _UNREACHABLE,  _CREATE,   _NO,          _NONE,     "No route from this sender to this recipient. Add a sender of the recipient's country or another type."),
    _row(21614, _RECIPIENT,    _CREATE,   _NO,          _LANDLINE, "`to` is not a mobile number. Take it off the list, or ask the person for a mobile one."),
    _row(21617, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The text is longer than 1,600 characters. Shorten it, and mind long values of its variables."),
    _row(21618, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio does not send this text. Remove unusual characters and try again."),
    _row(21619, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The message is empty. Give `body`, `media_urls` or `content_sid`."),
    _row(21620, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A media URL is not valid. Give public http or https URLs."),
    _row(21621, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The sender cannot send MMS. Use a number that can, or switch the MMS converter on."),
    _row(21622, _SENDER,       _CREATE,   _CONFIG,      _ALARM,    "MMS is off for this account. Ask Twilio to enable it, or send text only."),
    _row(21623, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "More than 10 media. Send at most 10 in one message."),
    _row(21624, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "`validity_period` must be between 1 and 36,000 seconds."),
    _row(21627, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The maximum price is not a number. Leave it out: it has had no effect since June 2024."),
    _row(21635, _RECIPIENT,    _CREATE,   _NO,          _LANDLINE, "`to` is a landline. Take it off the list, or ask the person for a mobile number."),
    _row(21653, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "More than one recipient in one message. Give one number in `to`."),
    _row(21654, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The content template is missing. Give `content_sid`."),
    _row(21655, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "There is no such content template. Check `content_sid` in the Twilio console."),
    _row(21656, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The content variables are not valid. Each value must be text without line breaks or long runs of spaces."),
    _row(21657, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The sender ID is not valid. Use up to 11 letters and digits, with at least one letter."),
    _row(21658, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A field is longer than Twilio takes. Shorten it."),
    _row(21659, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "`from` is no Twilio number, or a short code of another country. Name a sender of the pool."),
    _row(21660, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "`from` belongs to another account. Name a sender of this account's pool."),
    _row(21661, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "`from` cannot send texts. Name a sender of the pool that can."),
    _row(21662, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "This sender and recipient do not go together in the Ireland region. Use the US region for this route."),
    _row(21663, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The routing of the sending number is wrong. Check its region in the Twilio console."),
    _row(21664, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A fallback sender and `from` exclude each other. Leave one of them out."),
    _row(21665, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "The fallback sender is not valid. Name a number, short code or alphanumeric sender of this account."),
    _row(21666, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "A fallback sender needs a Messaging Service. Check that its SID is set for this stage."),
    _row(21667, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "A fallback sender needs an RCS sender in the pool. Add one, or leave the fallback out."),
    _row(21668, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "This type of number cannot send in the Ireland region. Use another sender or the US region."),
    # Messaging Services
    _row(21701, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "The Messaging Service does not exist on this account. Check its SID in the settings of this stage."),
    _row(21702, _PROVIDER,     _CREATE,   _LATER,       _SLOW,     "The Messaging Service takes no messages right now. Repeat the request in a few minutes."),
    _row(21703, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "No sender of the pool can reach this recipient. Add one that can, such as a number of the recipient's country."),
    _row(21704, _SENDER,       _EITHER,   _CONFIG,      _HALT,     "The sender pool is empty. Add a sender to the Messaging Service, then resume."),
    _row(21705, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "The Messaging Service SID is malformed: MG and 32 hexadecimal digits. Correct it in the settings of this stage."),
    _row(21708, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "This country needs an alphanumeric sender. Add one to the pool."),
    _row(21709, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The alphanumeric sender is not allowed for this Messaging Service. Add it to the pool.", 422),
    _row(21710, _SENDER,       _CREATE,   _NO,          _NONE,     "The sender is in this Messaging Service already. There is nothing to do.", 409),
    _row(21711, _SENDER,       _CREATE,   _NO,          _NONE,     "The sender is not in this Messaging Service. There is nothing to remove.", 409),
    _row(21712, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The sender belongs to another Messaging Service. Remove it there first.", 409),
    _row(21713, _SENDER,       _CREATE,   _REQUEST,     _NONE,     "Not a use case. One of notifications, marketing, verification, discussion, poll, undeclared.", 422),
    _row(21714, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The pool is full. Remove senders, or ask Twilio for a higher limit.", 409),
    _row(21715, _SENDER,       _CREATE,   _CONFIG,      _NONE,     "The number can send neither SMS nor MMS. Choose one that can.", 422),
    _row(21719, _SENDER,       _CREATE,   _REQUEST,     _NONE,     "The use case of the service does not fit that of its A2P campaign. Choose one that does, or undeclared.", 409),
    _row(21910, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "`from` and `to` are of different channels. Use two phone numbers."),
    # delivery
    _row(30001, _QUEUE,        _CALLBACK, _LATER,       _SLOW,     "Ten hours of messages wait for the chosen sender. Send slower, or add senders to the pool."),
    _row(30002, _AUTH,         _CALLBACK, _CREDENTIALS, _HALT,     "The account was suspended before the message left. Settle it in the Twilio console, then retry what failed."),
    _row(30003, _UNREACHABLE,  _CALLBACK, _LATER,       _NONE,     "The phone is off or out of range. Try once or twice later; if it stays so, take the number off the list."),
    _row(30004, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "The phone, its carrier or a do-not-disturb registry blocks the message. Reach this person another way."),
    _row(30005, _UNREACHABLE,  _CALLBACK, _NO,          _GONE,     "The number is unknown or no longer in service. Take it off the list."),
    _row(30006, _UNREACHABLE,  _CALLBACK, _NO,          _LANDLINE, "A landline, or a carrier that this kind of sender cannot reach. Take the number off the list."),
    _row(30007, _FILTERED,     _CALLBACK, _NO,          _ALARM,    "Twilio or a carrier filtered the message as unwanted. Review the wording, the links and the consent; do not resend it as it is."),
    _row(30008, _UNKNOWN,      _CALLBACK, _LATER,       _NONE,     "The carrier gave no reason. Try once more later; if many fail so, open a ticket with Twilio and name message SIDs."),
    _row(30009, _UNKNOWN,      _CALLBACK, _NO,          _NONE,     "A part of an inbound message got lost on the way. Ask the person to send it again."),
    _row(30010, _CONTENT,      _CALLBACK, _NO,          _NONE,     "The price was above the maximum price. Leave the maximum out: it has had no effect since June 2024."),
    _row(30011, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "This number or region cannot receive MMS. Send text with a link, or switch the MMS converter on."),
    _row(30012, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The validity period is too short. Give at least a minute."),
    _row(30013, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The validity period is too long. Give at most 36,000 seconds."),
    _row(30014, _RECIPIENT,    _CALLBACK, _NO,          _NONE,     "The recipient's address is not valid. Give the full number in E.164."),
    _row(30015, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "This channel is not supported. Send to a phone number."),
    _row(30016, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "Sender and recipient are of different channels. Use two phone numbers."),
    _row(30017, _PROVIDER,     _CALLBACK, _LATER,       _SLOW,     "The carrier's network is congested. Send slower and try later."),
    _row(30018, _UNREGISTERED, _CALLBACK, _CONFIG,      _NONE,     "The country wants a registered sender ID and may drop others. Register one with Twilio."),
    _row(30019, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The media is larger than the recipient's carrier takes. Send a smaller file; 500 kB is safe."),
    _row(30020, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "Twilio's scheduler failed. Send the message again."),
    _row(30021, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "Twilio's Messaging Service failed. Send the message again."),
    _row(30022, _RATE,         _CALLBACK, _LATER,       _SLOW,     "The campaign sends faster than its carriers allow. Lower the rate to the campaign's throughput."),
    _row(30023, _RATE,         _CALLBACK, _LATER,       _HALT,     "The brand's daily cap at a carrier is used up until midnight Pacific time. Resume tomorrow, or raise the brand's trust score."),
    _row(30024, _UNREGISTERED, _CALLBACK, _LATER,       _NONE,     "The carrier does not know the sender yet. Give it some days after registration, then ask Twilio."),
    _row(30025, _RATE,         _CALLBACK, _NO,          _NONE,     "A warning: half of the day's cap at T-Mobile is used. Plan the rest of the day."),
    _row(30026, _RATE,         _CALLBACK, _NO,          _SLOW,     "A warning: 70 percent of the day's cap at T-Mobile is used. Send the rest slower or tomorrow."),
    _row(30027, _RATE,         _CALLBACK, _LATER,       _HALT,     "The day's cap at T-Mobile is used up until midnight Pacific time. Resume tomorrow."),
    # these two are said to come at create, against the rule of their block
    _row(30029, _CONTENT,      _EITHER,   _REQUEST,     _NONE,     "Content retention is retain or discard, and must be enabled on the account."),
    _row(30030, _CONTENT,      _EITHER,   _REQUEST,     _NONE,     "Address retention is retain or obfuscate, and must be enabled on the account."),
    _row(30032, _UNREGISTERED, _CALLBACK, _CONFIG,      _HALT,     "The toll-free number is not verified, so the US and Canada block it. Finish its verification, or take it out of the pool."),
    _row(30033, _UNREGISTERED, _CALLBACK, _CONFIG,      _HALT,     "The 10DLC campaign is suspended. Find the cause in the Twilio console and appeal; do not move the traffic to other numbers."),
    _row(30034, _UNREGISTERED, _CALLBACK, _CONFIG,      _HALT,     "A US number outside an approved 10DLC campaign. Register brand and campaign, and add the number to the campaign's service."),
    _row(30035, _UNREGISTERED, _CALLBACK, _LATER,       _NONE,     "The number is still being attached to its campaign. Wait some hours, then retry what failed."),
    _row(30036, _EXPIRED,      _CALLBACK, _NO,          _SLOW,     "The message waited longer than its validity period. Send slower, add senders, or allow more time."),
    _row(30037, _AUTH,         _CALLBACK, _CONFIG,      _HALT,     "Sending is switched off for this account. Ask Twilio support why."),
    _row(30038, _FILTERED,     _CALLBACK, _NO,          _NONE,     "The text looks like a one-time password, which this route filters. Use Twilio Verify, or change the wording."),
    _row(30039, _FILTERED,     _CALLBACK, _NO,          _NONE,     "Dropped to break a loop of two robots answering each other. Find out who answers automatically."),
    _row(30040, _UNREGISTERED, _CALLBACK, _CONFIG,      _ALARM,    "The carrier takes registered sender IDs only. Register one for this country with Twilio."),
    _row(30041, _UNREGISTERED, _CALLBACK, _CONFIG,      _ALARM,    "The sender is restricted or not registered in this country. Register it with Twilio."),
    _row(30042, _SENDER,       _CALLBACK, _CONFIG,      _ALARM,    "The alphanumeric sender is too generic or not yours. Choose one that names your business."),
    _row(30043, _SENDER,       _CALLBACK, _CONFIG,      _NONE,     "International traffic came in by a domestic route. Use an international sender for this country."),
    _row(30044, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "Too long for a trial account. Shorten the text, or upgrade the account."),
    _row(30045, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "`validity_period` must be between 1 and 36,000 seconds."),
    _row(30046, _UNREACHABLE,  _CALLBACK, _NO,          _NONE,     "No confirmation of the delivery came. The message may have arrived: do not resend it blindly."),
    # link shortening, cancelling, Twilio's own protections
    _row(30100, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "Not the SID of a link domain: DN and 32 hexadecimal digits.", 422),
    _row(30101, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The link domain is not verified. Show in the Twilio console that it is yours.", 409),
    _row(30102, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The certificate of the link domain has expired. Upload another one, or have Twilio manage it.", 409),
    _row(30103, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "Twilio could not shorten the links. Check the link domain; the message may have gone out with long ones."),
    _row(30106, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The link domain is not set up for this account. Associate it with the Messaging Service.", 409),
    _row(30107, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The link domain has no certificate yet. Upload one, or have Twilio manage it.", 409),
    _row(30108, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The account is in no organization, which link domains belong to. Make or join one in the Twilio console.", 409),
    _row(30109, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The URL for clicks is not valid. Give an absolute https URL that Twilio reaches.", 422),
    _row(30110, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "Twilio has blocked the link domain. Ask Twilio's support why; send without short links meanwhile.", 409),
    _row(30111, _CONTENT,      _EITHER,   _REQUEST,     _ALARM,    "A URL of the text is on a deny list. Take it out, and look who put it there."),
    _row(30116, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "Certificate or private key is missing. Upload both in one PEM text, the whole chain and the key.", 422),
    _row(30117, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The certificate cannot be read. Upload it as PEM, the domain's own first, then its chain, then the key.", 422),
    _row(30118, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The private key cannot be read. Upload it as PEM, without a passphrase.", 422),
    _row(30119, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "Certificate and private key do not belong together. Upload the key that the certificate was made with.", 422),
    _row(30120, _SENDER,       _CALLBACK, _CONFIG,      _HALT,     "The link domain has no certificate. Upload one, or send without short links."),
    _row(30121, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The URL for links that Twilio has forgotten is missing. Give one, or leave it as it is.", 422),
    _row(30122, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The URL for links that Twilio has forgotten is not valid. Give an absolute https URL.", 422),
    _row(30123, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The URL for clicks is missing. PUT /service/link-domain sets it.", 422),
    _row(30127, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "Not the SID of a Messaging Service. Check it in the settings of this stage.", 422),
    _row(30129, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The certificate is self-signed. Upload one of a public authority, or have Twilio manage it.", 422),
    _row(30130, _SENDER,       _EITHER,   _CONFIG,      _NONE,     "The Messaging Service has another link domain. Take that one from it first.", 409),
    _row(30131, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The certificate of the link domain ends soon. Upload another one, or have Twilio manage it.", 409),
    _row(30132, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The certificate cannot be validated. Upload the whole chain, for this domain's name, in its time.", 422),
    _row(30133, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "Twilio could not take the certificate. Check chain and key, then upload them again.", 422),
    _row(30134, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "The DNS of the link domain does not point at Twilio. Set its CNAME to lsct.ashburn.us1.twilio.com.", 409),
    _row(30135, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "Twilio could not get a certificate. Check that the DNS points at Twilio and that no CAA record forbids it.", 409),
    _row(30136, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "Twilio could not renew the certificate. Check that the DNS points at Twilio and that no CAA record forbids it.", 409),
    _row(30137, _SENDER,       _EITHER,   _CONFIG,      _NONE,     "The Messaging Service has no link domain. Associate one.", 409),
    _row(30139, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "A URL of the text cannot be shortened. Check that it is complete and public."),
    _row(30140, _SENDER,       _EITHER,   _REQUEST,     _NONE,     "The certificate demands OCSP stapling, which Twilio does not do. Have one made without.", 422),
    _row(30409, _EXPIRED,      _EITHER,   _NO,          _NONE,     "Too late to cancel: the message is no longer scheduled."),
    _row(30410, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "The next provider did not answer in time. Try later."),
    _row(30436, _SENDER,       _EITHER,   _CONFIG,      _NONE,     "Twilio knows no such number for this. Check that the SID is that of a toll-free number of the account."),
    _row(30437, _EXPIRED,      _EITHER,   _NO,          _NONE,     "The time for edits of this toll-free verification is over. Submit the number again."),
    _row(30450, _BLOCKED,      _CALLBACK, _LATER,       _NONE,     "Twilio's protection against SMS pumping holds this number or prefix for about half an hour. Check who asks for these messages."),
    _row(30453, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio did not deliver the message. Look up the message SID in the Twilio console."),
    _row(30454, _RATE,         _CALLBACK, _LATER,       _HALT,     "The account's message limit is reached. Ask Twilio to raise it, or resume when it resets."),
    _row(30485, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio did not deliver the message. Look up the message SID in the Twilio console."),
    _row(30500, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "Twilio failed while delivering. Send the message again later."),
    _row(30610, _BLOCKED,      _CALLBACK, _LATER,       _NONE,     "Twilio's Compliance Toolkit holds messages in quiet hours. Send it in the recipient's daytime."),
    _row(30615, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio's Compliance Toolkit blocked the message. Look up the message SID in the Twilio console."),
    _row(30620, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio's Compliance Toolkit blocked the message. Look up the message SID in the Twilio console."),
    _row(30630, _OPTED_OUT,    _CALLBACK, _NO,          _STOP,     "Twilio's consent records say that this person opted out. Send nothing until they opt in again."),
    _row(30640, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "The number belongs to someone known to sue over unwanted texts. Take it off the list."),
    _row(30700, _SENDER,       _EITHER,   _CONFIG,      _NONE,     "This feature is not available in the Ireland region. Use the US region, or go without."),
    # scheduling
    _row(35111, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A scheduled message needs a time. Give `send_at`."),
    _row(35114, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "`send_at` must lie more than 5 minutes and at most 35 days ahead, in UTC."),
    _row(35115, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "`send_at` must lie more than 5 minutes and at most 35 days ahead, in UTC."),
    _row(35117, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "`send_at` must lie more than 5 minutes and at most 35 days ahead, in UTC."),
    _row(35118, _SENDER,       _CREATE,   _CONFIG,      _HALT,     "Scheduling needs a Messaging Service. Check that its SID is set for this stage."),
    _row(35125, _QUEUE,        _CREATE,   _LATER,       _HALT,     "500,000 scheduled messages wait on this account already. Cancel some, or wait until they are sent."),
    _row(35126, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "This channel or kind of schedule is not supported. Schedule texts at a fixed time."),
    _row(35127, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "A text and content variables exclude each other. Give `body`, or `content_sid` with its variables."),
    # other channels
    _row(63016, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The 24-hour window with this person is closed. Send an approved template by `content_sid`."),
    _row(63018, _RATE,         _CALLBACK, _LATER,       _SLOW,     "The channel's rate limit is reached. Send slower."),
    _row(63019, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "The channel could not fetch the media. Make its URL public and check its type and size."),
    _row(63024, _RECIPIENT,    _CALLBACK, _NO,          _NONE,     "This recipient has no account on the channel. Send a text instead."),
    _row(63026, _FILTERED,     _CALLBACK, _NO,          _ALARM,    "The channel marked the sender's content as spam. Review wording and consent before sending more."),
    _row(63033, _OPTED_OUT,    _CALLBACK, _NO,          _STOP,     "This person opted out. Send nothing until they opt in again."),
    _row(63038, _RATE,         _CALLBACK, _LATER,       _HALT,     "The account's daily message limit is reached. Resume tomorrow, or ask Twilio to raise it."),
)

# A code that is not in the table takes the class of the first range that holds it; the number in a row is where
# its range ends. Numbers below 1000 are HTTP statuses: the SDK gives them where Twilio gave no code.
_RANGES = (
    _row(400,   _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request without a code. Compare it with Twilio's documentation."),
    _row(401,   _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "Twilio refused the credentials. Store a valid API key for this account, then resume."),
    _row(402,   _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request without a code. Compare it with Twilio's documentation."),
    _row(403,   _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "Twilio refused access. Check the API key's permissions and the account's state."),
    _row(404,   _SENDER,       _CREATE,   _CONFIG,      _HALT,     "Twilio knows no such address. Check the account SID and the Twilio API URL in the settings."),
    _row(407,   _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request without a code. Compare it with Twilio's documentation."),
    _row(408,   _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "The request took too long and may have been carried out. Wait for evidence; sendpool looks for it by itself."),
    _row(428,   _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request without a code. Compare it with Twilio's documentation."),
    _row(429,   _RATE,         _CREATE,   _BACKOFF,     _SLOW,     "Too many requests at once on the account; nothing was made. Repeat with growing pauses, with fewer in parallel."),
    _row(499,   _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request without a code. Compare it with Twilio's documentation."),
    _row(599,   _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "Twilio failed and may have made the message all the same. Wait for evidence; sendpool looks for it by itself."),
    _row(9999,  _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "Not a code of Twilio. Look at the log of the function that met it."),
    _row(10999, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "The account is not active, or a trial account lacks this feature. Look at it in the Twilio console."),
    _row(12999, _CONTENT,      _CALLBACK, _REQUEST,     _NONE,     "Twilio could not fetch or read a URL of the message. Make each media URL public and answering within seconds."),
    _row(19999, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary."),
    _row(20099, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request. Look the code up in Twilio's error dictionary."),
    _row(20199, _AUTH,         _CREATE,   _CREDENTIALS, _HALT,     "Twilio refused the credentials or a token. Store a valid API key for this account, then resume."),
    _row(20499, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request. Look the code up in Twilio's error dictionary."),
    _row(20599, _PROVIDER,     _CREATE,   _EVIDENCE,    _NONE,     "Twilio failed and may have made the message all the same. Wait for evidence; sendpool looks for it by itself."),
    _row(20999, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the request. Look the code up in Twilio's error dictionary."),
    _row(21299, _RECIPIENT,    _CREATE,   _NO,          _NONE,     "Twilio refused the recipient or the sender. Look the code up in Twilio's error dictionary."),
    _row(21699, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the message. Look the code up in Twilio's error dictionary."),
    _row(21799, _SENDER,       _CREATE,   _CONFIG,      _ALARM,    "The Messaging Service is not set up for this. Look the code up in Twilio's error dictionary."),
    _row(21999, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the message. Look the code up in Twilio's error dictionary."),
    _row(22999, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary."),
    _row(23999, _SENDER,       _EITHER,   _CONFIG,      _ALARM,    "Redaction clashes with another setting of the Messaging Service. Look the code up in Twilio's error dictionary."),
    _row(29999, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary."),
    _row(30099, _UNREACHABLE,  _CALLBACK, _NO,          _NONE,     "The message was not delivered. Look the code up in Twilio's error dictionary."),
    _row(30199, _SENDER,       _CALLBACK, _CONFIG,      _ALARM,    "Link shortening is not set up right. Check the link domain and its certificate."),
    _row(30399, _UNREACHABLE,  _CALLBACK, _NO,          _NONE,     "The message was not delivered. Look the code up in Twilio's error dictionary."),
    _row(30499, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio did not deliver the message. Look the code up in Twilio's error dictionary."),
    _row(30599, _PROVIDER,     _CALLBACK, _LATER,       _NONE,     "Twilio failed while delivering. Send the message again later."),
    _row(30699, _BLOCKED,      _CALLBACK, _NO,          _NONE,     "Twilio's Compliance Toolkit blocked the message. Look the code up in Twilio's error dictionary."),
    _row(30999, _UNREGISTERED, _EITHER,   _CONFIG,      _ALARM,    "A registration or verification is not in order. Look the code up in Twilio's error dictionary."),
    _row(35099, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary."),
    _row(35199, _CONTENT,      _CREATE,   _REQUEST,     _NONE,     "Twilio refused the schedule or the content. Look the code up in Twilio's error dictionary."),
    _row(62999, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary."),
    _row(63999, _SENDER,       _CALLBACK, _CONFIG,      _ALARM,    "The channel did not take the message. Look the code up in Twilio's error dictionary."),
)

_ELSE = _row(0, _UNKNOWN,      _EITHER,   _NO,          _ALARM,    "A code that sendpool does not know. Look it up in Twilio's error dictionary.")
# fmt: on

TABLE = {row.code: row for row in _ROWS}


def explain(code: int | None) -> TwilioCode:
    """Tell what a Twilio code means; for a code unknown to us what its number range means; never fails.

    None, where Twilio gave no code at all, is of class `unknown` and carries the code 0.
    """
    if code is None:
        return _ELSE
    return TABLE.get(code) or replace(_range_of(code), code=code)


def _range_of(code: int) -> TwilioCode:
    if code <= 0:
        return _ELSE
    return next((last for last in _RANGES if code <= last.code), _ELSE)
