"""The rooms of rights requests, of the provider's directory, and of events out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from assent.domain.errors import NotFound, Refused
from assent.domain.instants import to_micros
from assent.store.records import Delivery, DirectoryEntry, Endpoint, Event, Listing, Page, RightsAgent, RightsRequest
from assent.store.schema import delivery as deliveries
from assent.store.schema import directory_entry as directory
from assent.store.schema import directory_handle as known_as
from assent.store.schema import endpoint as endpoints
from assent.store.schema import outgoing, telling
from assent.store.schema import rights_agent as agents
from assent.store.schema import rights_request as requests
from assent.store.sql.driven import Driven
from assent.store.sql.paging import listing, values_of, walk
from assent.store.sql.room import Room, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from assent.store.sql.room import Database

_KEPT: Final = select(outgoing.c.id).where(outgoing.c.id.in_(bindparam("ids", expanding=True)))
_TOLD: Final = Driven(select(telling.c.told))
_ABLE: Final = select(endpoints).where(endpoints.c.disabled_at.is_(None))


def _agent(row: RowMapping) -> RightsAgent:
    return RightsAgent(**values_of(row))


def _request(row: RowMapping) -> RightsRequest:
    return RightsRequest(**values_of(row))


def _event(row: RowMapping) -> Event:
    return Event(**values_of(row))


def _endpoint(row: RowMapping) -> Endpoint:
    values = dict(values_of(row))
    return Endpoint(**values | {"types": tuple(json.loads(values["types"]))})


class RightsRoom(Room):
    """Agents and what they ask for people."""

    def put_agent(self, agent: RightsAgent) -> None:
        with self._database.writing() as connection:
            changed = connection.execute(update(agents).where(agents.c.id == agent.id).values(asdict(agent)))
            if not changed.rowcount:
                connection.execute(insert(agents).values(asdict(agent)))

    def agent(self, agent: str) -> RightsAgent | None:
        with self._database.reading() as connection:
            row = connection.execute(select(agents).where(agents.c.id == agent)).mappings().one_or_none()
        return None if row is None else _agent(row)

    def agent_with_token(self, digest: str) -> RightsAgent | None:
        with self._database.reading() as connection:
            row = connection.execute(select(agents).where(agents.c.token == digest)).mappings().first()
        return None if row is None else _agent(row)

    def agents(self) -> Iterator[RightsAgent]:
        return walk(self._database, select(agents), (agents.c.id,), _agent)

    def add_request(self, request: RightsRequest) -> bool:
        with self._database.writing() as connection:
            if connection.scalar(select(requests.c.id).where(requests.c.id == request.id)) is not None:
                return False
            connection.execute(insert(requests).values(asdict(request)))
        return True

    def change_request(self, request: RightsRequest, *, was: str) -> bool:
        change = update(requests).where(requests.c.id == request.id, requests.c.status == was)
        with self._database.writing() as connection:
            return connection.execute(change.values(asdict(request))).rowcount == 1

    def request(self, request: str) -> RightsRequest | None:
        with self._database.reading() as connection:
            row = connection.execute(select(requests).where(requests.c.id == request)).mappings().one_or_none()
        return None if row is None else _request(row)

    def requests(
        self, page: Page, *, status: str | None = None, agent: str | None = None, subject: str | None = None
    ) -> Listing[RightsRequest]:
        query = select(requests)
        for name, value in (("status", status), ("agent", agent), ("subject", subject)):
            if value is not None:
                query = query.where(requests.c[name] == value)
        with self._database.reading() as connection:
            return listing(connection, query, (requests.c.received_at, requests.c.id), page, _request)

    def due_calls(self, now: datetime, limit: int) -> list[RightsRequest]:
        query = select(requests).where(requests.c.call_at <= now).order_by(requests.c.call_at, requests.c.id)
        with self._database.reading() as connection:
            return [_request(row) for row in connection.execute(query.limit(limit)).mappings()]

    def record_call(self, request: str, *, told: datetime, next_at: datetime | None, calls: int) -> None:
        change = update(requests).where(requests.c.id == request, requests.c.changed_at == told)
        with self._database.writing() as connection:
            connection.execute(change.values(call_at=next_at, calls=calls))


class DirectoryRoom(Room):
    """People as the provider's directory describes them."""

    def put_entry(self, entry: DirectoryEntry, *, was: datetime | None = None) -> bool:
        row = asdict(entry) | {"name_key": entry.name.casefold()}
        handles = row.pop("handles")
        try:
            with self._database.writing() as connection:
                stands = connection.scalar(select(directory.c.changed_at).where(directory.c.id == entry.id))
                if stands != was:
                    return False
                if was is None:
                    connection.execute(insert(directory).values(row))
                else:
                    connection.execute(update(directory).where(directory.c.id == entry.id).values(row))
                    connection.execute(delete(known_as).where(known_as.c.entry == entry.id))
                if handles:
                    rows = [{"entry": entry.id, "handle": handle} for handle in dict.fromkeys(handles)]
                    connection.execute(insert(known_as), rows)
        except IntegrityError:
            raise Refused("another entry has this name", "names are unique, whatever their capitals") from None
        return True

    def entry(self, entry: str) -> DirectoryEntry | None:
        with self._database.reading() as connection:
            found = _entries(connection, directory.c.id == entry)
        return found[0] if found else None

    def entries(self, *, after: int, limit: int, name: str | None = None) -> tuple[list[DirectoryEntry], int]:
        which = true() if name is None else directory.c.name_key == name.casefold()
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(directory).where(which)) or 0
            return _entries(connection, which, after=after, limit=limit) if limit else [], total

    def entries_known_as(self, handles: Sequence[str]) -> list[DirectoryEntry]:
        found: dict[str, DirectoryEntry] = {}
        with self._database.reading() as connection:
            for piece in pieces(handles):
                behind = select(known_as.c.entry).where(known_as.c.handle.in_(piece))
                which = or_(directory.c.name_key.in_(piece), directory.c.id.in_(behind))
                found |= {entry.id: entry for entry in _entries(connection, which)}
        return list(found.values())

    def drop_entry(self, entry: str) -> bool:
        with self._database.writing() as connection:
            connection.execute(delete(known_as).where(known_as.c.entry == entry))
            return connection.execute(delete(directory).where(directory.c.id == entry)).rowcount == 1


