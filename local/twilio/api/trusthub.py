"""Routes of Trust Hub v1: customer profiles and trust products, which are the same but for their policies."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.api.listing import list_answer
from local.twilio.core.errors import invalid_parameter
from local.twilio.core.forms import read_form
from local.twilio.trusthub.bundle import Bundle, BundleStatus
from local.twilio.trusthub.bundles import Bundles
from local.twilio.trusthub.policies import BundleKind

type Json = dict[str, Any]

# filter: field of the JSON
FILTERS = {"Status": "status", "FriendlyName": "friendly_name", "PolicySid": "policy_sid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleResource:
    """One of the two resources: its path and its kind."""

    path: str
    kind: BundleKind

    def routes(self) -> list[web.RouteDef]:
        """List, create, fetch, update and delete."""
        one = f"{self.path}/{{bundle}}"
        name = f"{self.kind}s"
        return [
            web.get(self.path, self.list, name=f"{name}.list"),
            web.post(self.path, self.create, name=f"{name}.create"),
            web.get(one, self.fetch, name=f"{name}.fetch"),
            web.post(one, self.update, name=f"{name}.update"),
            web.delete(one, self.delete, name=f"{name}.delete"),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """A page of the bundles that fit the filters."""
        status = request.query.get("Status")
        if status is not None and status not in set(BundleStatus):
            raise invalid_parameter("Status", status)
        entries = [self._json(request, each) for each in _bundles(request).of_kind(self.kind)]
        for name in FILTERS.keys() & request.query.keys():
            entries = [each for each in entries if each[FILTERS[name]] == request.query[name]]
        return list_answer(request, entries, key="results")

    async def create(self, request: web.Request) -> web.Response:
        """Make a draft."""
        bundle = _bundles(request).create(await read_form(request), self.kind)
        return web.json_response(self._json(request, bundle), status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        """One bundle."""
        return web.json_response(self._json(request, self.find(request)))

    async def update(self, request: web.Request) -> web.Response:
        """Change or submit a bundle."""
        bundle = self.find(request)
        _bundles(request).update(bundle, await read_form(request))
        return web.json_response(self._json(request, bundle))

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a bundle."""
        _bundles(request).delete(self.find(request))
        return web.Response(status=204)

    def find(self, request: web.Request) -> Bundle:
        """The bundle named in the path; ApiError 20404 if there is none of this kind."""
        sid = request.match_info["bundle"]
        return _bundles(request).find(sid, self.kind, path=request.path)

    def url_of(self, request: web.Request, bundle: Bundle) -> str:
        """Where a bundle is."""
        return f"{base_url(request)}{self.path}/{bundle.sid}"

    def _json(self, request: web.Request, bundle: Bundle) -> Json:
        account_sid = request.app[SIMULATOR].account.account_sid
        return bundle.to_json(account_sid=account_sid, url=self.url_of(request, bundle))


RESOURCES = (
    BundleResource(path="/v1/CustomerProfiles", kind=BundleKind.CUSTOMER_PROFILE),
    BundleResource(path="/v1/TrustProducts", kind=BundleKind.TRUST_PRODUCT),
)


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    for resource in RESOURCES:
        app.add_routes(resource.routes())


def _bundles(request: web.Request) -> Bundles:
    return request.app[SIMULATOR].trusthub.bundles
