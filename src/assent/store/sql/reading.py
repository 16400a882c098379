"""Facts of single parts: read together with the choices and holds that bear on them."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from assent.domain.facts import Facts
from assent.store.records import part_name
from assent.store.schema import account, conversation, part, retention_class
from assent.store.sql.choosing import Choosing, places
from assent.store.sql.classes import COLUMNS
from assent.store.sql.holds import Covering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from assent.domain.choices import Place

FACTS: Final[Select[Any]] = (
    select(
        part.c.key,
        part.c.id,
        conversation.c.key.label("home"),
        conversation.c.id.label("conversation"),
        conversation.c.subject,
        *COLUMNS,
        part.c.created_at,
        conversation.c.last_turn_at,
        part.c.recorded_at,
        conversation.c.deleted_at,
        account.c.closed_at.label("account_closed_at"),
        account.c.moved_to_business_at,
        conversation.c.flagged_at,
        conversation.c.flag_reversed_at,
        conversation.c.reviewed_at,
        conversation.c.feedback_at,
        account.c.acknowledged_at,
        account.c.user_duration,
    )
    .join_from(part, conversation)
    .join(retention_class)
    .outerjoin(account, account.c.subject == conversation.c.subject)
)
"""Facts of a part from where they are true: the clocks of the conversation and the account, not the part's copies."""


class PartFacts(NamedTuple):
    """A part with its facts: its key and its conversation's, its id in there, and what is decided on."""

    key: int
    home: int
    id: str
    facts: Facts


def read_facts(connection: Connection, which: ColumnElement[bool], *, shown: bool = False) -> list[PartFacts]:
    """Read the facts of some parts, in the order of the source, as they are in this transaction.

    With `shown` without holds that the person must not know of.
    """
    rows = connection.execute(FACTS.where(which).order_by(part.c.conversation, part.c.ordinal, part.c.key)).all()
    subjects = {row.subject for row in rows if row.subject is not None}
    choosing = Choosing(connection, subjects)
    where = _Where(connection, [row.conversation for row in rows])
    covering = Covering(connection, {row.conversation for row in rows}, shown=shown)
    holds = {home: covering.of(name) for home, name in {(row.home, row.conversation) for row in rows}}
    found = []
    for key, name, home, talk, subject, *values in rows:
        acts = choosing.of(subject, partial(where.of, talk))
        facts = Facts(*(part_name(talk, name), subject, talk, *values, acts, holds[home]))
        found.append(PartFacts(key, home, name, facts))
    return found


class _Where:
    """Where some conversations stand, looked up when somebody's acts make it matter."""

    def __init__(self, connection: Connection, conversations: Sequence[str]) -> None:
        self._connection = connection
        self._conversations = conversations

    @cached_property
    def _places(self) -> dict[str, Place]:
        return places(self._connection, dict.fromkeys(self._conversations))

    def of(self, conversation_id: str) -> Place:
        return self._places[conversation_id]
