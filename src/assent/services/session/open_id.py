"""OpenID Connect: staff sign in where they always do, and assent learns a name (docs/how-to/sign-in.md).

The authorization code flow of OpenID Connect Core 1.0 section 3.1 with PKCE (RFC 7636), a state
and a nonce; the issuer named in the answer is compared too where there is one (RFC 9207). A
token says who somebody is and never what they may do: that stands in the table of staff.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlsplit

import httpx
import orjson
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, import_key

from assent.domain.errors import Incomplete, Refused
from assent.services.session.jose import EDWARDS, IDENTITY_SIGNATURES, Unbelieved, open_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import Key

TIMEOUT_S: Final = 10.0
MOST_BYTES: Final = 262_144
"""Bytes of one answer of a provider."""

FRESH: Final = timedelta(hours=1)
"""For how long what a provider says of itself is believed without asking again."""

SKEW_S: Final = 60


class SignInRefused(Refused):
    """An answer of a provider that is not taken; `reason` is a word for the record."""

    def __init__(self, reason: str) -> None:
        """Keep the word; whoever stands at the door hears the same sentence each time."""
        super().__init__("the sign-in did not work", "begin again; if it stays, tell whoever runs this server")
        self.reason = reason


class Way(Protocol):
    """The way to a provider."""

    def get(self, url: str) -> Any:
        """Read a JSON document. Raises `Incomplete` if the provider cannot be reached or answers something else."""
        ...

    def post(self, url: str, form: Mapping[str, str], secret: tuple[str, str] | None) -> Any:
        """Send a form, with a client's name and secret if there is one, and read the JSON answer."""
        ...


class HttpWay:
    """The way over HTTP; it follows no redirects."""

    def get(self, url: str) -> Any:
        return self._read("GET", url)

    def post(self, url: str, form: Mapping[str, str], secret: tuple[str, str] | None) -> Any:
        # both are percent-encoded first: RFC 6749, section 2.3.1
        basic = httpx.BasicAuth(*(quote(part, safe="") for part in secret)) if secret else None
        return self._read("POST", url, data=dict(form), auth=basic)

    @staticmethod
    def _read(method: str, url: str, **options: Any) -> Any:
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
                client.stream(method, url, headers={"accept": "application/json"}, **options) as answer,
            ):
                read = b""
                for piece in answer.iter_bytes():
                    read += piece
                    if len(read) > MOST_BYTES:
                        raise _unreachable("it answers too much")
                if answer.status_code != httpx.codes.OK:
                    raise _unreachable(f"it answers {answer.status_code}")
                return orjson.loads(read)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as problem:
            raise _unreachable(type(problem).__name__) from None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the answer to one sign-in must match; it stays on the server. Each is 256 bits of chance."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, key: bytes) -> Attempt:
        """Derive all three from a fresh secret of 32 bytes."""
        return cls(*(_text(hmac.digest(key, use, "sha256")) for use in (b"state", b"nonce", b"verifier")))


