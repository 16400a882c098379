"""The room of the API: tokens by digest, and answers by caller and key."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, tuple_, update

from assent.domain.errors import NotFound, Refused
from assent.store.records import Answered, Token
from assent.store.schema import answered, token
from assent.store.sql.paging import values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping


def _token(row: RowMapping) -> Token:
    return Token(**values_of(row))


class TokenRoom(Room):
    """Who may call."""

    def add_token(self, item: Token) -> None:
        with self._database.writing() as connection:
            known = select(token).where(or_(token.c.digest == item.digest, token.c.name == item.name))
            found = [_token(row) for row in connection.execute(known).mappings()]
            if not found:
                connection.execute(insert(token).values(asdict(item)))
            elif found != [item]:
                raise Refused(f"there is a token `{item.name}` already", "choose another name; a name is never reused")

    def token(self, digest: str) -> Token | None:
        with self._database.reading() as connection:
            row = connection.execute(select(token).where(token.c.digest == digest)).mappings().one_or_none()
        return None if row is None else _token(row)

    def tokens(self) -> Iterator[Token]:
        return walk(self._database, select(token), (token.c.name,), _token)

    def revoke_token(self, name: str, at: datetime) -> None:
        with self._database.writing() as connection:
            if connection.scalar(select(token.c.name).where(token.c.name == name)) is None:
                raise NotFound(f"there is no token `{name}`", "list the tokens to see their names")
            change = update(token).where(token.c.name == name, token.c.revoked_at.is_(None))
            connection.execute(change.values(revoked_at=at))


class AnswerRoom(Room):
    """Answers that were given under a key."""

    def add_answers(self, answers: Sequence[Answered]) -> None:
        first: dict[tuple[str, str], dict[str, Any]] = {}
        for item in answers:
            first.setdefault((item.caller, item.key), asdict(item))
        places = tuple_(answered.c.caller, answered.c.key)
        with self._database.writing() as connection:
            for piece in pieces(first):
                there = set(connection.execute(select(answered.c.caller, answered.c.key).where(places.in_(piece))))
                if new := [first[place] for place in piece if place not in there]:
                    connection.execute(insert(answered), new)

    def answered(self, caller: str, key: str) -> Answered | None:
        query = select(answered).where(answered.c.caller == caller, answered.c.key == key)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Answered(**row)

    def forget_answers(self, before: datetime) -> int:
        with self._database.writing() as connection:
            return connection.execute(delete(answered).where(answered.c.at < before)).rowcount
