"""Contracts of the API's own rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from assent.store.records import Answered, Token


class Tokens(Protocol):
    """Who may call."""

    def add_token(self, token: Token) -> None:
        """Keep a token. The same again does nothing; another one under its name or digest raises `Refused`."""
        ...

    def token(self, digest: str) -> Token | None:
        """Find a token by its digest, revoked ones too."""
        ...

    def tokens(self) -> Iterator[Token]:
        """Read all tokens by name, revoked ones too."""
        ...

    def revoke_token(self, name: str, at: datetime) -> None:
        """Refuse a token from `at`; the first revocation counts. Raises `NotFound` for an unknown name."""
        ...


class Answers(Protocol):
    """Answers that were given under a key."""

    def add_answers(self, answers: Sequence[Answered]) -> None:
        """Keep answers, in one transaction; the first answer kept under a caller's key stays."""
        ...

    def answered(self, caller: str, key: str) -> Answered | None: ...

    def forget_answers(self, before: datetime) -> int:
        """Delete the answers given before this instant; returns how many there were."""
        ...
