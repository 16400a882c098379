"""The ground that a world stands on: the clock, the environment, randomness, and the settings file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assent import settings
from assent.domain.errors import Invalid, NotFound, Place
from assent.domain.instants import parse_instant
from assent.wiring.files import read_text

if TYPE_CHECKING:
    import random
    from datetime import timedelta

    from assent.settings import Settings

T = TypeVar("T")


class Ground:
    """A home folder at an instant, and what only this package may ask the machine for."""

    def __init__(self, home: Path | None = None, clock: datetime | None = None) -> None:
        """Use `home` instead of searching for the settings file, and `clock` instead of the real time."""
        self._home = home
        self._clock = clock

    def now(self) -> datetime:
        """Return the instant: the given clock, ASSENT_CLOCK (for rehearsals), or the machine's."""
        if self._clock is not None:
            return self._clock
        told = os.environ.get("ASSENT_CLOCK")
        return parse_instant(told) if told else datetime.now(UTC)

    @staticmethod
    def wait(pause: timedelta) -> None:
        """Let time pass."""
        import time

        time.sleep(pause.total_seconds())

    @staticmethod
    def ticks() -> float:
        """Return seconds that never jump back, for how long things take."""
        import time

        return time.monotonic()

    def new_id(self) -> str:
        """Return a fresh identifier."""
        import uuid

        return uuid.uuid4().hex

    def new_key(self) -> bytes:
        """Return a fresh secret of 32 bytes."""
        return os.urandom(32)

    def seeded(self, seed: int) -> random.Random:
        """Return a reproducible source of randomness."""
        import random

        return random.Random(seed)  # noqa: S311 - samples and demos, never keys

    def chance(self) -> float:
        """Draw a number evenly from [0, 1)."""
        import random

        return random.SystemRandom().random()

    def shuffle(self, items: list[T]) -> None:
        """Put a list in random order, in place."""
        import random

        random.SystemRandom().shuffle(items)

    def interactive(self) -> bool:
        """Tell whether a person sits at this terminal: no CI, and input and output are terminals."""
        return not self.unattended() and os.isatty(0) and os.isatty(1)

    def unattended(self) -> bool:
        """Tell whether the environment says that nobody looks: CI is set."""
        return bool(os.environ.get("CI"))

    @cached_property
    def settings(self) -> Settings:
        """Read the settings file of the home folder. Raises `NotFound` where there is none."""
        import tomllib

        home = self._home or self._find_home()
        path = home / settings.FILE
        try:
            table = tomllib.loads(read_text(path))
        except FileNotFoundError:
            fix = "run `assent init FOLDER` first, or go to the folder that holds it"
            raise NotFound(f"no `{settings.FILE}` here or above", fix) from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise Invalid(f"the settings file is not TOML: {error}", "correct it", Place(settings.FILE)) from None
        return settings.from_table(home, table)

    @staticmethod
    def _find_home() -> Path:
        told = os.environ.get("ASSENT_HOME")
        if told:
            return Path(told)
        here = Path.cwd()
        return next((folder for folder in (here, *here.parents) if (folder / settings.FILE).exists()), here)
