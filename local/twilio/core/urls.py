"""URLs that users give: webhooks, media."""

from urllib.parse import urlsplit


def is_web_url(url: str) -> bool:
    """An absolute http(s) URL. `$` in the path and a literal address with a port are fine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises on a port that is none
    except ValueError:
        return False
    has_blank = any(character.isspace() for character in url)
    return parts.scheme in {"http", "https"} and host != "" and "_" not in host and not has_blank
