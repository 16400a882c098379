"""Bring a database to the newest step, under the lock of the caller's transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, text

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST: Final = "0017"
"""The newest step. Named here so that opening a store that is up to date need not load Alembic."""

_STEPS: Final = Path(__file__).parent / "migrations"


def step_of(connection: Connection) -> str | None:
    """Return the step at which a database stands; None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the steps from where the database stands up or down to `to` (`base` is the empty database).

    The connection must be inside a transaction that shuts out other writers; the caller
    commits it. Raises `Refused` if the database was written by a newer assent.
    """
    from alembic import command  # noqa: PLC0415 - takes longer to load than most commands take to run
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    stands = step_of(connection)
    if stands is not None and stands not in steps:
        raise Refused(f"the database stands at step `{stands}`, which this assent does not know", "upgrade assent")
    if to == "base" or (stands is not None and to < stands):  # steps are numbered, and no number is above `head`
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
