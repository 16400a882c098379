"""Subject tokens: how a chat product says which of its people is at the door (docs/how-to/sign-in.md).

A JSON Web Token (RFC 7519) that the product signs, that is good for minutes and for one use:

    iss  the product, as `host_issuer` in the settings    iat, exp  at most ten minutes apart
    aud  this assent, as `origin` in the settings         jti       a name of its own: it is used once
    sub  the person, by the product's own id              guardian, locale  where they matter

Whoever is refused is never told why: one who tries tokens would learn from it. The record is
told by a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from assent.domain.errors import Refused
from assent.domain.instants import EPOCH, LATEST
from assent.services.session.jose import SUBJECT_SIGNATURES, Unbelieved, open_token

if TYPE_CHECKING:
    from joserfc.jwk import Key

LONGEST: Final = timedelta(minutes=10)
"""From `iat` to `exp`: a token is for one walk from the product to here."""

_END_S: Final = (LATEST - EPOCH).total_seconds()
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_JTI: Final = re.compile(r"[!-~]{8,200}")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Keys(Protocol):
    """The public keys of the chat product."""

    def find(self, kid: str) -> Key | None: ...


class Spending(Protocol):
    """Where it is kept which tokens were used."""

    def spend(self, digest: str, until: datetime) -> bool: ...


class TokenRefused(Refused):
    """A subject token that is not taken; `reason` is a word for the record, and the sentence is always the same."""

    def __init__(self, reason: str) -> None:
        """Keep the word, and say nothing of it."""
        super().__init__("this way in is not good, or not good any more", "go back to the product and come in again")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SubjectToken:
    """What a believed token says: the person, who acts for a child if somebody does, and the language they read."""

    sub: str
    jti: str
    issuer: str
    until: datetime
    guardian: str = ""
    locale: str = ""


def read(token: str, keys: Keys, *, issuer: str, audience: str, now: datetime, skew: timedelta) -> SubjectToken:
    """Return what a token says, not yet used up (`use_up`). `skew` is by how much two clocks may differ.

    Raises `TokenRefused`, always with the same sentence.
    """
    try:
        claims = open_token(token, keys.find, SUBJECT_SIGNATURES).claims
        return _checked(claims, issuer=issuer, audience=audience, now=now, skew=skew)
    except Unbelieved as why:
        raise TokenRefused(why.reason) from None


def use_up(store: Spending, token: SubjectToken) -> None:
    """Take a token, once. Raises `TokenRefused` if it was used before."""
    digest = sha256(f"subject token\n{token.issuer}\n{token.jti}".encode()).hexdigest()
    if not store.spend(digest, token.until):
        raise TokenRefused("used")


def _checked(claims: dict[str, Any], *, issuer: str, audience: str, now: datetime, skew: timedelta) -> SubjectToken:
    if not issuer or claims.get("iss") != issuer:
        raise Unbelieved("issuer")
    meant = claims.get("aud")
    if not audience or audience not in (meant if isinstance(meant, list) else [meant]):
        raise Unbelieved("audience")
    begins, ends = _instant(claims, "iat"), _instant(claims, "exp")
    if not timedelta() < ends - begins <= LONGEST:
        raise Unbelieved("length")
    if now >= ends + skew:
        raise Unbelieved("expired")
    if max(begins, _instant(claims, "nbf", begins)) > now + skew:
        raise Unbelieved("early")
    return SubjectToken(
        sub=_text(claims, "sub", _PLAIN),
        jti=_text(claims, "jti", _JTI),
        issuer=issuer,
        until=ends + skew,
        guardian=_text(claims, "guardian", _PLAIN, ""),
        locale=_text(claims, "locale", _LOCALE, ""),
    )


def _text(claims: dict[str, Any], name: str, form: re.Pattern[str], absent: str | None = None) -> str:
    value = claims.get(name, absent)
    if value == absent and absent is not None:
        return absent
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Unbelieved(name)
    return value


def _instant(claims: dict[str, Any], name: str, absent: datetime | None = None) -> datetime:
    value = claims.get(name)
    if value is None and absent is not None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _END_S:
        raise Unbelieved(name)
    return EPOCH + timedelta(seconds=value)
