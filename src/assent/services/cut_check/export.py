"""Write evidence about a cut from the store: facts, marks, flags, tombstones, and acts with their place in the ledger.

This part reads the store and is not the checker. It writes what is there, and decides nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from assent.domain.errors import NotFound
from assent.domain.facts import ChoiceAct
from assent.ledger.merkle import inclusion_proof
from assent.services.cut_check.evidence import Entry, Header, KnownAct, KnownConversation, KnownFlag, KnownPart
from assent.services.cut_check.files import open_folder
from assent.services.ledger.append import salt_of
from assent.services.ledger.prove import served
from assent.services.ledger.tree import Tree
from assent.services.receipts.record import record_of
from assent.settings import MAX_PAGE_ROWS
from assent.store.port import Choices, Conversations, Cuts, Erasures, Flags, Ledger
from assent.store.records import Page, part_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from assent.domain.facts import Facts
    from assent.services.cut_check.files import Folder
    from assent.services.ledger.log import Log
    from assent.store.records import Choice, Leaf, Listing

T = TypeVar("T")

AT_ONCE: Final = 500
"""Conversations whose facts are read at one instant."""

REMEMBERED: Final = 10_000
"""People whose acts are kept in mind: those of one person stand near each other in a cut."""


class EvidenceStore(Conversations, Choices, Flags, Cuts, Erasures, Ledger, Protocol):
    """What writing evidence asks of a store."""


def export_evidence(
    folder: Path, out: BinaryIO, store: EvidenceStore, log: Log | None, *, now: datetime
) -> Iterator[int]:
    """Write the evidence of the cut in `folder`; yields after some conversations each, how many.

    The digest in its first line is the one that the store recorded, not that of the folder. `log` is
    None in a home without a ledger. Raises `NotFound` for a cut that this store did not record.
    """
    found = open_folder(folder)
    checkpoint = None if log is None or store.head() is None else served(store)
    name, number = found.manifest["name"], found.manifest["number"]
    writer = _Writer(store, log if checkpoint else None)
    entry = None if checkpoint is None else writer.made(name, number)
    _put(out, Header(name, number, _recorded(store, name, number), now, checkpoint, entry).to_record())
    conversations = _conversations(found)
    while batch := list(islice(conversations, AT_ONCE)):
        for record in writer.records(dict(batch)):
            _put(out, record)
        yield len(batch)


def _put(out: BinaryIO, record: dict[str, object]) -> None:
    out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _recorded(store: Cuts, name: str, number: int) -> str:
    for cut in store.cuts_named(name):
        if cut.number == number:
            return cut.manifest
    raise NotFound(f"this store recorded no cut `{name}` number `{number}`", "use the home that wrote it")


def _conversations(folder: Folder) -> Iterator[tuple[str, frozenset[str]]]:
    """Name the conversations in the order of the cut, each with its parts."""
    for conversation, rows in groupby(folder.rows(), key=lambda row: row["conversation"]):
        yield conversation, frozenset(row["part"] for row in rows)


def _every(read: Callable[[Page], Listing[T]]) -> Iterator[T]:
    """Read a list to its end, page by page."""
    page: Page | None = Page(limit=MAX_PAGE_ROWS)
    while page is not None:
        listing = read(page)
        yield from listing.items
        page = Page(limit=MAX_PAGE_ROWS, after=listing.after) if listing.after else None


class _Writer:
    """Turns what the store knows into lines; each act once."""

    def __init__(self, store: EvidenceStore, log: Log | None) -> None:
        self._store = store
        self._log = log
        self._tree = Tree(store)
        self._size = 0 if (head := store.head()) is None else head.size
        self._written: set[str] = set()
        self._shared: dict[str | None, tuple[object, list[Choice]]] = {}

    def records(self, wanted: dict[str, frozenset[str]]) -> Iterator[dict[str, object]]:
        """Write some conversations, and before each of them the acts that it names for the first time."""
        facts = self._store.facts_of_several(list(wanted))
        kept = self._store.conversations_of(list(wanted))
        for conversation, names in wanted.items():
            parts = kept[conversation].parts if conversation in kept else ()
            marks = {part_name(conversation, part.id): part.marks for part in parts}
            known = tuple(
                KnownPart(replace(fact, subject=None), frozenset(marks[fact.part]))
                for fact in facts.get(conversation, [])
                if fact.part in names and fact.part in marks
            )
            choices = self._choices(conversation, facts.get(conversation, []))
            for choice in choices:
                if choice.id not in self._written:
                    self._written.add(choice.id)
                    yield self._act(choice).to_record()
            gone = self._gone(conversation, names - {part.facts.part for part in known})
            acts = tuple(choice.id for choice in choices)
            flagged = any(part.facts.flagged_at is not None for part in known)
            flags = self._flags(conversation) if flagged else ()
            yield KnownConversation(conversation, acts, flags, known, gone).to_record()

    def _choices(self, conversation: str, facts: Sequence[Facts]) -> list[Choice]:
        """Read the acts that count for a conversation; those about everything count for a person's others too."""
        if not facts:
            return self._store.choices_for(conversation)
        subject, told = facts[0].subject, facts[0].choices
        if subject in self._shared and self._shared[subject][0] == told:
            return self._shared[subject][1]
        choices = self._store.choices_for(conversation)
        if all(choice.scope == "everything" for choice in choices):
            if len(self._shared) >= REMEMBERED:
                self._shared.clear()
            self._shared[subject] = told, choices
        return choices

    def made(self, name: str, number: int) -> Entry | None:
        """Read what the ledger says of the making of a cut, if that is under the checkpoint."""
        for said in self._store.cut_leaves(name, number):
            if json.loads(said.record).get("act") == "made":
                return self._entry(self._store.leaves(said.leaf, 1)[0][1], said.record.encode())
        return None

    def _entry(self, leaf: Leaf, record: bytes) -> Entry | None:
        """Show a leaf; None for one whose salt was erased, or that waits for its checkpoint."""
        if leaf.salt is None or leaf.number >= self._size:
            return None
        path = inclusion_proof(leaf.number, self._size, self._tree.read)
        return Entry(leaf.number, record, salt_of(leaf, record), tuple(path))

    def _act(self, choice: Choice) -> KnownAct:
        act = ChoiceAct(choice.purpose, choice.act, choice.at)
        logged = None if self._log is None else self._store.logged(choice.id)
        if self._log is None or logged is None:
            return KnownAct(choice.id, act, None)
        return KnownAct(choice.id, act, self._entry(logged[1], record_of(choice, self._log.identity).encode()))

    def _flags(self, conversation: str) -> tuple[KnownFlag, ...]:
        return tuple(
            KnownFlag(flag.id, flag.at, flag.reversed_at)
            for flag in _every(lambda page: self._store.flags(page, conversation))
        )

    def _gone(self, conversation: str, missing: frozenset[str]) -> frozenset[str]:
        if not missing:
            return frozenset()
        stones = _every(lambda page: self._store.tombstones(page, conversation=conversation))
        return missing & {part_name(conversation, stone.part) for stone in stones}
