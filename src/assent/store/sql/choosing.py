"""Whose acts bear on which part: scopes and links applied, for facts of single parts and for columns alike.

What a scope means stands in `domain/choices.py`. Most people only ever act about
everything; what is done here costs only for those who do not, and for linked devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, case, exists, select, union

from assent.domain.choices import REFUSALS, TITLED, Place, acts_on, project_target, reachable
from assent.domain.facts import ChoiceAct
from assent.store.schema import choice as choices
from assent.store.schema import conversation, device_link, part, retention_class
from assent.store.sql.room import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    from assent.domain.facts import Act, Scope


def refusing_last(acts: FromClause) -> ColumnElement[int]:
    """Order acts of one instant: what refuses comes last, and holds."""
    return case((acts.c.act.in_(sorted(REFUSALS)), 1), else_=0)


REFUSING_LAST: Final = refusing_last(choices)
_SCOPED: Final = choices.c.scope != "everything"
_SAID: Final[Select[Any]] = select(
    choices.c.subject, choices.c.purpose, choices.c.act, choices.c.at, choices.c.scope, choices.c.target
).order_by(choices.c.at, REFUSING_LAST, choices.c.id)
_TITLED_PARTS: Final = (
    exists()
    .where(part.c.conversation == conversation.c.key, part.c.retention_class == retention_class.c.id)
    .where(retention_class.c.data.in_(TITLED))
)
_PLACE: Final[Select[Any]] = select(
    conversation.c.id, conversation.c.project, and_(conversation.c.project == "", ~_TITLED_PARTS)
)
SEPARATOR: Final = "\x1f"
"""Stands between the pieces of a chooser's name (`Choosers`); the first piece is the subject."""

_SEVERAL: Final = 500
"""People whose acts are laid out as columns at once."""


class Said(NamedTuple):
    """One act, as far as it decides."""

    purpose: str
    act: Act
    at: datetime
    scope: Scope
    target: str | None


class Targets(NamedTuple):
    """What the acts that reach one person's conversations are about, apart from everything."""

    projects: frozenset[str]
    conversations: frozenset[str]


class Choosing:
    """The acts of some people, and those that reach them from the account that a device was linked to."""

    def __init__(self, connection: Connection, subjects: Iterable[str]) -> None:
        """Read the acts of these people."""
        wanted = set(subjects)
        self._accounts = accounts_of(connection, wanted)
        self._said: dict[str, list[Said]] = {}
        for piece in pieces(wanted | set(self._accounts.values())):
            for subject, *said in connection.execute(_SAID.where(choices.c.subject.in_(piece))):
                self._said.setdefault(subject, []).append(Said(*said))
        self._targets: dict[str, Targets | None] = {}
        self._found: dict[tuple[str, Place | None], tuple[ChoiceAct, ...]] = {}

    def of(self, subject: str | None, place: Callable[[], Place]) -> tuple[ChoiceAct, ...]:
        """Return the acts that count for a person's part, as facts want them; `place` is asked only if it matters."""
        if subject is None:
            return ()
        where = None if self.targets(subject) is None else place()
        found = self._found.get((subject, where))
        if found is None:
            found = self._found[subject, where] = self.at(subject, where or Place())
        return found

    def at(self, subject: str, place: Place) -> tuple[ChoiceAct, ...]:
        """Return the acts that count for a place."""
        return tuple(ChoiceAct(one.purpose, one.act, one.at) for one in acts_on(self._reaching(subject), place))

    def targets(self, subject: str) -> Targets | None:
        """Say what a person's acts are about; None if all are about everything and no account reaches in."""
        if subject not in self._targets:
            said = self._reaching(subject)
            whole = subject not in self._accounts and all(one.scope == "everything" for one in said)
            self._targets[subject] = None if whole else Targets(_about(said, "project"), _about(said, "conversation"))
        return self._targets[subject]

    def _reaching(self, subject: str) -> Sequence[Said]:
        own = self._said.get(subject, [])
        account = self._accounts.get(subject)
        return own if account is None else reachable(own, self._said.get(account, ()))


