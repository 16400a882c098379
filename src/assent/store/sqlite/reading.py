"""Facts of single parts: read together with the choices and holds that bear on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from assent.domain.facts import Facts
from assent.store.records import part_name
from assent.store.schema import account, conversation, part, retention_class
from assent.store.sqlite.choices import Covering, acts_of
from assent.store.sqlite.classes import COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

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


def read_facts(connection: Connection, which: ColumnElement[bool]) -> list[PartFacts]:
    """Read the facts of some parts, in the order of the source, as they are in this transaction."""
    rows = connection.execute(FACTS.where(which).order_by(part.c.conversation, part.c.ordinal, part.c.key)).all()
    subjects = {row.subject for row in rows if row.subject is not None}
    acts = acts_of(connection, subjects)
    covering = Covering(connection, {row.conversation for row in rows}, subjects)
    holds = {home: covering.of(name, subject) for home, name, subject in {(r[2], r[3], r[4]) for r in rows}}
    found = []
    for key, name, home, where, subject, *values in rows:
        facts = Facts(*(part_name(where, name), subject, where, *values, acts.get(subject, ()), holds[home]))
        found.append(PartFacts(key, home, name, facts))
    return found
