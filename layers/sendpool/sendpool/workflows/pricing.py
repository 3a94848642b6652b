"""Prices at hand: fresh for a day, asked for once by whoever needs them first, old ones when Twilio cannot be asked.

They are kept in the process and in S3. When a question to Twilio fails, nobody in this process asks again for a
while: an estimate is not worth waiting for one timeout a country.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock

from sendpool.adapters.prices import PriceFiles
from sendpool.adapters.twilio.pricing import PriceList
from sendpool.domain.errors import TwilioBusyError, TwilioUnavailableError
from sendpool.domain.prices import CountryPrices, PriceTable, table_of

FRESH = timedelta(hours=24)
_SILENCE = timedelta(minutes=1)


class Prices:
    """What messages cost, country by country. Several threads may ask."""

    def __init__(
        self, *, files: PriceFiles, price_list: PriceList, now: Callable[[], datetime]
    ) -> None:
        self._files = files
        self._price_list = price_list
        self._now = now
        self._known: dict[str, CountryPrices] = {}
        self._silent_until: datetime | None = None
        self._lock = Lock()

    def table(self, countries: Iterable[str]) -> PriceTable | None:
        """Return the prices of these countries (ISO 3166 letters); None when there are none, old ones included.

        Countries without a known price are missing in it. Its `fetched_at` tells its age. Costs one question to
        Twilio for each country that nobody asked for in a day.
        """
        return table_of(filter(None, map(self.of, sorted(set(countries)))))

    def of(self, country: str) -> CountryPrices | None:
        """Return one country's prices, fresh if possible; None when nobody ever got an answer about it."""
        with self._lock:
            known = self._known.get(country)
            if not self._is_fresh(known):
                known = self._newest(country, known)
            if known:
                self._known[country] = known
            return known

    def _newest(self, country: str, known: CountryPrices | None) -> CountryPrices | None:
        kept = self._files.get(country)
        if self._is_fresh(kept):
            return kept
        if self._silent_until is None or self._now() >= self._silent_until:
            try:
                asked = self._price_list.ask(country, now=self._now())
            except TwilioBusyError as busy:
                asked_for = timedelta(seconds=busy.retry_after or 0)
                self._silent_until = self._now() + max(_SILENCE, asked_for)
            except TwilioUnavailableError:
                self._silent_until = self._now() + _SILENCE
            else:
                self._files.put(asked)
                return asked
        return kept or known

    def _is_fresh(self, prices: CountryPrices | None) -> bool:
        return prices is not None and self._now() - prices.fetched_at < FRESH
