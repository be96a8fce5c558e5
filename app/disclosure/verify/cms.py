"""Signed data (RFC 5652) in the one strict form in which a seal and a timestamp are written: no bit of it without meaning.

Other readers pass over what a signature does not cover: further algorithms,
certificates that nobody needs, remarks beside the signature. Here each of
these has one value that follows from the rest, or is itself signed; so that a
flipped bit anywhere is refused.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.utils import CryptographyDeprecationWarning

from app.disclosure.verify.der import INTEGER, NULL, OCTETS, SEQUENCE, SET, NotDer, Value, read

DATA, TIMESTAMP = "1.2.840.113549.1.7.1", "1.2.840.113549.1.9.16.1.4"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_DIGESTS: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": ("sha256", hashes.SHA256()),
    "2.16.840.1.101.3.4.2.2": ("sha384", hashes.SHA384()),
    "2.16.840.1.101.3.4.2.3": ("sha512", hashes.SHA512()),
}
_RSA = "1.2.840.113549.1.1.1"
_RSA_WITH = {
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
_EC_WITH = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
_ED25519 = "1.3.101.112"


class NotSigned(Exception):
    """Bytes are no signed data as it is written here."""


class Forged(Exception):
    """The signature is not over this content, or not by the key that it names."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Signed data: what kind of content, the content where it lies inside, the certificates, and the signer's own."""

    kind: str
    content: bytes | None
    certificates: Sequence[x509.Certificate]
    signer: x509.Certificate
    digest: str
    attributes: Value
    algorithm: str
    signature: bytes

    def check(self, content: bytes) -> None:
        """Raise `Forged` unless the signer signed `content`."""
        name, algorithm = _DIGESTS[self.digest]
        wanted = hashlib.new(name, content).digest()
        message = bytes([SET]) + self.attributes.whole[1:]
        try:
            said = _attributes(self.attributes)
            if said.get(_CONTENT_TYPE) != [_oid(self.kind)] or said.get(_MESSAGE_DIGEST) != [_octets(wanted)]:
                raise Forged("the signature is over something else")
            self._verify(name, algorithm, message)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
            raise Forged("the signature is not by the key that it names") from error

    def _verify(self, name: str, algorithm: hashes.HashAlgorithm, message: bytes) -> None:
        key = self.signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and self.algorithm in (_RSA, _RSA_WITH[name]):
            key.verify(self.signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and self.algorithm == _EC_WITH[name]:
            key.verify(self.signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey) and self.algorithm == _ED25519:
            key.verify(self.signature, message)
        else:
            raise Forged("the signature names an algorithm that its key does not have")

    def strangers(self, known: Iterable[x509.Certificate]) -> list[x509.Certificate]:
        """Its certificates that neither stand among `known`, nor were issued by one there or beside them."""
        others = [*known, *self.certificates]
        return [
            one
            for one in self.certificates
            if one not in others[: -len(self.certificates)] and not _issued(one, others)
        ]


def signed(data: bytes) -> Signed:
    """Read signed data with one signer; raises `NotSigned` for any other form."""
    try:
        with warnings.catch_warnings():
            # A number that it should not have is for those to judge who read the chain; openssl does.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return _signed(read(data))
    except (NotDer, ValueError, IndexError) as error:
        raise NotSigned(str(error) or "it is cut off") from error


def token_of(response: bytes) -> bytes:
    """The signed data inside a timestamp that was granted (RFC 3161, 2.4.2); raises `NotSigned` otherwise."""
    try:
        status, token = read(response).parts()
        if status.tag != SEQUENCE or [one.whole for one in status.parts()] != [bytes([INTEGER, 1, 0])]:
            raise NotSigned("the authority did not plainly grant it")
    except (NotDer, ValueError) as error:
        raise NotSigned(str(error)) from error
    return token.whole


def _oid(dotted: str) -> bytes:
    """An object identifier in DER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    coded = bytearray()
    for part in (40 * first + second, *rest):
        septets = [part & 0x7F]
        left = part >> 7
        while left:
            septets.append(left & 0x7F | 0x80)
            left >>= 7
        coded += bytes(reversed(septets))
    return bytes([0x06, len(coded)]) + bytes(coded)


def _octets(content: bytes) -> bytes:
    return bytes([OCTETS, len(content)]) + content


def _signed(value: Value) -> Signed:
    kind, held = value.parts()
    if value.tag != SEQUENCE or kind.oid() != _SIGNED_DATA or held.tag != 0xA0:
        raise NotDer("it is no signed data")
    (inner,) = held.parts()
    if inner.tag != SEQUENCE:
        raise NotDer("it is no signed data")
    version, digests, wrapped, certified, *crls, signers = inner.parts()
    (signer,) = signers.parts()
    if digests.tag != SET or certified.tag != 0xA0 or signers.tag != SET or signer.tag != SEQUENCE:
        raise NotDer("its parts do not stand in their order")
    if any(one.tag != 0xA1 for one in crls) or len(crls) > 1:
        raise NotDer("it holds a part that is not known")
    content_type, *contents = wrapped.parts()
    of = content_type.oid()
    if wrapped.tag != SEQUENCE or version.integer() != (1 if of == DATA else 3):
        raise NotDer("its version is not that of its content")
    certificates = [_certificate(one) for one in certified.parts()]
    which, digest, attributes, algorithm, signature = _signer(signer)
    if digest not in [_algorithm(one) for one in digests.parts()]:
        raise NotDer("its algorithms are not the signer's")
    if any(_algorithm(one) not in _DIGESTS for one in digests.parts()):
        raise NotDer("it names an algorithm that is not known")
    own = [one for one in certificates if which == (one.issuer.public_bytes(), one.serial_number)]
    if len(own) != 1:
        raise NotDer("the signer's certificate is not in it, or twice")
    return Signed(of, _content(contents), certificates, own[0], digest, attributes, algorithm, signature)


def _content(contents: Sequence[Value]) -> bytes | None:
    if not contents:
        return None
    (held,) = contents
    (octets,) = held.parts()
    if held.tag != 0xA0 or octets.tag != OCTETS:
        raise NotDer("its content is not written as octets")
    return octets.content


def _signer(value: Value) -> tuple[tuple[bytes, int], str, Value, str, bytes]:
    version, which, digest, attributes, algorithm, signature, *more = value.parts()
    if (
        version.integer() != 1
        or which.tag != SEQUENCE
        or attributes.tag != 0xA0
        or signature.tag != OCTETS
        or more
    ):
        raise NotDer("the signer is not named by issuer and number, or something stands beside the signature")
    issuer, number = which.parts()
    known = _algorithm(digest)
    if known not in _DIGESTS:
        raise NotDer("the signer's digest is not of a kind that is known")
    return (issuer.whole, number.integer()), known, attributes, _algorithm(algorithm), signature.content


def _algorithm(value: Value) -> str:
    """An algorithm without parameters, or with none said."""
    kind, *more = value.parts()
    if value.tag != SEQUENCE or [one.whole for one in more] not in ([], [bytes([NULL, 0])]):
        raise NotDer("an algorithm has parameters that are not known")
    return kind.oid()


def _attributes(value: Value) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for one in value.parts():
        kind, values = one.parts()
        if kind.oid() in found:
            raise Forged("the signature says something twice")
        found[kind.oid()] = [each.whole for each in values.parts()]
    return found


def _certificate(value: Value) -> x509.Certificate:
    """A certificate, whose two mentions of its algorithm are the same."""
    told, algorithm, signature = value.parts()
    inner = next(one for one in told.parts() if one.tag == SEQUENCE)
    if inner.whole != algorithm.whole or signature.content[:1] != b"\x00":
        raise NotDer("a certificate is signed in another way than it says")
    try:
        return x509.load_der_x509_certificate(value.whole)
    except Exception as error:  # a damaged certificate may raise anything, errors of its own among them
        raise NotDer(f"a certificate cannot be read: {error}") from error


def _issued(one: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
    for other in others:
        try:
            one.verify_directly_issued_by(other)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return True
    return False
