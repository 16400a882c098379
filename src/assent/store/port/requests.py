"""Contracts of what others ask and are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from assent.store.records import Delivery, DirectoryEntry, Endpoint, Event, Listing, Page, RightsAgent, RightsRequest


class Rights(Protocol):
    """Agents and what they ask for people."""

    def put_agent(self, agent: RightsAgent) -> None:
        """Keep an agent; a second value under its id replaces the first."""
        ...

    def agent(self, agent: str) -> RightsAgent | None: ...

    def agent_with_token(self, digest: str) -> RightsAgent | None:
        """Find the agent that was given this token last."""
        ...

    def agents(self) -> Iterator[RightsAgent]:
        """Read all agents by id."""
        ...

    def add_request(self, request: RightsRequest) -> bool:
        """Keep a new request; returns False, and changes nothing, if there is one under this id already."""
        ...

    def change_request(self, request: RightsRequest, *, was: str) -> bool:
        """Replace a request whose status is still `was`; returns False, and changes nothing, if it is not."""
        ...

    def request(self, request: str) -> RightsRequest | None: ...

    def requests(
        self, page: Page, *, status: str | None = None, agent: str | None = None, subject: str | None = None
    ) -> Listing[RightsRequest]:
        """List requests, the one received last first; of one status, agent or subject, or all."""
        ...

    def due_calls(self, now: datetime, limit: int) -> list[RightsRequest]:
        """Read requests whose agents are to be told of a change, the longest due first."""
        ...

    def record_call(self, request: str, *, told: datetime, next_at: datetime | None, calls: int) -> None:
        """Record how an attempt to tell of the change at `told` went; nothing if it has changed again meanwhile."""
        ...


class Directory(Protocol):
    """People as the provider's directory describes them."""

    def put_entry(self, entry: DirectoryEntry, *, was: datetime | None = None) -> bool:
        """Keep an entry, new or changed.

        `was` is the `changed_at` of the version that this one follows; returns False, and changes nothing, if
        the entry is another version by now, or if `was` is None and there is an entry under this id. Raises
        `Refused` if another entry has the name.
        """
        ...

    def entry(self, entry: str) -> DirectoryEntry | None: ...

    def entries(self, *, after: int, limit: int, name: str | None = None) -> tuple[list[DirectoryEntry], int]:
        """List entries by the time of their creation, `limit` of them behind the first `after`; and how many there are.

        `name` asks for the one entry of this name.
        """
        ...

    def entries_known_as(self, handles: Sequence[str]) -> list[DirectoryEntry]:
        """Find the entries that have one of these names or handles, in small letters."""
        ...

    def drop_entry(self, entry: str) -> bool:
        """Delete an entry; returns False if there is none. What assent keeps of the person is not touched."""
        ...


class Outgoing(Protocol):
    """Events and who was told of them."""

    def add_event(self, event: Event) -> None:
        """Keep an event and owe it to every endpoint that wants it; the same event again does nothing."""
        ...

    def told(self) -> int:
        """Count the leaves of the ledger, from the first on, that have become events."""
        ...

    def tell(self, events: Sequence[Event], upto: int) -> None:
        """Keep events as `add_event` does, and count the leaves before `upto` as told: both, or neither.

        The power failing may undo both: they are told again from the leaves.
        """
        ...

    def events(self, page: Page, *, type: str | None = None) -> Listing[Event]:  # noqa: A002 - CloudEvents' word
        """List events, newest first."""
        ...

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint; a second value under its id replaces the first. It is owed events from now on."""
        ...

    def endpoints(self) -> Iterator[Endpoint]:
        """Read all endpoints by id, disabled ones too."""
        ...

    def due_deliveries(self, now: datetime, limit: int) -> list[Delivery]:
        """Read what is owed and due, the longest due first; nothing to an endpoint that is disabled."""
        ...

    def record_delivery(self, delivery: Delivery) -> None:
        """Record how an attempt went. Raises `NotFound` if the event is not owed to this endpoint."""
        ...

    def replay_event(self, event: str, endpoint: str, now: datetime) -> None:
        """Owe an event to an endpoint once more, from `now`. Raises `NotFound` for an unknown event or endpoint."""
        ...
