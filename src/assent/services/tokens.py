"""Tokens: who may call the API, as what; one is shown when it is made and never again."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid, NotFound
from assent.store.records import Role, Token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEY_BYTES: Final = 32


class Tokens(Protocol):
    """Where the digests of tokens are kept."""

    def add_token(self, token: Token) -> None: ...

    def tokens(self) -> Iterator[Token]: ...

    def revoke_token(self, name: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the name of a token and its role."""

    name: str
    role: Role


def digest_of(token: str) -> str:
    """Return what the store knows a token by; a token has 256 bits of chance, so no salt and no slow digest is due."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def add_token(store: Tokens, name: str, role: Role, *, key: bytes, now: datetime) -> str:
    """Let somebody call in a role, and return the token: the only time that it is seen.

    `key` is a fresh secret of 32 bytes. Raises `Invalid` for a name that would not read well in
    a record, `Refused` if the name is taken, also by a token that was revoked.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(f"`{name}` is no name for a token", "use a-z, 0-9, dot, underscore, hyphen; 64 at most")
    if len(key) != _KEY_BYTES:
        raise Invalid(f"a token is made of {_KEY_BYTES} bytes", "draw a fresh secret")
    token = "assent_" + urlsafe_b64encode(key).rstrip(b"=").decode()
    store.add_token(Token(digest_of(token), name, role, now))
    return token


def revoke_token(store: Tokens, name: str, *, now: datetime) -> None:
    """Refuse a token from now on; a running server follows within a second. Raises `NotFound` for an unknown name."""
    if all(token.name != name for token in store.tokens()):
        raise NotFound(f"there is no token `{name}`", "list the tokens to see their names")
    store.revoke_token(name, now)
