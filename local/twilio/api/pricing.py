"""Routes of Pricing v1: what messages to and from a country cost."""

from typing import Any

from aiohttp import web

from local.twilio.api.edge import SIMULATOR, base_url
from local.twilio.core.errors import ApiError
from local.twilio.core.paging import cut_page, product_envelope, read_page_request
from local.twilio.pricing.prices import PRICE_UNIT, CountryPrices

COUNTRIES = "/v1/Messaging/Countries"


def add_routes(app: web.Application) -> None:
    """Hang the routes into the application."""
    app.add_routes(
        [
            web.get(COUNTRIES, list_countries, name="messaging_countries.list"),
            web.get(f"{COUNTRIES}/{{country}}", fetch, name="messaging_countries.fetch"),
        ]
    )


async def list_countries(request: web.Request) -> web.Response:
    """A page of countries, without prices."""
    countries = request.app[SIMULATOR].prices.countries()
    entries = [_country_json(request, each) for each in countries]
    page = cut_page(entries, read_page_request(request.query), key="iso_country")
    url = base_url(request) + request.path
    envelope = product_envelope(page, url=url, query=request.query, key="countries")
    return web.json_response(envelope)


async def fetch(request: web.Request) -> web.Response:
    """The prices of one country."""
    country = request.app[SIMULATOR].prices.find(request.match_info["country"].upper())
    if country is None:
        raise ApiError(20404, path=request.path)
    prices = {
        "outbound_sms_prices": country.outbound_json(),
        "inbound_sms_prices": country.inbound_json(),
        "price_unit": PRICE_UNIT,
    }
    return web.json_response(_country_json(request, country) | prices)


def _country_json(request: web.Request, country: CountryPrices) -> dict[str, Any]:
    return {
        "country": country.name,
        "iso_country": country.iso_country,
        "url": f"{base_url(request)}{COUNTRIES}/{country.iso_country}",
    }
