"""The room of choices: what people said."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select

from assent.domain.choices import Place, acts_on, reachable
from assent.domain.errors import Refused
from assent.store.records import Account, Choice, DeviceLink, Known, Listing, Page
from assent.store.schema import account as accounts
from assent.store.schema import choice as choices
from assent.store.schema import conversation
from assent.store.schema import device_link as links
from assent.store.sql.choosing import REFUSING_LAST, accounts_of, places, refusing_last
from assent.store.sql.driven import Driven
from assent.store.sql.ledger import choice_of
from assent.store.sql.listed import LISTED, joined, rows_by_ids
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Connection, RowMapping, Select


_ACCOUNT: Final = accounts.columns.keys()
_LINK: Final = ("subject", "at")


def _known_of(kind: str) -> Select[Any]:
    """Read a row for each act that reaches a person, and one at least: then it says alone what else is known."""
    one = LISTED[kind]
    account, rows = joined(kind, one, accounts, accounts.c.subject == one.c.id)
    link, rows = joined(kind, rows, links, links.c.device == one.c.id)
    said, rows = joined(kind, rows, choices, choices.c.subject.in_((one.c.id, link.c.subject)))
    query = select(one.c.id, *account.c, *(link.c[name] for name in _LINK), *said.c).select_from(rows)
    return query.order_by(said.c.at, refusing_last(said), said.c.id)


_KNOWN: Final = Driven({kind: _known_of(kind) for kind in LISTED})
_ACTS: Final = len(_ACCOUNT) + len(_LINK)
"""Where in a row of `_KNOWN` the act begins."""


def _choice(row: RowMapping) -> Choice:
    values = dict(values_of(row))
    return Choice(**values | {"options": tuple(json.loads(values["options"] or "[]"))})


def _row(choice: Choice) -> dict[str, Any]:
    return asdict(choice) | {"options": json.dumps(choice.options) if choice.options else ""}


class ChoiceRoom(Room):
    """Acts of subjects, append-only."""

    def add_choice(self, choice: Choice) -> None:
        with self._database.writing() as connection:
            found = connection.execute(select(choices).where(choices.c.id == choice.id)).mappings().one_or_none()
            if found is None:
                connection.execute(insert(choices).values(_row(choice)))
            elif _choice(found) != choice:
                raise _taken("choice", choice.id)

    def choice(self, choice: str) -> Choice | None:
        with self._database.reading() as connection:
            row = connection.execute(select(choices).where(choices.c.id == choice)).mappings().one_or_none()
        return None if row is None else _choice(row)

    def known_choices(self, ids: Collection[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for piece in pieces(ids):
                found.update(connection.scalars(select(choices.c.id).where(choices.c.id.in_(piece))))
        return found

    def choices(self, subject: str) -> Iterator[Choice]:
        query = select(choices).where(choices.c.subject == subject)
        return walk(self._database, query, (choices.c.at, REFUSING_LAST, choices.c.id), _choice)

    def newest_choices(self, subject: str, page: Page) -> Listing[Choice]:
        query = select(choices).where(choices.c.subject == subject)
        with self._database.reading() as connection:
            return listing(connection, query, (choices.c.at, choices.c.id), page, _choice)

    def known_of(self, subject: str) -> Known:
        return self.known_of_several([subject])[subject]

    def known_of_several(self, subjects: Collection[str]) -> dict[str, Known]:
        rows: dict[str, list[list[Any]]] = {}
        with self._database.looking() as connection:
            for one, *row in rows_by_ids(self._database, connection, _KNOWN, set(subjects)):
                rows.setdefault(one, []).append(row)
        return {one: _known(one, of_one) for one, of_one in rows.items()}

    def choices_for(self, conversation_id: str) -> list[Choice]:
        return self.choices_for_several([conversation_id]).get(conversation_id, [])

    def choices_for_several(self, conversations: Collection[str]) -> dict[str, list[Choice]]:
        owners: dict[str, str] = {}
        with self._database.reading() as connection:
            for piece in pieces(conversations):
                query = select(conversation.c.id, conversation.c.subject).where(conversation.c.id.in_(piece))
                rows = connection.execute(query.where(conversation.c.subject.is_not(None)))
                owners.update({name: subject for name, subject in rows})  # noqa: C416 - rows are not pairs
            people = set(owners.values())
            linked = accounts_of(connection, people)
            said = _all_of(connection, people | set(linked.values()))
            reaching = {
                subject: reachable(said.get(subject, []), said.get(linked.get(subject, ""), [])) for subject in people
            }
            # where a conversation stands matters to those only who said something about less than everything
            special = {name for name, subject in owners.items() if _is_special(reaching[subject])}
            where = places(connection, special)
        anywhere = {subject: acts_on(acts, Place()) for subject, acts in reaching.items() if not _is_special(acts)}
        return {
            name: acts_on(reaching[subject], where[name]) if name in special else anywhere[subject]
            for name, subject in owners.items()
        }


def _known(subject: str, rows: Sequence[Sequence[Any]]) -> Known:
    """Make what is known of a person of the rows that tell it (`_KNOWN`)."""
    account, link = rows[0][: len(_ACCOUNT)], rows[0][len(_ACCOUNT) : _ACTS]
    acts = [choice_of(row[_ACTS:]) for row in rows if row[_ACTS] is not None]
    return Known(
        subject,
        None if account[0] is None else Account(**dict(zip(_ACCOUNT, account, strict=True))),
        None if link[0] is None else DeviceLink(subject, *link),
        tuple(act for act in acts if act.subject == subject),
        tuple(act for act in acts if act.subject != subject),
    )


def _is_special(acts: Iterable[Choice]) -> bool:
    return any(act.scope != "everything" for act in acts)


def _all_of(connection: Connection, subjects: Iterable[str]) -> dict[str, list[Choice]]:
    """Read everything that these people said, of each in the order in which it counts."""
    found: dict[str, list[Choice]] = {}
    for piece in pieces(subjects):
        query = select(choices).where(choices.c.subject.in_(piece))
        for row in connection.execute(query.order_by(choices.c.at, REFUSING_LAST, choices.c.id)).mappings():
            found.setdefault(row["subject"], []).append(_choice(row))
    return found


def _taken(kind: str, name: str) -> Refused:
    return Refused(f"{kind} `{name}` is recorded with another meaning", "record it under an id of its own")
