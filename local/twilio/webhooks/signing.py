"""X-Twilio-Signature: what is signed, and with which spelling of the port.

The URL is signed as it was configured: scheme, credentials, host in its case, path and query, without the fragment.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

type Params = Mapping[str, str | tuple[str, ...]]

AS_IS = "as_is"
WITH_PORT = "with"
WITHOUT_PORT = "without"
STANDARD_PORTS = {"https": ":443", "http": ":80"}
URL_PARTS = re.compile(
    r"(?P<scheme>https?)(?P<start>://(?:[^/?#]*@)?(?:\[[^\]/?#]*\]|[^:/?#]*))(?P<port>:\d*)?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def sign(*, auth_token: str, url: str, params: Params) -> str:
    """HMAC-SHA1 over the URL and the sorted parameters; of a name that comes several times, each value once."""
    text = url + "".join(
        name + value for name in sorted(params) for value in _unique_values(params[name])
    )
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def spell_port(url: str, style: str) -> str:
    """The URL as it is signed: unchanged, with the standard port where none stands, or without any port."""
    parts = URL_PARTS.fullmatch(url)
    if style == AS_IS or parts is None:
        return url
    standard = STANDARD_PORTS[parts["scheme"].lower()]
    port = "" if style == WITHOUT_PORT else parts["port"] or standard
    return f"{parts['scheme']}{parts['start']}{port}{parts['rest']}"


def with_body_hash(url: str, body: bytes) -> str:
    """The URL of a webhook whose body is no form: the body's hash joins the query, and so the signature."""
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}bodySHA256={hashlib.sha256(body).hexdigest()}"


def _unique_values(value: str | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(set(value))
