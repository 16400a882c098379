"""Place a hold. Whoever is told that it stands can rely on it: no sweep erases what it covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from assent.domain.errors import Invalid
from assent.services.erase.journal import hold_entry
from assent.store.port import Holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.services.erase.journal import Entry
    from assent.store.records import Coverage, Hold


class Writes(Protocol):
    """Where holds are written down beside the database (`services.erase.journal.Journal`)."""

    def append(self, entries: Iterable[Entry]) -> object:
        """Write entries; they are on the disk when this returns."""
        ...


def place(store: Holds, journal: Writes, hold: Hold) -> Coverage:
    """Place a hold, and say what it covers now.

    When this returns the hold is committed under the lock that erasing takes too, and stands in the journal, so that
    a restore of an older backup finds it. If it raises, placing it again under the same id is safe. Raises `Invalid`
    without an author and a reason: nobody could review it.
    """
    for name, value in (("an author", hold.author), ("a reason", hold.reason), ("a matter", hold.matter)):
        if not value.strip():
            raise Invalid(f"a hold needs {name}", "without it nobody can review the hold")
    if hold.review_at <= hold.start:
        raise Invalid("a hold is to be reviewed after it starts", "give a later instant")
    store.place_hold(hold)
    journal.append([hold_entry(hold, at=hold.start)])
    return store.coverage(hold.id)