class OutgoingRoom(Room):
    """Events and who was told of them."""

    def add_event(self, event: Event) -> None:
        with self._database.writing() as connection:
            keep_events(self._database, connection, [event])

    def told(self) -> int:
        with self._database.looking() as connection:
            return _told(self._database, connection) or 0

    def tell(self, events: Sequence[Event], upto: int) -> None:
        # events and cursor go together: what is lost is told again from the leaves
        with self._database.writing(may_be_lost=True) as connection:
            keep_events(self._database, connection, events)
            before = _told(self._database, connection)
            if before is None:
                connection.execute(insert(telling).values(id=1, told=upto))
            elif before < upto:
                connection.execute(update(telling).values(told=upto))

    def events(self, page: Page, *, type: str | None = None) -> Listing[Event]:  # noqa: A002 - CloudEvents' word
        query = select(outgoing) if type is None else select(outgoing).where(outgoing.c.type == type)
        with self._database.reading() as connection:
            return listing(connection, query, (outgoing.c.at, outgoing.c.id), page, _event)

    def put_endpoint(self, endpoint: Endpoint) -> None:
        row = asdict(endpoint) | {"types": json.dumps(endpoint.types)}
        with self._database.writing() as connection:
            if not connection.execute(update(endpoints).where(endpoints.c.id == endpoint.id).values(row)).rowcount:
                connection.execute(insert(endpoints).values(row))

    def endpoints(self) -> Iterator[Endpoint]:
        return walk(self._database, select(endpoints), (endpoints.c.id,), _endpoint)

    def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]:
        query = select(deliveries).join(endpoints, endpoints.c.id == deliveries.c.endpoint)
        query = query.where(deliveries.c.next_at <= now, endpoints.c.disabled_at.is_(None))
        query = query.order_by(deliveries.c.next_at, deliveries.c.event, deliveries.c.endpoint).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
            named = {row["endpoint"] for row in rows}
            targets = {
                row["id"]: _endpoint(row)
                for row in connection.execute(select(endpoints).where(endpoints.c.id.in_(named))).mappings()
            }
            events: dict[str, Event] = {}
            for piece in pieces(dict.fromkeys(row["event"] for row in rows)):
                found = connection.execute(select(outgoing).where(outgoing.c.id.in_(piece))).mappings()
                events |= {row["id"]: _event(row) for row in found}
        return [
            Delivery(**{**row, "endpoint": targets[row["endpoint"]], "event": events[row["event"]]}) for row in rows
        ]

    def record_delivery(self, delivery: Delivery) -> None:
        place = (deliveries.c.endpoint == delivery.endpoint.id, deliveries.c.event == delivery.event.id)
        values = {
            "attempts": delivery.attempts,
            "next_at": delivery.next_at,
            "delivered_at": delivery.delivered_at,
            "problem": delivery.problem,
        }
        with self._database.writing() as connection:
            if not connection.execute(update(deliveries).where(*place).values(values)).rowcount:
                raise NotFound("this event is not owed to this endpoint", "replay it to owe it again")

    def replay_event(self, event: str, endpoint: str, now: datetime) -> None:
        with self._database.writing() as connection:
            for table, name in ((outgoing, event), (endpoints, endpoint)):
                if connection.scalar(select(table.c.id).where(table.c.id == name)) is None:
                    raise NotFound(f"there is no {table.name} `{name}`", "list them to see their ids")
            place = (deliveries.c.endpoint == endpoint, deliveries.c.event == event)
            again = _owed(endpoint, event, now)
            if not connection.execute(update(deliveries).where(*place).values(again)).rowcount:
                connection.execute(insert(deliveries).values(again))


