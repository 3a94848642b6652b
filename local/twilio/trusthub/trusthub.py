"""The Trust Hub as a whole."""

from collections.abc import Callable, Mapping

from local.twilio.core.clock import Clock
from local.twilio.core.errors import ApiError
from local.twilio.core.reviews import Reviews
from local.twilio.core.settings import Behaviour
from local.twilio.trusthub.bundle import Bundle
from local.twilio.trusthub.bundles import Bundles
from local.twilio.trusthub.endpoints import Endpoints
from local.twilio.trusthub.entities import Entities, Entity
from local.twilio.trusthub.notices import Notices
from local.twilio.trusthub.start import start_bundles, start_document, start_end_users
from local.twilio.trusthub.types import DOCUMENT_TYPES, END_USER_TYPES

END_USER_ASSIGNED = 21644
DOCUMENT_ASSIGNED = 21645


class TrustHub:
    """End users, documents, and the customer profiles and trust products that are made of them."""

    def __init__(
        self,
        *,
        clock: Clock,
        reviews: Reviews,
        notices: Notices,
        behaviour: Callable[[], Behaviour],
        has_address: Callable[[str], bool],
        has_number: Callable[[str], bool],
    ) -> None:
        """Start with the account's own approved business; addresses and numbers are asked for by SID."""
        self._clock = clock
        self.end_users = Entities("IT", END_USER_TYPES)
        self.documents = Entities("RD", DOCUMENT_TYPES)
        self.endpoints = Endpoints(clock=clock, has_number=has_number)
        self.bundles = Bundles(
            end_users=self.end_users,
            documents=self.documents,
            clock=clock,
            reviews=reviews,
            notices=notices,
            behaviour=behaviour,
            has_address=has_address,
        )
        self.restore()

    def restore(self) -> None:
        """Put everything back to the start."""
        now = self._clock.now()
        for store in (self.end_users, self.documents, self.bundles):
            store.clear()
        for end_user in start_end_users(now):
            self.end_users.add(end_user)
        self.documents.add(start_document(now))
        for bundle in start_bundles(now):
            self.bundles.add(bundle)

    def resume(self) -> None:
        """Ask anew for what waited when all reviews were forgotten."""
        self.bundles.resume()

    def delete_end_user(self, end_user: Entity) -> None:
        """Remove an end user; ApiError 21644 while a bundle has it."""
        self._delete(self.end_users, end_user, END_USER_ASSIGNED)

    def delete_document(self, document: Entity) -> None:
        """Remove a document; ApiError 21645 while a bundle has it."""
        self._delete(self.documents, document, DOCUMENT_ASSIGNED)

    def find_bundle(self, sid: str) -> Bundle | None:
        """The customer profile or trust product with that SID."""
        return self.bundles.get(sid)

    def attributes_of(self, bundle_sid: str, type_name: str) -> Mapping[str, object]:
        """What the end user or document of a type says in a bundle; nothing if either is missing."""
        bundle = self.bundles.get(bundle_sid)
        return self.bundles.attributes_of(bundle, type_name) if bundle else {}

    def _delete(self, store: Entities, entity: Entity, code: int) -> None:
        if self.bundles.holders_of(entity.sid):
            raise ApiError(code)
        store.remove(entity)
