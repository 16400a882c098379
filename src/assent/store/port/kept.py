"""Contracts of what is kept: people, conversations, safety, deciding, erasing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from assent.domain.conversation import Conversation
from assent.domain.facts import Facts
from assent.policy.nominate import Bound
from assent.store.records import (
    Account,
    ConversationEntry,
    ConversationFilter,
    Counts,
    Found,
    ImportNote,
    ImportRun,
    IntakeOutcome,
    Listing,
    Page,
    Plan,
    PlanItem,
    PolicyText,
    ProjectEntry,
    RetentionClass,
    StoredConversation,
    Sweep,
)


class Accounts(Protocol):
    """What is known about people, as far as decisions need it."""

    def put_accounts(self, accounts: Iterable[Account]) -> None:
        """Set what is known about these subjects; a second value for a subject replaces the first.

        Stored parts follow at once with region, age, role and events. The plan is different: a
        part keeps the plan that it was recorded under, and only parts whose plan was unknown
        take the account's. So data of a business plan never becomes consumer data afterwards.
        """
        ...

    def account(self, subject: str) -> Account | None: ...

    def accounts(self) -> Iterator[Account]:
        """Read all accounts in the order of their subjects, page by page."""
        ...

    def close_account(self, subject: str, at: datetime) -> None:
        """Record that the account ended at `at`; the first end counts. Raises `NotFound` for an unknown subject."""
        ...


class Intake(Protocol):
    """The way in for conversations."""

    def intake(self, items: Sequence[Conversation], *, plan: str | None, recorded_at: datetime) -> list[IntakeOutcome]:
        """Keep these conversations, in one transaction; one outcome each, in order.

        Idempotent: what is there already is `unchanged`. A conversation that was there and has
        new or changed parts grows; its clocks only move forward (the newest turn and feedback,
        the first deletion). Parts that the source no longer shows stay: only a sweep erases.
        What was erased stays erased: a conversation that is gone and has tombstones is refused
        whole, and of one that is still here no part with a tombstone comes back.
        `plan` is the plan the parts were written under; None takes the account's, if known.
        An id that comes twice in one batch counts as two sources, one after the other.
        """
        ...

    def correct_plan(self, conversations: Sequence[str], plan: str, *, known: Collection[str]) -> int:
        """Put the parts of these conversations whose plan is none of `known` under `plan`, which must be one of them.

        A part under a known plan keeps it, so data of a business plan never becomes consumer data. Returns how many
        conversations had such parts.
        """
        ...

    def begin_import(self, format_name: str, path: str, started_at: datetime) -> int:
        """Open an account of one import; returns its number. `path` is a file or folder name without its folder."""
        ...

    def finish_import(self, run: ImportRun, notes: Iterable[ImportNote]) -> None:
        """Record the counts, the end and the notes of an import; a second call replaces the first."""
        ...

    def imports(self, page: Page) -> Listing[ImportRun]:
        """List imports, newest first."""
        ...

    def import_notes(self, run: int, page: Page) -> Listing[ImportNote]:
        """List what an import skipped or refused, in the order it was noted."""
        ...


class Conversations(Protocol):
    """What is kept, for people to look at."""

    def conversations(self, which: ConversationFilter, page: Page) -> Listing[ConversationEntry]:
        """List conversations, newest turn first, those without a time last."""
        ...

    def find_conversations(self, which: ConversationFilter, page: Page, *, look_at: int) -> Found:
        """List conversations in the same order without counting them, for somebody who has very many.

        By a piece of the title at most `look_at` titles are opened for one answer.
        """
        ...

    def projects_of(self, subject: str, limit: int) -> list[ProjectEntry]:
        """Read up to `limit` projects that conversations of a person are in, by name."""
        ...

    def conversation(self, conversation: str) -> StoredConversation | None: ...

    def conversations_of(self, conversations: Collection[str]) -> dict[str, StoredConversation]:
        """Read several conversations with their parts at one instant; the unknown are left out."""
        ...

    def content_digests(self) -> pa.RecordBatchReader:
        """Read what tells that content is the same: `conversation` and its `digest`, null if a part was erased."""
        ...

    def facts_of(self, conversation: str) -> list[Facts]:
        """Read the facts of all its parts, choices and holds included, in the order of the source.

        A part is named `<conversation id>#<part id>` (`records.part_name`). Empty if unknown.
        """
        ...

    def facts_of_several(self, conversations: Collection[str]) -> dict[str, list[Facts]]:
        """Read the facts of several conversations at one instant; the unknown are left out. The caller bounds them."""
        ...

    def shown_facts_of(self, conversations: Collection[str]) -> dict[str, list[Facts]]:
        """Read facts as the person may know them: as `facts_of_several` does, without holds under a gag."""
        ...

    def content_of(self, keys: Sequence[int]) -> dict[int, str]:
        """Read the content of parts by key; keys that are gone are left out. The caller bounds the batch."""
        ...

    def request_deletion(self, conversation: str, at: datetime) -> None:
        """Record that the person asked to delete it, and erase nothing yet.

        The first request counts. Raises `NotFound`.
        """
        ...

    def request_deletion_of_all(self, subject: str, at: datetime) -> int:
        """Record the request for everything of this person that has none yet; returns how many conversations."""
        ...

    def withdraw_deletion(self, conversation: str, requested_at: datetime) -> bool:
        """Take back the request of this instant; False, and nothing changes, if there is none or no part is left."""
        ...

    def withdraw_deletion_of_all(self, subject: str, since: datetime) -> int:
        """Take back every request of this person made at `since` or later; returns for how many conversations."""
        ...


class FactColumns(Protocol):
    """Facts as Arrow columns for the set evaluator (schemas FACTS, ACTS, HOLDS of `store.columns`)."""

    def retention_classes(self) -> Iterator[RetentionClass]:
        """Read every combination of categorical facts, to be nominated by `policy.nominate`."""
        ...

    def fact_batches(
        self,
        nominated: Mapping[int, tuple[Bound, ...] | None] | None = None,
        *,
        at: datetime,
        batch_rows: int = 50_000,
    ) -> pa.RecordBatchReader:
        """Read facts in the order of part keys, in batches of at most `batch_rows`.

        `nominated` maps a retention class to its bounds: a part is read if for one of them
        `clock <= at - after`. None reads the class whole, an empty tuple nothing of it, and a
        class that is missing in the mapping (it appeared meanwhile) is read whole. Without a
        mapping everything is read. Resting parts of a person whose acts may have ended what was
        permitted (`Resting`) are read too, whatever their bounds. `part` is the part's key in
        digits, `chooser` the subject, `holder` the conversation id. What is read only
        nominates: `intend` decides again.
        """
        ...

    def act_batches(self, subjects: pa.ChunkedArray | None = None) -> pa.RecordBatchReader:
        """Read choices in the schema ACTS: all, or those that bear on the parts of these people."""
        ...

    def hold_batches(self, conversations: pa.ChunkedArray | None = None) -> pa.RecordBatchReader:
        """Read holds in the schema HOLDS, one row per hold and conversation it covers: all, or those of some."""
        ...

    def names_of(self, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Give (conversation id, part id) of parts by key; keys that are gone are left out."""
        ...


