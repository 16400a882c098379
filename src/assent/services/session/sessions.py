"""Sessions: a random token in the hands of one browser, its digest in the store, and an end."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid
from assent.services.tokens import digest_of
from assent.store.records import Session

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from assent.store.port import Sessions
    from assent.store.records import SessionKind

KEY_BYTES: Final = 32
"""Bytes of chance in a token: nobody guesses it, so no slow digest is due."""

_TOKEN_CHARACTERS: Final = 43


def begin(  # noqa: PLR0913 - what a session says of somebody
    store: Sessions,
    *,
    kind: SessionKind,
    who: str,
    key: bytes,
    now: datetime,
    lasts: timedelta,
    role: str = "",
    guardian: str = "",
    note: str = "",
) -> tuple[str, Session]:
    """Begin a session and return its token, the only time that it is seen. `key` is a fresh secret of 32 bytes."""
    if len(key) != KEY_BYTES:
        raise Invalid(f"a session is made of {KEY_BYTES} bytes", "draw a fresh secret")
    token = urlsafe_b64encode(key).rstrip(b"=").decode()
    session = Session(digest_of(token), kind, who, role, guardian, note, now, now + lasts)
    store.add_session(session)
    return token, session


def find(store: Sessions, token: str, kind: SessionKind, *, now: datetime) -> Session | None:
    """Return the session that a token opens now; None for any other token, kind or time."""
    if len(token) != _TOKEN_CHARACTERS or not token.isascii():
        return None
    found = store.session(digest_of(token))
    return found if found is not None and found.kind == kind and found.began_at <= now < found.ends_at else None


def use(store: Sessions, token: str, kind: SessionKind, *, now: datetime) -> Session | None:
    """Return what a one-time token opens and use it up; of two callers one gets it."""
    found = find(store, token, kind, now=now)
    return found if found is not None and store.end_session(found.digest) else None


def end(store: Sessions, token: str) -> bool:
    """End a session. Its token opens nothing from now on."""
    return store.end_session(digest_of(token))


def csrf_of(token: str) -> str:
    """Return what a form of this session must bring along: nobody who cannot read the cookie can make it."""
    return digest_of(f"form {token}")
