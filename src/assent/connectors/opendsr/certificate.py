"""The certificate of a processor, and signatures by it: RSA over SHA-256 of the body (OpenDSR 1.0, 4 and 7.3)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from assent.domain.errors import Invalid, Refused

SMALLEST_KEY: Final = 2048
"""Bits of an RSA key (FIPS 186-5, appendix A.1.1)."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a processor is known by: its own certificate, authorities, or both; and the domain that it signs for."""

    domain: str
    own: x509.Certificate | None
    authorities: tuple[x509.Certificate, ...]

    def key_of(self, chain: Sequence[x509.Certificate], at: datetime) -> rsa.RSAPublicKey:
        """Return the key of a certificate that holds at an instant. Raises `Refused` naming what does not fit."""
        if not chain:
            raise Refused("the processor shows no certificate", "ask the vendor where it is")
        leaf = chain[0]
        if self.own is not None and leaf != self.own:
            raise Refused("the processor's certificate is another one than the pinned one", "ask the vendor which is")
        if leaf.issuer == leaf.subject:
            raise Refused("the processor signed its certificate itself", "the standard asks for one of an authority")
        if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
            raise Refused("the processor's certificate does not hold at this time", "ask the vendor for the new one")
        if self.domain not in _domains(leaf):
            raise Refused(f"the processor's certificate is not for `{self.domain}`", "check `domain`")
        if self.authorities:
            self._follow(leaf, chain[1:], at)
        key = public_key(leaf)
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
            raise Refused(f"the processor's key is not RSA of {SMALLEST_KEY} bits", "ask the vendor for another one")
        return key

    def _follow(self, leaf: x509.Certificate, between: Sequence[x509.Certificate], at: datetime) -> None:
        builder = PolicyBuilder().store(Store(list(self.authorities))).time(at)
        try:
            builder.build_server_verifier(x509.DNSName(self.domain)).verify(leaf, list(between))
        except VerificationError:
            raise Refused("no trusted authority stands for the processor's certificate", "check `ca_file`") from None


def check(key: rsa.RSAPublicKey, signature: str, digest: str) -> None:
    """Check a signature over the body with this SHA-256. Raises `Refused` if it is not the processor's."""
    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
        key.verify(raw, bytes.fromhex(digest), padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise Refused("the signature is not the processor's", "nothing of it is believed") from None


def read(pem: bytes) -> list[x509.Certificate]:
    """Read certificates, the first one the processor's. Raises `Invalid`."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Invalid("a file of certificates cannot be read", "give PEM text: -----BEGIN CERTIFICATE-----") from None


def public_key(certificate: x509.Certificate) -> object:
    """Return the key of a certificate; None for one of a kind that nobody here can read."""
    try:
        return certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None


def text_of(chain: Sequence[x509.Certificate]) -> str:
    """Write certificates as they are kept beside a signature."""
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain)


def _domains(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)
