"""Checking kept evidence again, with nothing but what is kept."""

from __future__ import annotations

import json
import warnings
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from assent.connectors.opendsr import certificate
from assent.connectors.opendsr.evidence import PIECE, Statement, digest_of, statement_of
from assent.connectors.opendsr.standard import WAY
from assent.connectors.opendsr.webhook import ALGORITHMS, BY_KEY
from assent.domain.errors import AssentError, Invalid, Refused

_UNREAD: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def check_again(data: bytes) -> tuple[Statement, bool]:
    """Check a kept statement; False: its signature is provable only to who holds a shared secret.

    Whose the key or certificate is, the reader has to compare with the vendor's own. Raises `Invalid` for what is no
    statement, `Refused` for one whose signature does not fit.
    """
    try:
        kept = statement_of(data)
    except (*_UNREAD, AssentError):
        raise _none() from None
    try:
        return kept, _provable(kept)
    except _UNREAD:
        raise _none() from None


def _none() -> Invalid:
    return Invalid("this is no statement of a vendor", "take the file as it was kept")


def _provable(kept: Statement) -> bool:
    quoted = PIECE.encode() in kept.body
    if not quoted and digest_of(kept.body) != kept.digest:
        raise Refused("the statement is not what its digest says", "take the file as it was kept")
    way = kept.signed.get("way")
    if way == WAY:
        key = certificate.public_key(certificate.read(kept.signed["certificates"].encode())[0])
        if not isinstance(key, rsa.RSAPublicKey):
            raise Refused("the certificate that was kept has no RSA key", "take the file as it was kept")
        certificate.check(key, kept.signed["signature"], kept.digest)
        if not quoted:
            _says(json.loads(kept.body), "subject_request_id", "request_status", kept)
        return True
    if way == BY_KEY:
        _says(json.loads(_payload(kept)), "order", "status", kept)
        return True
    return False


def _payload(kept: Statement) -> bytes:
    try:
        with warnings.catch_warnings():  # the older name of the algorithm is good enough for what was signed once
            warnings.simplefilter("ignore")
            key = OKPKey.import_key(json.loads(kept.signed["key"]))
            return jws.deserialize_compact(kept.body.strip(), key, algorithms=ALGORITHMS).payload
    except (JoseError, ValueError, KeyError):
        raise Refused("the signature is not that of the kept key", "nothing of it is believed") from None


def _says(said: dict[str, object], order: str, status: str, kept: Statement) -> None:
    if (said.get(order), said.get(status)) != (kept.order, kept.status):
        raise Refused("the statement says something else than was written down of it", "take the file as it was kept")
