"""Status callbacks of bundles: a form to the bundle's own URL once its review is over."""

import json

from local.twilio.core.background import Background
from local.twilio.core.debugger import Debugger
from local.twilio.trusthub.bundle import Bundle
from local.twilio.webhooks.client import Call, WebhookClient, new_token

CALLBACK_FAILED = 11200


class Notices:
    """Calls back behind the back of whoever decided."""

    def __init__(
        self,
        *,
        account_sid: str,
        client: WebhookClient,
        debugger: Debugger,
        background: Background,
    ) -> None:
        """Call through a client; failures go to the debugger."""
        self._account_sid = account_sid
        self._client = client
        self._debugger = debugger
        self._background = background

    def announce(self, bundle: Bundle, *, reason: str = "") -> None:
        """Tell the URL of the bundle, if it has one, how the review ended."""
        if not bundle.status_callback:
            return
        fields = {
            "AccountSid": self._account_sid,
            "BundleSid": bundle.sid,
            "Status": bundle.status.value,
        }
        if bundle.errors:
            fields["FailureReason"] = reason
            fields["Errors"] = json.dumps([{"code": code} for code in bundle.errors])
        call = Call(url=bundle.status_callback, params=fields, token=new_token())
        self._background.start(self._send(call, bundle.sid))

    async def _send(self, call: Call, sid: str) -> None:
        answer = await self._client.call(call)
        if not answer.is_success:
            self._debugger.note(CALLBACK_FAILED, url=call.url, sid=sid)
