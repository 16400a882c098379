"""What PostgreSQL says, as errors of assent, and without what was to be stored.

The server quotes rows in the details of an error (`Failing row contains ...`), and COPY quotes
the line it could not read. Neither may reach a log: of each error only its first line is kept,
and of a refused value not even that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import DBAPIError

from assent.domain.errors import AssentError, Invalid, Refused

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext

_LOST: Final = ("08", "57P", "25P03")
"""SQLSTATEs of a connection that is gone: class 08, a server that shuts down, a session that was idle for too long."""

_FULL: Final = "53"
"""SQLSTATE class of a server that has no room: disk, memory, connections."""


def quieten(context: ExceptionContext) -> None:
    """Cut an error down before anybody sees it; SQLAlchemy calls this for each."""
    problem = context.original_exception
    if isinstance(problem, psycopg.Error):
        problem.args = (said(problem),)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (f"({type(problem).__name__}) {said(problem)}",)


def wrapped(problem: psycopg.Error) -> DBAPIError:
    """Wrap an error of the driver itself the way SQLAlchemy wraps those that pass through it."""
    problem.args = (said(problem),)
    return DBAPIError(None, None, problem, hide_parameters=True)


def said(problem: BaseException | None) -> str:
    """Return the first line of what the server said; of a refused value only that there was one."""
    state = getattr(problem, "sqlstate", None) or ""
    if state.startswith("22"):
        return f"the database refuses a value (SQLSTATE {state})"
    return str(problem).strip().partition("\n")[0]


def explained(problem: DBAPIError, lock_timeout_s: float, statement_timeout_s: float) -> AssentError | None:
    """Return what a failed read or write means to the caller; None for a mistake of our own."""
    found = problem.orig
    state = getattr(found, "sqlstate", None) or ""
    again = "nothing was changed; see what else the server does, and do the same again"
    told = {
        "55P03": AssentError(  # lock_not_available
            f"another process wrote for longer than {lock_timeout_s:g} s", "try again when it is done"
        ),
        "57014": AssentError(  # query_canceled
            f"PostgreSQL worked on one statement for longer than {statement_timeout_s:g} s and was stopped", again
        ),
        "25006": Refused("this PostgreSQL server only reads", "name the primary server"),  # read_only_sql_transaction
        "42501": Refused(  # insufficient_privilege
            f"PostgreSQL does not allow it: {said(found)}", "let the role own the tables of the store"
        ),
    }.get(state)
    if told is not None:
        return told
    if isinstance(found, psycopg.DataError) and not state:
        return Invalid("a text holds the character U+0000, which PostgreSQL cannot keep", "leave it out")
    if (
        problem.connection_invalidated
        or state.startswith(_LOST)
        or (isinstance(found, psycopg.OperationalError) and not state)
    ):
        message = f"the connection to PostgreSQL was lost: {said(found)}"
        return AssentError(message, "all of it was done or nothing: do the same again")
    if state.startswith(_FULL):
        return AssentError(f"PostgreSQL has no room: {said(found)}", again)
    return None
