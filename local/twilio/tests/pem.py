"""Certificates for tests: a chain of two, and the key, in one PEM text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2120, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@cache
def new_key(_name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def authority(name: str) -> Authority:
    key = new_key(name)
    builder = _builder(name, name, key, LONG_AGO, FAR_AWAY)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def certificate(
    *names: str,
    signer: Authority | None,
    starts: datetime = LONG_AGO,
    ends: datetime = FAR_AWAY,
    must_staple: bool = False,
) -> x509.Certificate:
    """A certificate for the names with the key named after the first; without a signer it signs itself."""
    key = new_key(names[0])
    issuer = signer.certificate.subject.rfc4514_string().removeprefix("CN=") if signer else names[0]
    builder = _builder(names[0], issuer, key, starts, ends).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
    )
    if must_staple:
        builder = builder.add_extension(
            x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False
        )
    return builder.sign(signer.key if signer else key, hashes.SHA256())


def pem(chain: Sequence[x509.Certificate], key_of: str, password: bytes | None = None) -> str:
    """The chain and a key, as TlsCert takes them."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    key = new_key(key_of).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return b"".join([*(each.public_bytes(Encoding.PEM) for each in chain), key]).decode()


def valid_pem(host: str, *, ends: datetime = FAR_AWAY) -> str:
    """What an owner of that host would upload."""
    signer = authority("Test CA")
    return pem([certificate(host, signer=signer, ends=ends), signer.certificate], host)


def _builder(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, starts: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
