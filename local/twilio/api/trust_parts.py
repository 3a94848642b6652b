"""Routes of Trust Hub v1 below a bundle: what is assigned to it, and its evaluations."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR
from local.twilio.api.listing import list_answer
from local.twilio.api.trusthub import RESOURCES, BundleResource
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import read_form
from local.twilio.core.times import iso
from local.twilio.trusthub.bundle import Assignment, Bundle
from local.twilio.trusthub.endpoints import PHONE_NUMBER
from local.twilio.trusthub.evaluation import Evaluation
from local.twilio.trusthub.trusthub import TrustHub

type Json = dict[str, Any]

ENTITIES = "EntityAssignments"
ENDPOINTS = "ChannelEndpointAssignments"
EVALUATIONS = "Evaluations"
# part of the path: what the names of its routes call it
PARTS = {
    ENTITIES: "entity_assignments",
    ENDPOINTS: "channel_endpoint_assignments",
    EVALUATIONS: "evaluations",
}
ENDPOINT_FILTERS = frozenset({"ChannelEndpointSid", "ChannelEndpointSids"})


type Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleParts:
    """The sub-resources of one of the two kinds of bundle."""

    owner: BundleResource

    def routes(self) -> list[web.RouteDef]:
        """All routes; evaluations stay."""
        return [
            *self._routes(ENTITIES, self.list_entities, self.assign_entity, self.fetch_entity),
            self._deletion(ENTITIES, self.unassign_entity),
            *self._routes(
                ENDPOINTS, self.list_endpoints, self.assign_endpoint, self.fetch_endpoint
            ),
            self._deletion(ENDPOINTS, self.unassign_endpoint),
            *self._routes(EVALUATIONS, self.list_evaluations, self.evaluate, self.fetch_evaluation),
        ]

    async def list_entities(self, request: web.Request) -> web.Response:
        """A page of what a bundle is made of, of one type if the query names it."""
        bundle = self.owner.find(request)
        found = list(bundle.assignments.values())
        if "ObjectType" in request.query:
            wanted = request.query["ObjectType"]
            found = _trusthub(request).bundles.assignments_of_type(bundle, wanted)
        entries = [self._entity_json(request, bundle, each) for each in found]
        return list_answer(request, entries, key="results")

    async def assign_entity(self, request: web.Request) -> web.Response:
        """Make an end user, a document or another bundle part of a bundle."""
        bundle = self.owner.find(request)
        form = await read_form(request)
        form.require("ObjectSid")
        assignment = _trusthub(request).bundles.assign(bundle, form.get("ObjectSid"))
        return web.json_response(self._entity_json(request, bundle, assignment), status=201)

    async def fetch_entity(self, request: web.Request) -> web.Response:
        """One assignment."""
        bundle = self.owner.find(request)
        assignment = _find(request, bundle.assignments)
        return web.json_response(self._entity_json(request, bundle, assignment))

    async def unassign_entity(self, request: web.Request) -> web.Response:
        """Take something out of a bundle."""
        bundle = self.owner.find(request)
        _trusthub(request).bundles.unassign(bundle, _find(request, bundle.assignments))
        return web.Response(status=204)

    async def list_endpoints(self, request: web.Request) -> web.Response:
        """A page of the numbers on a bundle, only those that the query names if it does."""
        bundle = self.owner.find(request)
        entries = [self._endpoint_json(request, bundle, each) for each in bundle.endpoints.values()]
        for name in ENDPOINT_FILTERS & request.query.keys():
            wanted = request.query[name].split(",")
            entries = [each for each in entries if each["channel_endpoint_sid"] in wanted]
        return list_answer(request, entries, key="results")

    async def assign_endpoint(self, request: web.Request) -> web.Response:
        """Put a number on a bundle."""
        bundle = self.owner.find(request)
        assignment = _trusthub(request).endpoints.assign(bundle, await read_form(request))
        return web.json_response(self._endpoint_json(request, bundle, assignment), status=201)

    async def fetch_endpoint(self, request: web.Request) -> web.Response:
        """One number on a bundle."""
        bundle = self.owner.find(request)
        assignment = _find(request, bundle.endpoints)
        return web.json_response(self._endpoint_json(request, bundle, assignment))

    async def unassign_endpoint(self, request: web.Request) -> web.Response:
        """Take a number off a bundle."""
        bundle = self.owner.find(request)
        del bundle.endpoints[_find(request, bundle.endpoints).sid]
        return web.Response(status=204)

    async def list_evaluations(self, request: web.Request) -> web.Response:
        """A page of the evaluations of a bundle."""
        bundle = self.owner.find(request)
        found = bundle.evaluations.values()
        entries = [self._evaluation_json(request, bundle, each) for each in found]
        return list_answer(request, entries, key="results")

    async def evaluate(self, request: web.Request) -> web.Response:
        """Hold a bundle against its policy."""
        bundle = self.owner.find(request)
        evaluation = _trusthub(request).bundles.evaluate(bundle, await read_form(request))
        return web.json_response(self._evaluation_json(request, bundle, evaluation), status=201)

    async def fetch_evaluation(self, request: web.Request) -> web.Response:
        """One evaluation."""
        bundle = self.owner.find(request)
        evaluation = _find(request, bundle.evaluations)
        return web.json_response(self._evaluation_json(request, bundle, evaluation))

    def _routes(
        self, part: str, list_: Handler, create: Handler, fetch: Handler
    ) -> list[web.RouteDef]:
        many = f"{self.owner.path}/{{bundle}}/{part}"
        return [
            web.get(many, list_, name=self._name(part, "list")),
            web.post(many, create, name=self._name(part, "create")),
            web.get(f"{many}/{{sid}}", fetch, name=self._name(part, "fetch")),
        ]

    def _deletion(self, part: str, delete: Handler) -> web.RouteDef:
        path = f"{self.owner.path}/{{bundle}}/{part}/{{sid}}"
        return web.delete(path, delete, name=self._name(part, "delete"))

    def _name(self, part: str, operation: str) -> str:
        return f"{self.owner.kind}_{PARTS[part]}.{operation}"

    def _entity_json(self, request: web.Request, bundle: Bundle, assignment: Assignment) -> Json:
        shown = self._assignment_json(request, bundle, assignment, ENTITIES)
        return shown | {"object_sid": assignment.object_sid}

    def _endpoint_json(self, request: web.Request, bundle: Bundle, assignment: Assignment) -> Json:
        shown = self._assignment_json(request, bundle, assignment, ENDPOINTS)
        return shown | {
            "channel_endpoint_type": PHONE_NUMBER,
            "channel_endpoint_sid": assignment.object_sid,
        }

    def _assignment_json(
        self, request: web.Request, bundle: Bundle, assignment: Assignment, part: str
    ) -> Json:
        return {
            "sid": assignment.sid,
            "account_sid": request.app[SIMULATOR].account.account_sid,
            **self._owner_of(bundle),
            "date_created": iso(assignment.created),
            "url": f"{self.owner.url_of(request, bundle)}/{part}/{assignment.sid}",
        }

    def _evaluation_json(
        self, request: web.Request, bundle: Bundle, evaluation: Evaluation
    ) -> Json:
        return evaluation.to_json(
            account_sid=request.app[SIMULATOR].account.account_sid,
            owner=self._owner_of(bundle),
            url=f"{self.owner.url_of(request, bundle)}/{EVALUATIONS}/{evaluation.sid}",
        )

    def _owner_of(self, bundle: Bundle) -> Json:
        return {f"{self.owner.kind}_sid": bundle.sid}


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    for resource in RESOURCES:
        app.add_routes(BundleParts(owner=resource).routes())


def _find[T](request: web.Request, parts: Mapping[str, T]) -> T:
    sid = request.match_info["sid"]
    if sid not in parts:
        raise ApiError(20404, path=request.path)
    return parts[sid]


def _trusthub(request: web.Request) -> TrustHub:
    return request.app[SIMULATOR].trusthub
