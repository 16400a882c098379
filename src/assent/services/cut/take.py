"""Cut: write what is eligible for a purpose into a folder, every row decided twice and proved (spec/manifest.md)."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Refused
from assent.pipeline.folder import unfinished
from assent.pipeline.messages import lines
from assent.pipeline.write import (
    EXCLUDED,
    EXCLUDED_FILE,
    MESSAGES_FILE,
    PARTS,
    PARTS_FILE,
    LinesFile,
    rows_file,
)
from assent.services.cut.record import Members, Written, finish, newest_erasure
from assent.services.cut.rows import GONE, Draft, Reader
from assent.store.answers import answers
from assent.store.records import part_name
from assent.store.selection import count_eligible, eligible_by_conversation, not_eligible

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from assent.pipeline.write import RowsFile
    from assent.policy.model import Policy
    from assent.services.cut.order import CutOrder, CutStore
    from assent.store.answers import Answers
    from assent.store.columns import Columns

    Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

CONTENT_ROWS: Final = 1_000
"""Parts whose content is read at once. No conversation is torn apart for it: a longer one is read whole."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A cut that was written: its manifest, and the digest of the manifest's bytes."""

    manifest: dict[str, Any]
    digest: str


class NothingEligible(Refused):
    """Not one part may be written. `excluded` counts all that were considered, by reason."""

    def __init__(self, purpose: str, excluded: Counter[str]) -> None:
        """Keep the counts: they are the explanation."""
        fix = "see the counts by reason, and `assent explain` of a conversation you expected"
        super().__init__(f"no part may be used for `{purpose}`, so nothing was written", fix)
        self.excluded = excluded


def take(order: CutOrder, store: CutStore, columns: Columns, policies: Sequence[Policy], progress: Progress) -> Taken:
    """Write a cut into a folder of its own and record it. `policies` are ordered by date, oldest first.

    `progress` shows how far it is: it takes what is done and how much of it there is, and
    gives the function to call with each further amount. Raises `NothingEligible` if there is
    nothing to write, `Invalid` for an order that cannot be carried out, and `AssentError` if
    the two evaluators disagree on a part; then no folder is left and nothing is recorded.
    """
    order.look_over(policies)
    with unfinished(order.directory.absolute()) as folder, closing(Members(folder.path)) as members:
        written = Written(members, erased_before=newest_erasure(store))
        with answers(store, columns, policies, order.at) as found:
            _Cutting(order, store, policies, written).run(folder.path, columns, found, progress)
        if written.rows == 0:
            raise NothingEligible(order.purpose, written.excluded)
        manifest, digest = finish(order, store, policies, written, folder)
    return Taken(manifest, digest)


class _Cutting:
    """One cut while it is being written."""

    def __init__(self, order: CutOrder, store: CutStore, policies: Sequence[Policy], written: Written) -> None:
        self._order = order
        self._store = store
        self._reader = Reader(order, store, policies)
        self._written = written
        written.governed = self._reader.governed

    def run(self, folder: Path, columns: Columns, found: Answers, progress: Progress) -> None:
        """Fill the files in bounded memory."""
        order, written = self._order, self._written
        written.eligible = count_eligible(columns, order.purpose)
        written.excluded.update({tally.label: tally.parts for tally in found.why_not(order.purpose)})
        written.considered = written.eligible + written.excluded.total()
        with ExitStack() as open_files:
            excluded = None
            if order.keep_excluded:
                excluded = open_files.enter_context(rows_file(folder / EXCLUDED_FILE, EXCLUDED))
                self._list_not_eligible(columns, excluded)
            parts = open_files.enter_context(rows_file(folder / PARTS_FILE, PARTS))
            messages = LinesFile(folder / MESSAGES_FILE)
            open_files.callback(messages.close)
            advance = open_files.enter_context(progress(f"cutting for {order.purpose}", written.eligible))
            # closed at once when something fails: the session answers nothing else while a result is open
            with closing(self._batches(columns, excluded, advance)) as batches:
                for drafts in batches:
                    for batch in self._put(drafts, parts, excluded):
                        messages.add(lines(batch, written.messages))
            if (rest := parts.flush()) is not None:
                messages.add(lines(rest, written.messages))
        written.rows = parts.rows
        written.files = {PARTS_FILE: parts.rows, MESSAGES_FILE: messages.rows}
        if excluded is not None:
            written.files[EXCLUDED_FILE] = excluded.rows

    def _list_not_eligible(self, columns: Columns, excluded: RowsFile) -> None:
        with closing(not_eligible(columns, self._order.purpose, self._order.batch_rows)) as batches:
            for batch in batches:
                rows = batch.to_pylist()
                names = self._store.names_of([row["part"] for row in rows])
                for row in rows:
                    name = names.get(row["part"])
                    excluded.add([{"part": part_name(*name) if name else None, "reason": row["reason"]}])
                    excluded.end_group()

    def _batches(
        self, columns: Columns, excluded: RowsFile | None, advance: Callable[[int], None]
    ) -> Generator[list[Draft], None, None]:
        """Decide conversation after conversation; hand over some whole ones at a time."""
        waiting: list[Draft] = []
        with closing(eligible_by_conversation(columns, self._order.purpose, self._order.batch_rows)) as nominated:
            for conversation, keys in _conversations(nominated):
                found = self._reader.drafts(conversation, keys)
                for name, reason in found.excluded:
                    self._leave_out(name, reason, excluded)
                waiting += found.kept
                advance(len(keys))
                if len(waiting) >= CONTENT_ROWS:
                    yield waiting
                    waiting = []
            if waiting:
                yield waiting

    def _put(self, drafts: list[Draft], parts: RowsFile, excluded: RowsFile | None) -> Iterator[pa.RecordBatch]:
        """Give rows their text and write them, conversation by conversation; yield each row group that fills up."""
        written, texts = self._written, self._reader.texts(drafts)
        for _, together in groupby(drafts, key=lambda draft: draft.member.conversation):
            kept = []
            for draft in together:
                text = texts.get(draft.key)
                if text is None:
                    self._leave_out(draft.row["part"], GONE, excluded)
                    continue
                kept.append(draft)
                draft.row["text"] = text
                written.text_bytes += len(text.encode())
                written.under[draft.row["policy"]] += 1
                written.proofs[draft.row["proof"]] += 1
            if not kept:
                continue
            written.conversations += 1
            if (person := kept[0].row["person"]) is not None:
                written.people.add(person)
            written.members.add(draft.member for draft in kept)
            parts.add(draft.row for draft in kept)
            if (batch := parts.end_group()) is not None:
                yield batch

    def _leave_out(self, name: str | None, reason: str, excluded: RowsFile | None) -> None:
        self._written.excluded[reason] += 1
        if excluded is not None:
            excluded.add([{"part": name, "reason": reason}])
            excluded.end_group()


def _conversations(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, set[int]]]:
    """Put the nominated keys of each conversation together; they stand side by side."""
    pairs = (
        pair
        for batch in batches
        for pair in zip(batch["conversation"].to_pylist(), batch["part"].to_pylist(), strict=True)
    )
    for conversation, together in groupby(pairs, key=lambda pair: pair[0]):
        yield conversation, {key for _, key in together}