def keep_events(database: Database, connection: Connection, events: Sequence[Event]) -> None:
    """Keep the events that are new, each owed to every endpoint that wants it."""
    kept: set[str] = set()
    for piece in pieces(event.id for event in events):
        kept.update(connection.scalars(_KEPT, {"ids": piece}))
    new = {event.id: event for event in events if event.id not in kept}
    if not new:
        return
    rows = [(event.id, event.type, event.about, event.data, to_micros(event.at)) for event in new.values()]
    database.insert_rows(connection, outgoing, rows)
    able = connection.execute(_ABLE).mappings().all()
    owed = [
        _owed(target.id, event.id, event.at)
        for target in map(_endpoint, able)
        for event in new.values()
        if not target.types or event.type in target.types
    ]
    if owed:
        connection.execute(insert(deliveries), owed)


def _told(database: Database, connection: Connection) -> int | None:
    """Read how many leaves were told; None before the first."""
    rows = _TOLD.rows(database, connection, {})
    return rows[0][0] if rows else None


def _owed(endpoint: str, event: str, at: datetime) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "event": event,
        "attempts": 0,
        "next_at": at,
        "delivered_at": None,
        "problem": "",
    }


def _entries(connection: Connection, which: Any, *, after: int = 0, limit: int | None = None) -> list[DirectoryEntry]:
    query = select(directory).where(which).order_by(directory.c.created_at, directory.c.id).offset(after).limit(limit)
    rows = connection.execute(query).mappings().all()
    handles: dict[str, list[str]] = {}
    for piece in pieces(row["id"] for row in rows):
        named = select(known_as).where(known_as.c.entry.in_(piece)).order_by(known_as.c.handle)
        for entry, handle in connection.execute(named):
            handles.setdefault(entry, []).append(handle)
    return [
        DirectoryEntry(
            **{name: value for name, value in row.items() if name != "name_key"},
            handles=tuple(handles.get(row["id"], ())),
        )
        for row in rows
    ]
