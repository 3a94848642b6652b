"""Phone numbers as channel endpoints of a bundle."""

from collections.abc import Callable

from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form
from local.twilio.core.sids import new_sid
from local.twilio.trusthub.bundle import Assignment, Bundle

PHONE_NUMBER = "phone-number"
CONFLICT = 20409


class Endpoints:
    """Puts numbers of the account on bundles, whatever their status."""

    def __init__(self, *, clock: Clock, has_number: Callable[[str], bool]) -> None:
        """`has_number` tells of a SID whether it is a number of the account."""
        self._clock = clock
        self._has_number = has_number

    def assign(self, bundle: Bundle, form: Form) -> Assignment:
        """A number for a bundle; ApiError 20404 if the account lacks it, 20409 if the bundle has it."""
        form.require("ChannelEndpointType", "ChannelEndpointSid")
        form.choice("ChannelEndpointType", (PHONE_NUMBER,))
        number_sid = form.get("ChannelEndpointSid")
        if not self._has_number(number_sid):
            raise ApiError(20404, path=number_sid)
        if any(each.object_sid == number_sid for each in bundle.endpoints.values()):
            raise ApiError(CONFLICT)
        assignment = Assignment(sid=new_sid("RA"), object_sid=number_sid, created=self._clock.now())
        bundle.endpoints[assignment.sid] = assignment
        return assignment
