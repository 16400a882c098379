"""The mark of a store that came back from a backup: until the replay is done, nobody else writes.

What was erased after the backup is in the backup. Whoever wrote now, or erased, would do so on
a state that never was. Every writing transaction therefore asks for the mark first.
"""

from __future__ import annotations

from typing import Final

from assent.domain.errors import Refused
from assent.domain.instants import format_instant, from_micros

MARK: Final = "SELECT max(taken_at) FROM restore WHERE finished_at IS NULL"
"""When the backup was taken that this store came back from; NULL in every other store."""


def refuse_writing(taken_at: int) -> Refused:
    """Say why nothing can be written here and what to do. `taken_at` is in microseconds."""
    return Refused(
        f"this store came back from the backup of `{format_instant(from_micros(taken_at))}`, and what was erased since"
        " is not erased here yet",
        "finish it: run the same `assent restore` again with `--journal FOLDER`",
    )
