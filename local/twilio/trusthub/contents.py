"""What bundles are made of: the objects behind their assignments."""

from collections.abc import Callable, Mapping
from datetime import datetime

from local.twilio.core.sids import new_sid
from local.twilio.trusthub.bundle import Bundle
from local.twilio.trusthub.entities import Entities, Entity
from local.twilio.trusthub.evaluation import Evaluation, Parts, evaluate


class Contents:
    """Looks objects up in the stores of end users, documents and bundles."""

    def __init__(
        self,
        *,
        end_users: Entities,
        documents: Entities,
        bundles: Mapping[str, Bundle],
        has_address: Callable[[str], bool],
    ) -> None:
        """`has_address` tells of a SID whether the account has such an address."""
        self._end_users = end_users
        self._documents = documents
        self._bundles = bundles
        self._has_address = has_address

    def type_of(self, object_sid: str) -> str | None:
        """The type of an end user, document or bundle, as policies call it; None if there is no such object."""
        entity = self._end_users.get(object_sid) or self._documents.get(object_sid)
        if entity is not None:
            return entity.type.name
        bundle = self._bundles.get(object_sid)
        return bundle.policy.profile_type if bundle else None

    def entities_of(self, bundle: Bundle) -> list[Entity]:
        """The end users and documents of a bundle."""
        found = (self._end_users.get(sid) or self._documents.get(sid) for sid in bundle.object_sids)
        return [entity for entity in found if entity is not None]

    def attributes_of(self, bundle: Bundle, type_name: str) -> Mapping[str, object]:
        """The attributes of the bundle's end user or document of a type, none if it has none."""
        found = (each for each in self.entities_of(bundle) if each.type.name == type_name)
        entity = next(found, None)
        return entity.attributes if entity else {}

    def texts_of(self, bundle: Bundle) -> list[str]:
        """Everything that a reviewer reads."""
        attributes = [
            str(value) for each in self.entities_of(bundle) for value in each.attributes.values()
        ]
        return [bundle.friendly_name, *attributes]

    def evaluate(self, bundle: Bundle, now: datetime) -> Evaluation:
        """Hold a bundle against its policy."""
        return Evaluation(
            sid=new_sid("EL"),
            policy_sid=bundle.policy.sid,
            created=now,
            results=evaluate(bundle.policy, self._parts_of(bundle)),
        )

    def _parts_of(self, bundle: Bundle) -> Parts:
        sids = bundle.object_sids
        profiles = [each for sid, each in self._bundles.items() if sid in sids]
        return Parts(
            end_users=[each for each in self._end_users if each.sid in sids],
            documents=[each for each in self._documents if each.sid in sids],
            profiles={each.policy.profile_type: each.is_approved for each in profiles},
            has_address=self._has_address,
        )
