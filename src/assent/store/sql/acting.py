"""The rooms of links, guardians, contracts and signals: who may act for whom, and what was said by other means."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select, update

from assent.domain.errors import Invalid, NotFound, Refused
from assent.store.records import Contract, DeviceLink, Guardian, Listing, Page, Signal
from assent.store.schema import contract as contracts
from assent.store.schema import device_link as links
from assent.store.schema import guardian as guardians
from assent.store.schema import signal as signals
from assent.store.sql.paging import listing, values_of
from assent.store.sql.room import Room

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping


class ActingRoom(Room):
    """Whose device it was, and who may act for a child."""

    def link_device(self, link: DeviceLink) -> None:
        with self._database.writing() as connection:
            known = _link(connection, link.device)
            if known is not None and known.subject != link.subject:
                raise Refused("the device is linked to another account", "a device has one; nothing was changed")
            if known is not None:
                return
            chained = or_(links.c.device == link.subject, links.c.subject == link.device)
            if link.device == link.subject or connection.execute(select(links).where(chained)).first() is not None:
                fix = "link each device to the account of the person, and no account to another"
                raise Refused("one of the two is a device of somebody, or an account with devices", fix)
            connection.execute(insert(links).values(asdict(link)))

    def device_link(self, device: str) -> DeviceLink | None:
        with self._database.reading() as connection:
            return _link(connection, device)

    def devices_of(self, subject: str) -> list[DeviceLink]:
        query = select(links).where(links.c.subject == subject).order_by(links.c.at, links.c.device)
        with self._database.reading() as connection:
            return [DeviceLink(**row) for row in connection.execute(query).mappings()]

    def add_guardian(self, guardian: Guardian) -> None:
        pair = (guardians.c.subject == guardian.subject) & (guardians.c.guardian == guardian.guardian)
        with self._database.writing() as connection:
            newest = connection.scalar(select(guardians.c.verified_at).where(pair))
            if newest is None:
                connection.execute(insert(guardians).values(asdict(guardian)))
            elif newest < guardian.verified_at:
                connection.execute(update(guardians).where(pair).values(asdict(guardian)))

    def end_guardian(self, subject: str, guardian: str, at: datetime) -> None:
        pair = (guardians.c.subject == subject) & (guardians.c.guardian == guardian)
        with self._database.writing() as connection:
            if connection.scalar(select(guardians.c.verified_at).where(pair)) is None:
                raise NotFound("nobody is recorded as guardian here under this name", "list who is, and since when")
            connection.execute(update(guardians).where(pair, guardians.c.ended_at.is_(None)).values(ended_at=at))

    def guardians_of(self, subject: str) -> list[Guardian]:
        query = select(guardians).where(guardians.c.subject == subject)
        query = query.order_by(guardians.c.verified_at, guardians.c.guardian)
        with self._database.reading() as connection:
            return [Guardian(**row) for row in connection.execute(query).mappings()]


class ContractRoom(Room):
    """What organisations granted for their own data."""

    def add_contract(self, contract: Contract) -> None:
        with self._database.writing() as connection:
            known = _contract(connection, contract.id)
            if known is None:
                row = asdict(contract) | {"purposes": json.dumps(contract.purposes)}
                connection.execute(insert(contracts).values(row))
            elif replace(known, ends_at=contract.ends_at) != contract:
                fix = "record it under an id of its own"
                raise Refused(f"contract `{contract.id}` is recorded with another meaning", fix)

    def end_contract(self, contract: str, at: datetime) -> None:
        with self._database.writing() as connection:
            known = _contract(connection, contract)
            if known is None:
                raise NotFound(f"there is no contract `{contract}`", "list the contracts to see their ids")
            if at < known.starts_at:
                raise Invalid(f"contract `{contract}` starts after this end", "a contract ends after it began")
            if known.ends_at is None or at < known.ends_at:
                connection.execute(update(contracts).where(contracts.c.id == contract).values(ends_at=at))

    def contracts(self, page: Page, organisation: str | None = None) -> Listing[Contract]:
        query = select(contracts)
        if organisation is not None:
            query = query.where(contracts.c.organisation == organisation)
        with self._database.reading() as connection:
            return listing(connection, query, (contracts.c.starts_at, contracts.c.id), page, _made)


class SignalRoom(Room):
    """What people's software said."""

    def add_signal(self, signal: Signal) -> None:
        row = asdict(signal)
        same = [signals.c[name] == value for name, value in row.items()]
        with self._database.writing() as connection:
            if connection.execute(select(signals.c.id).where(*same)).first() is None:
                connection.execute(insert(signals).values(row))

    def signals(self, subject: str, page: Page) -> Listing[Signal]:
        columns = [column for column in signals.c if column.name != "id"]
        query = select(*columns).where(signals.c.subject == subject)
        with self._database.reading() as connection:
            return listing(connection, query, (signals.c.at, signals.c.id), page, _signal)


def _link(connection: Connection, device: str) -> DeviceLink | None:
    row = connection.execute(select(links).where(links.c.device == device)).mappings().one_or_none()
    return None if row is None else DeviceLink(**row)


def _contract(connection: Connection, contract: str) -> Contract | None:
    row = connection.execute(select(contracts).where(contracts.c.id == contract)).mappings().one_or_none()
    return None if row is None else _made(row)


def _made(row: RowMapping) -> Contract:
    values = dict(values_of(row))
    return Contract(**values | {"purposes": tuple(json.loads(values["purposes"]))})


def _signal(row: RowMapping) -> Signal:
    return Signal(**values_of(row))
