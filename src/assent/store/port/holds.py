"""Contracts of holds, flags and reasons of access."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from assent.store.records import Access, Coverage, Flag, Hold, HoldOn, Listing, Matter, Page


class Flags(Protocol):
    """Safety findings.

    Facts carry one flag for a conversation: the newest that is not reversed, else the newest of all.
    A finding outlives the content it was made on: only `forget_findings` ends it.
    """

    def add_flag(self, flag: Flag) -> None:
        """Flag a conversation. Raises `NotFound` if it is not kept; the same flag again does nothing."""
        ...

    def reverse_flag(self, flag: str, at: datetime) -> None:
        """Record that a flag was overturned at `at`; the first reversal counts. Raises `NotFound`."""
        ...

    def review_flag(self, flag: str, at: datetime) -> None:
        """Record that a person looked at a flag at `at`; the newest review counts. Raises `NotFound`."""
        ...

    def flags(self, page: Page, conversation: str | None = None, *, subject: str | None = None) -> Listing[Flag]:
        """List flags, newest first, of one conversation, one person or all; also those whose content is gone."""
        ...

    def flag(self, flag: str) -> Flag | None: ...

    def forget_findings(self, before: datetime) -> int:
        """End findings whose content is gone and that were made before `before`, or were reversed. Returns how many.

        A finding that a standing hold may cover stays, as long as that hold stands.
        """
        ...

    def findings_alone(self, before: datetime) -> int:
        """Count the findings that `forget_findings` would end."""
        ...


class Holds(Protocol):
    """Legal holds. When `place_hold` has returned, no sweep erases what the hold covers, on any connection.

    A hold covers what its words say now, and also whom or what they said at any time since it was placed: who left
    the organisation, and conversations that matched the query once.
    """

    def place_hold(self, hold: Hold) -> None:
        """Place a hold, and open its matter if there is none of that name.

        Waits for an erasure that is under way; the same hold again does nothing.
        Raises `Refused` for a matter that is closed.
        """
        ...

    def release_hold(self, hold: str, *, at: datetime, by: str) -> None:
        """Release a hold; the first release counts. Raises `NotFound`."""
        ...

    def hold(self, hold: str) -> Hold | None: ...

    def holds(self) -> Iterator[Hold]:
        """Read all holds, released ones too, by start."""
        ...

    def coverage(self, hold: str) -> Coverage:
        """Count what a hold covers now. Raises `NotFound`."""
        ...

    def holds_on(self, subject: str) -> list[HoldOn]:
        """Read the holds that a person may know of, by start: all that cover them, but none under a gag."""
        ...

    def matters(self) -> Iterator[Matter]:
        """Read all matters, by the instant they were opened."""
        ...

    def close_matter(self, matter: str, at: datetime) -> None:
        """Close a matter; the first end counts. Raises `NotFound`, and `Refused` while a hold of it stands."""
        ...


class Accesses(Protocol):
    """Who read what, for which purpose and why; kept by the database against change."""

    def log_access(self, access: Access) -> None:
        """Record that somebody is about to read content."""
        ...

    def accesses(self, page: Page, conversation: str | None = None) -> Listing[Access]:
        """List what was read, newest first."""
        ...