class Choosers:
    """Names who chose for each row of facts, so that rows of one name share one sequence of acts.

    The name is the subject; where acts are about less than everything, or reach a device, it
    says what they are about too: `<subject>␟<project>␟<conversation>`.
    """

    def __init__(self, connection: Connection) -> None:
        """Look whether there is anybody whose name says more than the subject."""
        self._connection = connection
        self._needed = connection.execute(_special().limit(1)).first() is not None

    def of(self, rows: Sequence[tuple[str | None, str]]) -> list[str | None]:
        """Name the choosers of (subject, conversation id), in order."""
        subjects = {subject for subject, _ in rows if subject is not None}
        special = _those_special(self._connection, subjects) if self._needed else set()
        if not special:
            return [subject for subject, _ in rows]
        choosing = Choosing(self._connection, special)
        where = places(self._connection, {name for subject, name in rows if subject in special})
        names: dict[tuple[str | None, str], str | None] = {}
        for subject, conversation_id in set(rows):
            targets = choosing.targets(subject) if subject is not None else None
            names[subject, conversation_id] = (
                subject
                if subject is None or targets is None
                else _chooser(subject, where.get(conversation_id, Place(conversation_id)), targets)
            )
        return [names[row] for row in rows]


def special_acts(connection: Connection) -> Iterator[tuple[str, str, str, datetime]]:
    """Read (chooser, purpose, act, instant) for everyone whose name as a chooser says more than the subject."""
    after = ""
    while True:
        wanted = _special().subquery()
        query = select(wanted.c.subject).where(wanted.c.subject > after).order_by(wanted.c.subject).limit(_SEVERAL)
        subjects = list(connection.scalars(query))
        if not subjects:
            return
        yield from _acts_of(connection, subjects)
        after = subjects[-1]


def special_acts_among(connection: Connection, subjects: Collection[str]) -> Iterator[tuple[str, str, str, datetime]]:
    """Read the same of those among these subjects."""
    if connection.execute(_special().limit(1)).first() is not None:
        yield from _acts_of(connection, sorted(_those_special(connection, subjects)))


def _acts_of(connection: Connection, subjects: Sequence[str]) -> Iterator[tuple[str, str, str, datetime]]:
    choosing = Choosing(connection, subjects)
    about = {subject: targets for subject in subjects if (targets := choosing.targets(subject)) is not None}
    where = places(connection, {name for targets in about.values() for name in targets.conversations})
    for subject, targets in about.items():
        for place in _kinds_of_place(targets, where):
            chooser = _chooser(subject, place, targets)
            for said in choosing.at(subject, place):
                yield chooser, said.purpose, said.act, said.at


def places(connection: Connection, conversations: Iterable[str]) -> dict[str, Place]:
    """Say where conversations stand, by id; those that are not kept are left out."""
    found = {}
    for piece in pieces(conversations):
        for name, project, lost in connection.execute(_PLACE.where(conversation.c.id.in_(piece))):
            found[name] = Place(name, project_target(project) if project else None, bool(lost))
    return found


def _kinds_of_place(targets: Targets, where: dict[str, Place]) -> list[Place]:
    projects = [Place(None, project) for project in sorted(targets.projects)]
    lost = [Place(None, None, project_lost=True)] if targets.projects else []
    # one that is not kept has no parts, so nobody asks for its acts
    named = [where[name] for name in sorted(targets.conversations) if name in where]
    return [Place(), *lost, *projects, *named]


def _chooser(subject: str, place: Place, targets: Targets) -> str:
    project = place.project if place.project in targets.projects else None
    lost = place.project_lost and bool(targets.projects)
    named = place.conversation if place.conversation in targets.conversations else None
    return SEPARATOR.join((subject, "lost" if lost else project or "", named or ""))


def _special() -> Any:
    return union(
        select(choices.c.subject).where(_SCOPED),
        select(device_link.c.device.label("subject")),
    )


def _those_special(connection: Connection, subjects: Collection[str]) -> set[str]:
    found: set[str] = set()
    for piece in pieces(subjects):
        found.update(connection.scalars(select(choices.c.subject).where(_SCOPED, choices.c.subject.in_(piece))))
        found.update(connection.scalars(select(device_link.c.device).where(device_link.c.device.in_(piece))))
    return found


def accounts_of(connection: Connection, subjects: Collection[str]) -> dict[str, str]:
    """Find the accounts to which those of these subjects that are devices were linked."""
    found: dict[str, str] = {}
    for piece in pieces(subjects):
        query = select(device_link.c.device, device_link.c.subject).where(device_link.c.device.in_(piece))
        found.update((device, subject) for device, subject in connection.execute(query))
    return found


def _about(said: Iterable[Said], scope: Scope) -> frozenset[str]:
    return frozenset(one.target for one in said if one.scope == scope and one.target is not None)
