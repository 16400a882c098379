"""The people some of whose parts are at rest, and the triggers by which an act wakes them.

A resting part stands in a retention class that says what its person permits for good
(`retention_class.permits`). Whatever may end that wakes the person in the same
transaction, whoever writes it and by whichever way: nobody can forget to.

The steps in `migrations/` take their statements from here too, so what is said here for a
dialect never changes: a trigger that has to be another one gets a name of its own.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Boolean, Column, Dialect, Index, Table, Text, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.expression import false

from assent.store.schema.base import METADATA
from assent.store.schema.choices import choice, device_link

_WOKEN: Final = text("woken")

resting: Final = Table(
    "resting",
    METADATA,
    Column("subject", Text, primary_key=True),
    # an act came since that may have ended what was permitted
    Column("woken", Boolean, nullable=False, server_default=false()),
    Index("resting_by_woken", "subject", sqlite_where=_WOKEN, postgresql_where=_WOKEN),
)

WAKE: Final = (
    "CREATE OR REPLACE FUNCTION wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE resting SET woken = TRUE WHERE subject = to_jsonb(NEW) ->> TG_ARGV[0]; RETURN NULL; END $$"
)
"""What the triggers of PostgreSQL call; SQLite needs nothing like it."""


def wake_statement(dialect: str, name: str, table: str, subject: str, only: str = "") -> str:
    """Say CREATE TRIGGER in `sqlite` or `postgresql`: a row of `table` wakes the person in its column `subject`.

    `only` is a condition over `NEW`.
    """
    condition = f" WHEN ({only})" if only else ""
    begin = f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW{condition}"
    if dialect == "sqlite":
        return f"{begin} BEGIN UPDATE resting SET woken = 1 WHERE subject = NEW.{subject}; END"
    return f"{begin} EXECUTE FUNCTION wake('{subject}')"


class Waking(ExecutableDDLElement):
    """One such trigger, made with its table."""

    inherit_cache = False

    def __init__(self, name: str, table: str, subject: str, only: str = "") -> None:
        """Take what `wake_statement` takes."""
        self._said = (name, table, subject, only)

    def statement(self, dialect: Dialect) -> str:
        """Say it in a dialect."""
        return wake_statement(dialect.name, *self._said)


@compiles(Waking)
def _compile(waking: Waking, compiler: Any, **_: object) -> str:
    return waking.statement(compiler.dialect)


_MAY_END: Final = "NEW.act IN ('decline', 'withdraw') OR NEW.scope <> 'everything'"

WAKINGS: Final = (
    (choice, Waking("choice_wakes", "choice", "subject", _MAY_END)),
    # from now on the account's acts reach the device
    (device_link, Waking("device_link_wakes", "device_link", "device")),
)
