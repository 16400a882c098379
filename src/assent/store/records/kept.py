"""What goes into the store and comes out of it: frozen rows without behaviour.

Ids of choices, flags and holds are made by whoever records them (the store draws no
randomness); keys of parts, sweeps and import runs are numbers that the store gives and
never gives twice. Instants are aware and in UTC. Nothing here but titles, project names,
part names and `content_of` can carry what a person wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from assent.domain.conversation import DataClass, Mark, Mode, Origin, Speaker, Surface
from assent.domain.errors import Invalid
from assent.domain.facts import Facts
from assent.policy.standing import UNKNOWN, Permitted
from assent.settings import MAX_PAGE_ROWS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which stretch of a list to read: at most `limit` rows after the place `after` (opaque, from the page before)."""

    limit: int = 100
    after: str | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that would read nothing or everything."""
        if not 1 <= self.limit <= MAX_PAGE_ROWS:
            raise Invalid(f"a page of `{self.limit}` rows is not possible", f"ask for 1 to {MAX_PAGE_ROWS} rows")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page: its rows, how many rows the list has in all, and where the next page starts (None: nowhere)."""

    items: tuple[T, ...]
    total: int
    after: str | None


# -- people and what they said ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """What is known about a subject in one product. None is unknown, or for an event: did not happen.

    `region` is an ISO 3166-1 code in capitals, `age` full years, `user_duration` a duration
    the person picked (ISO 8601 or `indefinite`), `organisation` the one that the account belongs to.
    """

    subject: str
    plan: str | None = None
    region: str | None = None
    age: int | None = None
    signed_in: bool | None = None
    role: str | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    moved_to_business_at: datetime | None = None
    user_duration: str | None = None
    opened_at: datetime | None = None
    organisation: str | None = None


IntakeStatus = Literal["new", "grown", "unchanged", "erased before"]


@dataclass(frozen=True, slots=True)
class IntakeOutcome:
    """What became of one conversation at intake.

    `new`: kept for the first time; `grown`: parts were added or changed, or clocks moved on;
    `unchanged`: the store had all of it; `erased before`: nothing of it came back in.
    `parts_added` were taken, `parts_erased_before` were left out because a tombstone names them.
    """

    conversation: str
    status: IntakeStatus
    parts_added: int = 0
    parts_erased_before: int = 0


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """Which conversations to list; None asks nothing. `title` is a piece of the title, in any case.

    `deleted_since`: deleted then or later.
    """

    subject: str | None = None
    source: str | None = None
    project: str | None = None
    surface: Surface | None = None
    mode: Mode | None = None
    deleted: bool | None = None
    flagged: bool | None = None
    title: str | None = None
    deleted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """One conversation in a list. `plan` is the plan at its first intake; `parts` counts what is still kept."""

    id: str
    subject: str | None
    source: str
    title: str
    project: str
    surface: Surface
    mode: Mode
    plan: str | None
    created_at: datetime | None
    last_turn_at: datetime | None
    deleted_at: datetime | None
    feedback_at: datetime | None
    flagged_at: datetime | None
    recorded_at: datetime
    imported_at: datetime
    parts: int


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a list that was not counted: its rows, where to look on (None: nowhere), and whether it was all.

    `cut_short`: what was looked at ended before the page was full; looking on from `after` may find more, or nothing.
    """

    items: tuple[ConversationEntry, ...]
    after: str | None
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class ProjectEntry:
    """A project of a person: its name, how many conversations are in it, and the newest turn in any of them."""

    name: str
    conversations: int
    last_turn_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part without its content. `key` is its number in the store, `id` its name inside its conversation."""

    key: int
    id: str
    turn: str
    ordinal: int
    speaker: Speaker
    origin: Origin
    data: DataClass
    marks: frozenset[Mark]
    name: str
    created_at: datetime | None
    recorded_at: datetime
    plan: str | None


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation with its parts in the order of the source, without their content."""

    entry: ConversationEntry
    parts: tuple[StoredPart, ...]


def part_name(conversation: str, part: str) -> str:
    """Name a part across conversations: `<conversation id>#<part id>`, the `part` of its facts and decisions."""
    return f"{conversation}#{part}"


# -- deciding and erasing ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """What parts share. `state` holds their categorical facts and nothing else (its `part` is empty).

    `permitted` is true of each of its parts at any instant from `since` on (None: at any),
    but for those of people who were woken, which are nominated whatever it says.
    """

    id: int
    state: Facts
    permitted: Permitted = UNKNOWN
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy as the operator wrote it. `digest` names its meaning, not its layout."""

    digest: str
    name: str
    text: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would erase at one instant, by its digest.

    `policies` are the digests of the versions it was decided under, oldest first; `counts` maps a label to a number.
    """

    digest: str
    policies: tuple[str, ...]
    at: datetime
    counts: Mapping[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One part that a plan names: by which rule it is due, and since when. `decision` is a digest, if one was made."""

    part: int
    erase_by: datetime
    rule: str
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run that carries a plan out. `after` is the last part key it has dealt with: start behind it to go on."""

    id: int
    plan: str
    started_at: datetime
    finished_at: datetime | None
    erased: int
    kept: int
    after: int


# -- cuts, imports, status --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportNote:
    """One remark of an import: where, whether `skipped` or `malformed`, a reason without content, and how often."""

    place: str
    kind: Literal["skipped", "malformed"]
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import. `path` is the last piece of the source's path; counts are of source records."""

    id: int
    format: str
    path: str
    started_at: datetime
    finished_at: datetime | None = None
    imported: int = 0
    skipped: int = 0
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the store holds, for a status page."""

    accounts: int
    conversations: int
    parts: int
    choices: int
    flags: int
    holds_standing: int
    tombstones: int
    policies: int
    sweeps_unfinished: int
    cuts: int
    by_source: Mapping[str, int] = field(default_factory=dict)
