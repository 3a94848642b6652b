"""Prices in S3, `prices/<country>.json`: what one function asked Twilio, all others need not.

A file is put whole or not at all. Two that put the same country at once asked for the same prices, so it does not
matter who is last. The bucket lets a file go after 30 days; prices so old would help nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sendpool.domain.prices import CountryPrices

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class PriceFiles:
    """The prices in the bucket."""

    client: S3Client
    bucket: str

    def get(self, country: str) -> CountryPrices | None:
        """Return a country's prices; None when there are none, or none that can be read."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=_key(country))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
        try:
            return CountryPrices.from_plain(json.loads(answer["Body"].read()))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None  # of another version; the next put replaces it

    def put(self, prices: CountryPrices) -> None:
        self.client.put_object(
            Bucket=self.bucket,
            Key=_key(prices.country),
            Body=json.dumps(prices.to_plain()).encode(),
            ContentType="application/json",
        )


def _key(country: str) -> str:
    return f"prices/{country}.json"
