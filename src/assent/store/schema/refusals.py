"""Triggers by which the database itself refuses to UPDATE or DELETE, whoever asks.

The steps in `migrations/` take their statements from here too, so what is said here for a
dialect never changes: a trigger that has to be another one gets a name of its own.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

REFUSE: Final = (
    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation'; END $$"
)
"""What every trigger of PostgreSQL calls; SQLite needs nothing like it."""


def refusal_statement(dialect: str, name: str, when: str, table: str, message: str, *, only: str = "") -> str:
    """Say CREATE TRIGGER in `sqlite` or `postgresql`.

    `when` is DELETE, UPDATE or UPDATE OF columns; `only` is a condition over `NEW` and `OLD`:
    rows that do not fulfil it may be changed. PostgreSQL refuses TRUNCATE with every DELETE.
    """
    condition = f" WHEN ({only})" if only else ""
    if dialect == "sqlite":
        return f"CREATE TRIGGER {name} BEFORE {when} ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
    what, each = ("DELETE OR TRUNCATE", "STATEMENT") if when == "DELETE" and not only else (when, "ROW")
    begin = f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH {each}"
    return f"{begin}{condition} EXECUTE FUNCTION refuse('{message}')"


class Refusal(ExecutableDDLElement):
    """One such trigger, made with its table."""

    inherit_cache = False

    def __init__(self, name: str, when: str, table: str, message: str, *, only: str = "") -> None:
        """Take what `refusal_statement` takes."""
        self._said = (name, when, table, message)
        self._only = only

    def statement(self, dialect: Dialect) -> str:
        """Say it in a dialect."""
        return refusal_statement(dialect.name, *self._said, only=self._only)


@compiles(Refusal)
def _compile(refusal: Refusal, compiler: Any, **_: object) -> str:
    return refusal.statement(compiler.dialect)
