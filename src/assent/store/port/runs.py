"""Contract of training runs: which there were, what they used, and what they made."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Protocol

from assent.store.records import Claim, Listing, Page, Run, RunLeaf, RunStart, RunState, StagedReceipt, StillIn, Weights


class Runs(Protocol):
    """Every run, for ever, without any content."""

    def plan_run(self, run: Run, without: Collection[str] = (), leaf: StagedReceipt | None = None) -> None:
        """Keep a run before it starts, and the conversations that it leaves out. The same run again does nothing.

        Raises `NotFound` where there is no such cut or parent, `Refused` if the id is another run's.
        """
        ...

    def start_run(
        self, run: str, start: RunStart, gone: Collection[str] = (), leaf: StagedReceipt | None = None
    ) -> None:
        """Record that a planned run begins to use its rows; conversations that are `gone` by then are left out too.

        Raises `NotFound`, or `Refused` in another state.
        """
        ...

    def end_run(
        self,
        run: str,
        state: RunState,
        at: datetime,
        *,
        reason: str = "",
        gate: str = "",
        made: Weights | None = None,
        leaf: StagedReceipt | None = None,
    ) -> None:
        """Record how a run ended, with what it made; `gate` is kept only where the run never started.

        The same end again does nothing. Raises `NotFound`, or `Refused` where the state does not follow.
        """
        ...

    def run(self, run: str) -> Run | None:
        """Read a run."""
        ...

    def runs(self, page: Page) -> Listing[Run]:
        """List runs, the one planned last first."""
        ...

    def runs_of(self, cut: str, number: int) -> list[Run]:
        """List the runs on one number of a cut, the oldest first."""
        ...

    def runs_with(self, conversation: str) -> list[Run]:
        """List the runs that started and had parts of a conversation to use, the oldest start first."""
        ...

    def runs_with_person(self, subject: str) -> list[Run]:
        """List the runs that started and had parts of a person to use, the oldest start first."""
        ...

    def left_out(self, run: str) -> Iterator[str]:
        """Read the conversations that a run leaves out, in order."""
        ...

    def runs_from(self, base: str) -> list[Run]:
        """List the runs that started from weights with this digest, the oldest start first."""
        ...

    def still_in(self, cut: str, number: int) -> Iterator[StillIn]:
        """Read the conversations of a number of a cut, with how many of its rows are still kept, by name."""
        ...

    def weights_of(self, run: str) -> Weights | None:
        """Read what a run made."""
        ...

    def weights_with(self, digest: str) -> list[Weights]:
        """List what was made with this digest, the oldest first."""
        ...

    def change_weights(
        self,
        run: str,
        *,
        claim: Claim | None = None,
        evaluation: str | None = None,
        superseded_by: str | None = None,
        retired_at: datetime | None = None,
        leaf: StagedReceipt | None = None,
    ) -> None:
        """Record what is known now of what a run made; the first end counts. Raises `NotFound`."""
        ...

    def run_record(self, leaf: int) -> str | None:
        """Read what a leaf of the ledger says of a run; None if it is about none."""
        ...

    def run_leaves(self, run: str) -> list[RunLeaf]:
        """Read what the ledger says of a run, in the order of the leaves."""
        ...
