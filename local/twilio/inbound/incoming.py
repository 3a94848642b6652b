"""What a person writes to the account, and what became of it."""

from dataclasses import dataclass
from typing import Any

from local.twilio.inbound.attachments import Attachment
from local.twilio.messages.message import Message
from local.twilio.optouts.keywords import Keyword
from local.twilio.webhooks.client import Answer

USUAL_NAME = "Ann"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What a person writes to one of our senders; media that are kept here get URLs below `base_url`."""

    person: str
    to: str | None
    body: str
    base_url: str
    attachments: tuple[Attachment, ...] = ()
    profile_name: str = USUAL_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What became of an inbound message; `answer` is None where no webhook is set.

    `replies` are what the webhook had sent, `confirmations` what Twilio and the network answered a keyword.
    """

    message: Message | None
    keyword: Keyword | None
    url: str | None = None
    answer: Answer | None = None
    replies: tuple[str, ...] = ()
    confirmations: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The outcome as the control API shows it."""
        return {
            "sid": self.message.sid if self.message else None,
            "dropped": self.message is None,
            "opt_out_type": self.keyword.value if self.keyword else None,
            "webhook": self._webhook_json(),
            "replies": list(self.replies),
            "confirmations": list(self.confirmations),
        }

    def _webhook_json(self) -> dict[str, Any] | None:
        if self.answer is None:
            return None
        return {
            "url": self.url,
            "status": self.answer.status,
            "content_type": self.answer.content_type,
            "body": self.answer.body,
            "error": None if self.answer.status else self.answer.outcome,
            "attempts": len(self.answer.attempts),
        }
