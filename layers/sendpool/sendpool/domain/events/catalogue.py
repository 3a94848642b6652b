"""What each event tells: for who describes them all (docs/events.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sendpool.domain.events.a2p import RegistrationData
from sendpool.domain.events.broadcasts import BroadcastData
from sendpool.domain.events.clicks import ClickData
from sendpool.domain.events.event import EventType
from sendpool.domain.events.messages import OF_A_STATUS, MessageData
from sendpool.domain.events.people import OptOutData, ReceivedData
from sendpool.domain.events.service import DriftData, SenderData
from sendpool.domain.events.toll_free import TollFreeData

DATA: Final[Mapping[EventType, type]] = {
    **dict.fromkeys((EventType.ACCEPTED, *OF_A_STATUS.values()), MessageData),
    EventType.RECEIVED: ReceivedData,
    **dict.fromkeys((EventType.OPTED_OUT, EventType.OPTED_IN), OptOutData),
    EventType.CLICKED: ClickData,
    **dict.fromkeys((each for each in EventType if each.startswith("broadcast.")), BroadcastData),
    **dict.fromkeys(
        (EventType.PROFILE_CHANGED, EventType.BRAND_CHANGED, EventType.CAMPAIGN_CHANGED),
        RegistrationData,
    ),
    **dict.fromkeys((EventType.SENDER_ADDED, EventType.SENDER_REMOVED), SenderData),
    EventType.SERVICE_DRIFTED: DriftData,
    EventType.TOLL_FREE_CHANGED: TollFreeData,
}