@dataclass
class OpenId:
    """One provider: its `issuer`, and the name and secret under which it knows this assent (no secret: PKCE alone)."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    way: Way

    def __post_init__(self) -> None:
        """Begin with nothing known of the provider."""
        self._told: dict[str, Any] = {}
        self._told_at: datetime | None = None
        self._keys: dict[str, Key] = {}
        self._keys_at: datetime | None = None

    def begin(self, attempt: Attempt, back: str, *, now: datetime) -> str:
        """Return the address at the provider to which a browser is sent; it comes back to `back`."""
        there: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint", now),
            self.client,
            "code",
            back,
            "openid email",
            attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return there

    def finish(self, answer: Mapping[str, str], attempt: Attempt, back: str, *, now: datetime) -> str:
        """Return the name of who signed in. Raises `SignInRefused`, or `Incomplete` if the provider cannot be asked."""
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInRefused("state")
        if answer.get("iss", self.issuer) != self.issuer:
            raise SignInRefused("issuer of the answer")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused("no code")
        given = self._exchange(answer["code"], attempt, back, now)
        try:
            return _name(self._claims(given, attempt, now))
        except Unbelieved as why:
            raise SignInRefused(why.reason) from None

    def _exchange(self, code: str, attempt: Attempt, back: str, now: datetime) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
            "client_id": self.client,
        }
        basic = "client_secret_basic" in self._about(now).get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        )
        if self.secret and not basic:
            form["client_secret"] = self.secret
        secret = (self.client, self.secret) if self.secret and basic else None
        given = self.way.post(self._endpoint("token_endpoint", now), form, secret)
        if not isinstance(given, dict) or not isinstance(given.get("id_token"), str):
            raise SignInRefused("no ID token")
        return given

    def _claims(self, given: dict[str, Any], attempt: Attempt, now: datetime) -> dict[str, Any]:
        """Check an ID token as OpenID Connect Core 3.1.3.7 asks. Raises `Unbelieved`."""
        signed = open_token(given["id_token"], lambda kid: self._key(kid, now), IDENTITY_SIGNATURES)
        # the half hash of RFC 8037's name is the one of RFC 9864's
        header = {"alg": "EdDSA" if signed.algorithm == EDWARDS else signed.algorithm}
        options: Any = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client},
            "sub": {"essential": True},
        }
        params = {"client_id": self.client, "nonce": attempt.nonce, "access_token": given.get("access_token")}
        found = CodeIDToken(signed.claims, header, options, params)
        try:
            found.validate(now=int(now.timestamp()), leeway=SKEW_S)
        except (JoseError, TypeError, ValueError) as problem:
            raise Unbelieved(f"claim {getattr(problem, 'claim', '')}".strip()) from None
        return dict(found)

    def _key(self, kid: str, now: datetime) -> Key | None:
        """Find a key by name; one that is not known may be new, so the provider is asked again.

        Nobody can make us ask without end: a token gets here from the provider itself.
        """
        if self._keys_at is None or now - self._keys_at > FRESH or (kid and kid not in self._keys):
            self._keys = _keys_of(self.way.get(self._endpoint("jwks_uri", now)))
            self._keys_at = now
        if not kid and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _about(self, now: datetime) -> dict[str, Any]:
        if self._told_at is None or now - self._told_at > FRESH:
            told = self.way.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if not isinstance(told, dict) or told.get("issuer") != self.issuer:
                raise _unreachable("it calls itself by another name than `oidc_issuer`")
            self._told, self._told_at = told, now
        return self._told

    def _endpoint(self, name: str, now: datetime) -> str:
        found = self._about(now).get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise _unreachable(f"its `{name}` is no https address")
        return found


def is_safe(url: str) -> bool:
    """Tell whether secrets may go to an address: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return bool(host)
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _keys_of(told: Any) -> dict[str, Key]:
    """Read the keys that sign; a key of a kind that is not known here is one for somebody else."""
    keys: dict[str, Key] = {}
    listed = told.get("keys") if isinstance(told, dict) else None
    for one in listed if isinstance(listed, list) else ():
        with suppress(JoseError, ValueError, TypeError, KeyError):
            key = import_key(one)
            if not isinstance(key, OctKey) and one.get("use", "sig") == "sig":
                keys[key.kid or ""] = key
    return keys


def _name(claims: dict[str, Any]) -> str:
    """Return the name under which staff are listed: the verified e-mail address, or else the provider's own id."""
    email, sub = claims.get("email"), str(claims["sub"])
    if claims.get("email_verified") is True and isinstance(email, str) and "@" in email:
        return email.lower()
    if "@" in sub:
        # it could be anybody's address: nobody checked it
        raise Unbelieved("e-mail not verified")
    return sub


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unreachable(why: str) -> Incomplete:
    return Incomplete(
        f"the identity provider cannot be asked: {why}", "try again, or sign in with a link (`assent staff link`)"
    )
