"""The room of leases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from assent.store.port.leases import LeaseLost
from assent.store.records import Lease
from assent.store.schema import lease as leases
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection


class LeaseRoom(Room):
    """Who may do a thing that one at a time may do."""

    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> Lease | None:
        with self._database.writing() as connection:
            found = connection.execute(select(leases).where(leases.c.name == name)).mappings().one_or_none()
            if found is None:
                taken = Lease(name, holder, 1, until)
                connection.execute(insert(leases).values(name=name, holder=holder, fence=1, until=until))
                return taken
            if found["until"] is not None and found["until"] > now and found["holder"] != holder:
                return None
            taken = Lease(name, holder, found["fence"] + 1, until)
            change = update(leases).where(leases.c.name == name)
            connection.execute(change.values(holder=holder, fence=taken.fence, until=until))
            return taken

    def renew_lease(self, lease: Lease, until: datetime) -> Lease:
        with self._database.writing() as connection:
            require_lease(connection, lease)
            connection.execute(update(leases).where(_same(lease)).values(until=until))
        return replace(lease, until=until)

    def give_lease_back(self, lease: Lease) -> None:
        with self._database.writing() as connection:
            connection.execute(update(leases).where(_same(lease)).values(until=None))


def require_lease(connection: Connection, lease: Lease) -> None:
    """Raise `LeaseLost` if somebody else took this lease, or it was given back. Asked inside the transaction it guards.

    A lease that ran out and that nobody took is still good: no clock is asked here.
    """
    if connection.scalar(select(leases.c.name).where(_same(lease), leases.c.until.is_not(None))) is None:
        raise LeaseLost(f"the lease `{lease.name}` is lost", "somebody else does this work now; begin again, or stop")


def _same(lease: Lease) -> ColumnElement[bool]:
    return (leases.c.name == lease.name) & (leases.c.fence == lease.fence)
