"""Signed tokens of others: whose signature is believed, and the claims of one that is.

Public keys only, and few algorithms: `none` is no signature, and with HMAC whoever can check
can also sign. A key is found by the name that the token gives it among the keys that were
handed over beforehand; a key or an address that the token brings along is never looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, extract_compact, validate_compact

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc._rfc7515.model import JWSAlgModel
    from joserfc.jwk import Key

EDWARDS: Final = "Ed25519"
MOST_CHARACTERS: Final = 8_192
"""Characters of a token; longer ones are not even taken apart."""

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Unbelieved(Exception):  # noqa: N818 - what the token is
    """A token that says nothing; `reason` is a word for the record and never for whoever sent it."""

    def __init__(self, reason: str) -> None:
        """Keep the word."""
        super().__init__(reason)
        self.reason = reason


class Signed(NamedTuple):
    """What a token says, and the algorithm of its signature, which holds."""

    claims: dict[str, Any]
    algorithm: str


class Signatures(JWSRegistry):
    """The algorithms that one kind of token may be signed with.

    `EdDSA` is what most libraries still write over an Ed25519 key (RFC 8037); here it means `Ed25519` of RFC 9864.
    """

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return an algorithm by its name. Raises a `JoseError` for one that may not be used."""
        return super().get_alg(_plain(name))


SUBJECT_SIGNATURES: Final = Signatures(algorithms=(EDWARDS, "ES256", "RS256"), strict_check_header=False)
"""What a chat product signs subject tokens with."""

IDENTITY_SIGNATURES: Final = Signatures(
    algorithms=(EDWARDS, "ES256", "ES384", "RS256", "PS256"), strict_check_header=False
)
"""What an identity provider signs ID tokens with; every one of them can do RS256 (OpenID Connect Core, 15.1)."""


def open_token(token: str, find_key: Callable[[str], Key | None], signatures: Signatures) -> Signed:
    """Take a token apart whose signature holds; what it says is still to be checked.

    `find_key` returns the public key of a name, or None. Raises `Unbelieved`.
    """
    if len(token) > MOST_CHARACTERS or not _COMPACT.fullmatch(token):
        raise Unbelieved("form")
    try:
        signed = extract_compact(token.encode(), registry=signatures)
        header = signed.headers()
        if "crit" in header or "b64" in header or str(header.get("typ", "JWT")).upper() != "JWT":
            raise Unbelieved("form")
        key = find_key(str(header.get("kid", "")))
        if key is None:
            raise Unbelieved("key")
        if key.alg and _plain(key.alg) != _plain(str(header["alg"])):
            raise Unbelieved("algorithm")
        if not validate_compact(signed, key, registry=signatures):
            raise Unbelieved("signature")
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # whatever somebody sends that is no token, and every algorithm that is not on the list
        raise Unbelieved("form") from None
    if not isinstance(claims, dict):
        raise Unbelieved("form")
    return Signed(claims, _plain(str(header["alg"])))


def _plain(algorithm: str) -> str:
    return EDWARDS if algorithm == "EdDSA" else algorithm
