"""What the sub-resources of a service for its senders have in common: create, list, fetch, delete."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from local.twilio.account.senders import Sender
from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.api.services import SERVICE, find_service
from local.twilio.core.errors import ApiError
from local.twilio.core.forms import Form, read_form
from local.twilio.core.paging import cut_page, product_envelope, read_page_request
from local.twilio.core.times import iso
from local.twilio.services.service import Service
from local.twilio.services.services import Services

type Json = dict[str, Any]
type Attach = Callable[[Services, Service, Form, datetime], Sender]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolResource:
    """One sub-resource: `holds` tells which senders of the pool it shows, `show` adds what is its own."""

    path: str
    name: str
    attach: Attach
    holds: Callable[[Sender], bool]
    show: Callable[[Sender], Json]
    key: str
    service_key: str = "service_sid"
    filters: dict[str, Callable[[Sender], str]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """List, create, fetch and delete; nothing can be changed."""
        many = f"{SERVICE}/{self.path}"
        one = f"{many}/{{sid}}"
        return [
            web.get(many, self.list, name=f"{self.name}.list"),
            web.post(many, self.create, name=f"{self.name}.create"),
            web.get(one, self.fetch, name=f"{self.name}.fetch"),
            web.delete(one, self.delete, name=f"{self.name}.delete"),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """A page of the senders of this sort."""
        service = find_service(request)
        wanted = [each for each in service.pool if self.holds(each) and self._fits(request, each)]
        shown = [self._to_json(request, service, sender) for sender in wanted]
        page = cut_page(shown, read_page_request(request.query))
        url = base_url(request) + request.path
        return web.json_response(product_envelope(page, url=url, query=request.query, key=self.key))

    async def create(self, request: web.Request) -> web.Response:
        """Put a sender into the pool."""
        service = find_service(request)
        simulator = request.app[SIMULATOR]
        form = await read_form(request)
        sender = self.attach(simulator.services, service, form, simulator.clock.now())
        return web.json_response(self._to_json(request, service, sender), status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        """One sender."""
        service = find_service(request)
        return web.json_response(self._to_json(request, service, self._find(request, service)))

    async def delete(self, request: web.Request) -> web.Response:
        """Take a sender out of the pool; it stays on the account."""
        service = find_service(request)
        service.detach(self._find(request, service))
        return web.Response(status=204)

    def _fits(self, request: web.Request, sender: Sender) -> bool:
        """The sender is what the query asks for."""
        return all(
            request.query[name].upper() == value_of(sender)
            for name, value_of in self.filters.items()
            if request.query.get(name)
        )

    def _find(self, request: web.Request, service: Service) -> Sender:
        services = request.app[SIMULATOR].services
        sender = services.find_sender(service, request.match_info["sid"], path=request.path)
        if not self.holds(sender):
            raise ApiError(20404, path=request.path)
        return sender

    def _to_json(self, request: web.Request, service: Service, sender: Sender) -> Json:
        attached = iso(service.attached_at(sender.sid) or sender.created)
        return {
            "sid": sender.sid,
            "account_sid": request.app[SIMULATOR].account.account_sid,
            self.service_key: service.sid,
            "date_created": attached,
            "date_updated": attached,
            **self.show(sender),
            "url": f"{base_url(request)}/v1/Services/{service.sid}/{self.path}/{sender.sid}",
        }
