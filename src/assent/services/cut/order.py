"""What a cut is told, and what it asks of a store."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from assent.domain.errors import Invalid
from assent.domain.instants import format_instant
from assent.pipeline.engine import Local
from assent.store.port import Choices, Conversations, Cuts, Erasures, FactColumns, Flags, Reclaiming

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.pipeline.engine import Engine, Workers
    from assent.pipeline.recipe import Recipe
    from assent.pipeline.work import Work
    from assent.policy.model import Policy

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Names of cuts: they become names of files."""


class CutStore(FactColumns, Conversations, Choices, Flags, Cuts, Erasures, Reclaiming, Protocol):
    """What a cut asks of a store."""


@contextmanager
def here(work: Work) -> Iterator[Engine]:
    """Work in this process."""
    yield Local(work)


@dataclass(frozen=True, slots=True)
class CutOrder:
    """What to cut. `at` is the instant that counts, `now` the clock; no part is taken that ended between the two.

    `key` names people if the series of this name begins with this cut; it is kept in the folder
    `keys`, never beside the rows. `salt` hides what the ledger's leaf commits to. `recipe` is None for
    that of the series. `version` is the program's, for the manifest. `batch_rows` bounds how many part
    keys are read at once, `workers` opens the engine; neither changes a byte of the cut. `buckets` fixes
    how many a new series has; `afresh` begins the series again.
    """

    name: str
    purpose: str
    at: datetime
    now: datetime
    directory: Path
    keys: Path
    key: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    version: str
    keep_excluded: bool = False
    batch_rows: int = 50_000
    recipe: Recipe | None = None
    workers: Workers = here
    buckets: int | None = None
    afresh: bool = False

    def look_over(self, policies: Sequence[Policy]) -> None:
        """Raise `Invalid` for what cannot be carried out under these policies."""
        if NAME.fullmatch(self.name) is None:
            fix = "use up to 64 of a-z, 0-9, `.`, `_` and `-`, and begin with a letter or digit"
            raise Invalid(f"`{self.name}` is not a name for a cut", fix)
        purposes = sorted({purpose for policy in policies for purpose in policy.cut_purposes})
        if self.purpose not in purposes:
            fix = f"use one of {', '.join(purposes)}" if purposes else "no policy here has any; see `[purposes]`"
            raise Invalid(f"no cut may be made for `{self.purpose}` here", fix)
        if self.at > self.now:
            fix = "name an instant that has: what people say until then counts"
            raise Invalid(f"`{format_instant(self.at)}` has not come yet", fix)
