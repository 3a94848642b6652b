"""End users and supporting documents: typed attributes that bundles are made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.twilio.core.errors import ApiError, invalid_parameter
from local.twilio.core.forms import Form
from local.twilio.core.sids import new_sid
from local.twilio.core.times import iso
from local.twilio.trusthub.types import EntityType


class DocumentStatus(StrEnum):
    """How far a document is; it goes with the bundle that it is assigned to."""

    DRAFT = "DRAFT"
    PENDING_REVIEW = "PENDING_REVIEW"
    REJECTED = "REJECTED"
    APPROVED = "APPROVED"


@dataclass(slots=True, kw_only=True)
class Entity:
    """One end user or document; the status means something for documents only."""

    sid: str
    type: EntityType
    friendly_name: str
    created: datetime
    updated: datetime
    attributes: Mapping[str, object] = field(default_factory=dict)
    status: DocumentStatus = DocumentStatus.DRAFT

    def change(self, form: Form, now: datetime) -> None:
        """Take over the fields that were sent; ApiError 20001 if the attributes are no JSON object."""
        attributes = form.json_object("Attributes")
        if "Attributes" in form:
            self.attributes = attributes
        self.friendly_name = form.get("FriendlyName") or self.friendly_name
        self.updated = now

    def to_json(self, *, account_sid: str, url: str) -> dict[str, Any]:
        """What both resources show."""
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "friendly_name": self.friendly_name,
            "type": self.type.name,
            "attributes": dict(self.attributes),
            "date_created": iso(self.created),
            "date_updated": iso(self.updated),
            "url": url,
        }

    def document_json(self, *, account_sid: str, url: str) -> dict[str, Any]:
        """What a document shows; no file belongs to it, so it has no type of content."""
        shown = self.to_json(account_sid=account_sid, url=url)
        return shown | {"status": self.status.value, "mime_type": None}


class Entities:
    """The entities of one sort, in order of making; their SIDs begin with `prefix`."""

    def __init__(self, prefix: str, types: Mapping[str, EntityType]) -> None:
        """Start with none."""
        self.prefix = prefix
        self._types = types
        self._by_sid: dict[str, Entity] = {}

    def __iter__(self) -> Iterator[Entity]:
        """All entities."""
        return iter(list(self._by_sid.values()))

    def get(self, sid: str) -> Entity | None:
        """The entity with that SID, if there is one."""
        return self._by_sid.get(sid)

    def find(self, sid: str, *, path: str) -> Entity:
        """The entity with that SID; ApiError 20404 if there is none."""
        if sid not in self._by_sid:
            raise ApiError(20404, path=path)
        return self._by_sid[sid]

    def create(self, form: Form, now: datetime) -> Entity:
        """An entity from a form; ApiError 20001 if its type is unknown."""
        form.require("FriendlyName", "Type")
        if form.get("Type") not in self._types:
            raise invalid_parameter("Type", form.get("Type"))
        entity = Entity(
            sid=new_sid(self.prefix),
            type=self._types[form.get("Type")],
            friendly_name=form.get("FriendlyName"),
            created=now,
            updated=now,
        )
        entity.change(form, now)
        return self.add(entity)

    def add(self, entity: Entity) -> Entity:
        """Take an entity in."""
        self._by_sid[entity.sid] = entity
        return entity

    def remove(self, entity: Entity) -> None:
        """Forget an entity."""
        del self._by_sid[entity.sid]

    def clear(self) -> None:
        """Forget all."""
        self._by_sid.clear()
