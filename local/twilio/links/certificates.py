"""Certificates of link shortening domains, and the checks of one that is uploaded.

Twilio trusts the public authorities; here any chain will do in which each certificate is issued by the next.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local.twilio.core.errors import ApiError

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]*)PRIVATE KEY-----.+?-----END (?P=kind)PRIVATE KEY-----", re.DOTALL
)
EXPIRED = 30102
INCOMPLETE = 30116
UNREADABLE = 30117
KEY_INVALID = 30118
PAIR_INVALID = 30119
SELF_SIGNED = 30129
NOT_VALIDATED = 30132
OCSP_REQUIRED = 30140


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that Twilio holds: asked for by Twilio itself (`is_managed`) or uploaded."""

    sid: str
    created: datetime
    updated: datetime
    expires: datetime
    is_managed: bool


def check_upload(pem: str, *, host: str, now: datetime) -> datetime:
    """When an uploaded certificate expires; ApiError with the code of what is wrong with chain or key."""
    chain, key = _read(pem)
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        raise ApiError(PAIR_INVALID)
    if _is_issued_by(leaf, leaf):
        raise ApiError(SELF_SIGNED)
    if _requires_ocsp(leaf):
        raise ApiError(OCSP_REQUIRED)
    if leaf.not_valid_after_utc <= now:
        raise ApiError(EXPIRED)
    if leaf.not_valid_before_utc > now or not _names(leaf, host) or not _is_linked(chain):
        raise ApiError(NOT_VALIDATED)
    return leaf.not_valid_after_utc


def _read(pem: str) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    """The chain, the domain's own certificate first, and the private key."""
    certificates = CERTIFICATE.findall(pem)
    key = PRIVATE_KEY.search(pem)
    if not certificates or key is None:
        raise ApiError(INCOMPLETE)
    try:
        chain = [x509.load_pem_x509_certificate(each.encode()) for each in certificates]
    except ValueError as exc:
        raise ApiError(UNREADABLE) from exc
    return chain, _read_key(key.group())


def _read_key(pem: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:  # TypeError: it has a passphrase
        raise ApiError(KEY_INVALID) from exc


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_linked(chain: list[x509.Certificate]) -> bool:
    """The chain goes beyond the domain's own certificate without a gap."""
    return len(chain) > 1 and all(_is_issued_by(each, issuer) for each, issuer in pairwise(chain))


def _requires_ocsp(certificate: x509.Certificate) -> bool:
    try:
        features = certificate.extensions.get_extension_for_class(x509.TLSFeature).value
    except x509.ExtensionNotFound:
        return False
    return x509.TLSFeatureType.status_request in features


def _names(certificate: x509.Certificate, host: str) -> bool:
    """The certificate covers a host, by its name or by a wildcard in place of its first label."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    covered = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    return bool(covered & {host, f"*.{host.partition('.')[2]}"})
