"""A world whose clock runs on from another instant: a rehearsal that can be served."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from assent.wiring import Wiring

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class Running(Wiring):
    """A home at an instant of its own, from which its clock goes on."""

    def __init__(self, home: Path, start: datetime) -> None:
        """Let the clock of `home` start at `start`."""
        super().__init__(home)
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Return the instant by the running clock."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)
