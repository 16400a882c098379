"""How connected systems stand: what each still has to remove, and when it was last looked at for an erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from assent.connectors.registry import kind
from assent.domain.errors import AssentError
from assent.services.connect.ids import formats_of, own_id

if TYPE_CHECKING:
    from datetime import datetime

    from assent.connectors.port import Product
    from assent.domain.copies import CopyState
    from assent.services.connect.files import Connector, Connectors
    from assent.store.records import Obligation, StoreState

_MOMENT: Final = timedelta(microseconds=1)


class StandingStore(Protocol):
    """What saying how systems stand asks of a store."""

    def store_states(self) -> list[StoreState]: ...

    def overdue_obligations(
        self, before: datetime, limit: int = 1_000, *, store: str | None = None
    ) -> list[Obligation]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A connected system. `erasures` counts those it was asked for by what a look found; `problem` is of its file.

    `kind` is what it is ("" where its file is broken), `looked_at` when an erasure was last looked after there.
    """

    name: str
    kind: str
    summary: str
    problem: str
    erasures: Mapping[CopyState, int]
    looked_at: datetime | None

    @property
    def not_removed(self) -> int:
        return sum(count for state, count in self.erasures.items() if state != "removed")


def standings(connectors: Connectors, store: StandingStore) -> list[Standing]:
    """Say of every connected system how it stands, by name; none of them is asked."""
    answered = store.store_states()
    return [_standing(connectors, name, answered) for name in connectors.names()]


def standing(connectors: Connectors, name: str, store: StandingStore) -> Standing:
    """Say of one system how it stands. Raises `NotFound`."""
    if name not in connectors.names():
        connectors.read(name)  # says which there are
    return _standing(connectors, name, store.store_states())


def owed(store: StandingStore, name: str, limit: int, *, now: datetime) -> list[Obligation]:
    """Read what a system has not removed yet, the oldest erasure first."""
    return store.overdue_obligations(now + _MOMENT, limit, store=name)


def opened(connectors: Connectors, name: str) -> tuple[Connector, Product]:
    """Read the file of a system and connect it.

    Raises `NotFound` if it is not connected, else `AssentError`: that a file is broken is not the asker's fault.
    """
    if name not in connectors.names():
        connectors.read(name)
    try:
        connector = connectors.read(name)
        return connector, connectors.connect(connector)
    except AssentError as problem:
        raise AssentError(f"`{name}` cannot be used: {problem.message}", problem.fix) from None


def may_hold(connectors: Connectors, conversation: str, subject: str) -> list[str]:
    """Name the systems that may hold copies of a person's conversation; none of them is asked.

    One that belongs to somebody else is not named to anybody but them. One whose file is broken may hold anything.
    """
    found = []
    for name in connectors.names():
        try:
            connector = connectors.read(name)
            formats = formats_of(connector, connectors.connect(connector))
        except AssentError:
            found.append(name)
            continue
        owner = getattr(connector.settings, "owner", None)
        if owner in (None, subject) and own_id(formats, conversation) is not None:
            found.append(name)
    return found


def _standing(connectors: Connectors, name: str, answered: list[StoreState]) -> Standing:
    mine = [one for one in answered if one.store == name]
    looks = [one.settled_at for one in mine if one.settled_at is not None]
    try:
        which, problem = connectors.read(name).shared.kind, ""
        summary = kind(which).SUMMARY
    except AssentError as broken:
        which, summary, problem = "", "", str(broken)
    return Standing(name, which, summary, problem, {one.state: one.erasures for one in mine}, max(looks, default=None))