class Resting(Protocol):
    """What keeps the index from nominating, at every plan, what a standing choice keeps."""

    def rest(self, keys: Sequence[int], worth: Callable[[RetentionClass], bool]) -> int:
        """Move those of these parts for which something is permitted for good into a class that says so.

        `worth` is shown the class that parts would come into; where it says no they stay. One
        transaction, which the caller bounds. Returns how many moved.
        """
        ...

    def wake(self, limit: int) -> int:
        """Move parts back of up to `limit` people whose acts may have ended it; returns how many people these were."""
        ...


class Policies(Protocol):
    """Policy files as they were used; a digest never changes its meaning."""

    def add_policy(self, policy: PolicyText) -> None:
        """Keep a policy under its digest; the first text kept under a digest stays."""
        ...

    def policy(self, digest: str) -> PolicyText | None: ...

    def policies(self) -> Iterator[PolicyText]:
        """Read all policies in the order in which they were added."""
        ...


class Plans(Protocol):
    """What a sweep would do, before it does it."""

    def save_plan(self, plan: Plan, items: Iterable[PlanItem]) -> None:
        """Keep a plan with all its items, in one transaction; the same digest again does nothing.

        Raises `NotFound` if one of the plan's policies is not in the store.
        """
        ...

    def plan(self, digest: str) -> Plan | None: ...

    def plans(self, page: Page) -> Listing[Plan]:
        """List plans, newest first."""
        ...

    def plan_items(self, digest: str, after: int, limit: int) -> list[PlanItem]:
        """Read up to `limit` items with a part key above `after` (0: from the start), in the order of keys."""
        ...

    def plan_keys(self, digest: str, after: int, limit: int) -> list[int]:
        """Read the same stretch as keys of parts alone, which is what `intend` is given; many times as fast."""
        ...


class Sweeps(Protocol):
    """Runs that carry plans out; what goes, goes by `Erasures.intend`."""

    def begin_sweep(self, plan: str, started_at: datetime) -> Sweep:
        """Begin to carry out a plan, or go on with the unfinished sweep of it. Raises `NotFound`."""
        ...

    def finish_sweep(self, sweep: int, finished_at: datetime) -> Sweep:
        """Close a sweep; the first end counts. Raises `NotFound`."""
        ...

    def sweep(self, sweep: int) -> Sweep | None: ...

    def sweeps(self, page: Page) -> Listing[Sweep]:
        """List sweeps, newest first."""
        ...

    def checkpoint(self) -> bool:
        """Drop what erased content left behind in the database, as far as this database can.

        Returns False if a reader was in the way: call again. After True no SQLite file holds a
        byte of what was erased. In PostgreSQL no row is left in a table, and the server
        writes over the bytes in its pages, its indexes and its log as it needs the room
        (docs/how-to/use-postgresql.md).
        """
        ...


class Upkeep(Protocol):
    """The store itself."""

    def counts(self) -> Counts: ...

    def tend(self) -> None:
        """Do what keeps later writes short, holding up nobody. Who writes all the time calls it every second."""
        ...

    def close(self) -> None:
        """Give back files and connections. Nothing acknowledged is lost without it."""
        ...
