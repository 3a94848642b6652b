"""Routes of Trust Hub v1: end users, supporting documents, their types, and the policies."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.api.listing import list_answer
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.trusthub.entities import Entities, Entity
from local.twilio.trusthub.policies import POLICIES
from local.twilio.trusthub.trusthub import TrustHub
from local.twilio.trusthub.types import DOCUMENT_TYPES, END_USER_TYPES

type Json = dict[str, Any]


class Fixed(Protocol):
    """Something that Twilio defines."""

    @property
    def sid(self) -> str:
        """Its SID."""

    def to_json(self, url: str) -> Json:
        """Its resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResource:
    """A resource that can be read only."""

    path: str
    name: str
    key: str
    entries: tuple[Fixed, ...]

    def routes(self) -> list[web.RouteDef]:
        """List and fetch."""
        return [
            web.get(self.path, self.list, name=f"{self.name}.list"),
            web.get(f"{self.path}/{{sid}}", self.fetch, name=f"{self.name}.fetch"),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """A page of all entries."""
        shown = [self._json(request, entry) for entry in self.entries]
        return list_answer(request, shown, key=self.key)

    async def fetch(self, request: web.Request) -> web.Response:
        """One entry."""
        sid = request.match_info["sid"]
        for entry in self.entries:
            if entry.sid == sid:
                return web.json_response(self._json(request, entry))
        raise ApiError(20404, path=request.path)

    def _json(self, request: web.Request, entry: Fixed) -> Json:
        return entry.to_json(f"{base_url(request)}{self.path}/{entry.sid}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityResource:
    """End users or supporting documents."""

    path: str
    name: str
    store: Callable[[TrustHub], Entities]
    remove: Callable[[TrustHub, Entity], None]
    show: Callable[..., Json]

    def routes(self) -> list[web.RouteDef]:
        """List, create, fetch, update and delete."""
        one = f"{self.path}/{{sid}}"
        return [
            web.get(self.path, self.list, name=f"{self.name}.list"),
            web.post(self.path, self.create, name=f"{self.name}.create"),
            web.get(one, self.fetch, name=f"{self.name}.fetch"),
            web.post(one, self.update, name=f"{self.name}.update"),
            web.delete(one, self.delete, name=f"{self.name}.delete"),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """A page of all."""
        shown = [self._json(request, each) for each in self.store(_trusthub(request))]
        return list_answer(request, shown, key="results")

    async def create(self, request: web.Request) -> web.Response:
        """Make one."""
        now = request.app[SIMULATOR].clock.now()
        entity = self.store(_trusthub(request)).create(await read_form(request), now)
        return web.json_response(self._json(request, entity), status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        """One of them."""
        return web.json_response(self._json(request, self._find(request)))

    async def update(self, request: web.Request) -> web.Response:
        """Change what was sent; attributes are replaced as a whole."""
        entity = self._find(request)
        entity.change(await read_form(request), request.app[SIMULATOR].clock.now())
        return web.json_response(self._json(request, entity))

    async def delete(self, request: web.Request) -> web.Response:
        """Remove one."""
        self.remove(_trusthub(request), self._find(request))
        return web.Response(status=204)

    def _find(self, request: web.Request) -> Entity:
        sid = request.match_info["sid"]
        return self.store(_trusthub(request)).find(sid, path=request.path)

    def _json(self, request: web.Request, entity: Entity) -> Json:
        account_sid = request.app[SIMULATOR].account.account_sid
        url = f"{base_url(request)}{self.path}/{entity.sid}"
        return self.show(entity, account_sid=account_sid, url=url)


RESOURCES: Iterable[FixedResource | EntityResource] = (
    EntityResource(
        path="/v1/EndUsers",
        name="end_users",
        store=lambda trusthub: trusthub.end_users,
        remove=TrustHub.delete_end_user,
        show=Entity.to_json,
    ),
    EntityResource(
        path="/v1/SupportingDocuments",
        name="supporting_documents",
        store=lambda trusthub: trusthub.documents,
        remove=TrustHub.delete_document,
        show=Entity.document_json,
    ),
    FixedResource(
        path="/v1/EndUserTypes",
        name="end_user_types",
        key="end_user_types",
        entries=tuple(END_USER_TYPES.values()),
    ),
    FixedResource(
        path="/v1/SupportingDocumentTypes",
        name="supporting_document_types",
        key="supporting_document_types",
        entries=tuple(DOCUMENT_TYPES.values()),
    ),
    FixedResource(
        path="/v1/Policies", name="policies", key="results", entries=tuple(POLICIES.values())
    ),
)


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    for resource in RESOURCES:
        app.add_routes(resource.routes())


def _trusthub(request: web.Request) -> TrustHub:
    return request.app[SIMULATOR].trusthub
