"""Contracts of the pages' own rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from assent.store.records import Figure, Listing, Look, Page, Session, StaffMember


class Sessions(Protocol):
    """Who is signed in, and which one-time tokens are spent."""

    def add_session(self, session: Session) -> None:
        """Keep a session. Raises `Refused` if there is one under its digest."""
        ...

    def session(self, digest: str) -> Session | None:
        """Find a session by its digest, also one that is over but not forgotten yet."""
        ...

    def sessions_of(self, who: str) -> list[Session]:
        """Read the sessions of a subject or a member of staff, the newest first."""
        ...

    def end_session(self, digest: str) -> bool:
        """Forget a session; of two callers one is told True. So whoever ends an invitation has used it up."""
        ...

    def end_sessions_of(self, who: str, kinds: tuple[str, ...]) -> int:
        """Forget all sessions of these kinds of somebody; returns how many there were."""
        ...

    def forget_sessions(self, before: datetime) -> int:
        """Forget what was over, and what was spent and useless, before this instant; returns how many rows."""
        ...

    def spend(self, digest: str, until: datetime) -> bool:
        """Use a one-time token up; False if it was used before. `until` is when it is useless anyway."""
        ...


class Staff(Protocol):
    """Who may sign in to the console."""

    def put_staff(self, member: StaffMember) -> None:
        """Keep a member of staff; a second value under the name replaces the first."""
        ...

    def staff_member(self, name: str) -> StaffMember | None: ...

    def staff(self) -> Iterator[StaffMember]:
        """Read all members of staff by name."""
        ...

    def drop_staff(self, name: str) -> None:
        """Forget a member of staff and end their sessions, in one transaction. Raises `NotFound`."""
        ...


class Looks(Protocol):
    """Sensitive views; kept by the database against change."""

    def log_look(self, look: Look) -> None:
        """Write down that somebody is about to look."""
        ...

    def last_look(self, by: str, page: str, about: str) -> Look | None:
        """Find the last time that somebody looked at a page about somebody."""
        ...

    def looks(self, page: Page, *, about: str | None = None, by: str | None = None) -> Listing[Look]:
        """List what was looked at, newest first."""
        ...


class Figures(Protocol):
    """What takes long to work out."""

    def keep_figure(self, figure: Figure) -> None:
        """Keep a figure; a newer one replaces the one under its name, an older one changes nothing."""
        ...

    def figure(self, name: str) -> Figure | None: ...
