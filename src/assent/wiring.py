"""The only place that reads clock, environment and randomness, and picks real ports."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assent import settings
from assent.domain.errors import Invalid, NotFound, Place
from assent.domain.instants import parse_instant

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from assent.connectors.port import Importer
    from assent.policy.model import Policy
    from assent.settings import Settings
    from assent.store.columns import Columns
    from assent.store.sqlite import SqliteStore

T = TypeVar("T")

PACKAGED = Path(__file__).parent / "policies"
CHECKOUT = Path(__file__).parents[2] / "policies"


class Wiring:
    """The real world, opened when first asked for; tests and the demo set `clock` and `home`."""

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

    def at(self, clock: datetime, home: Path | None = None) -> Wiring:
        """Return the same world at another instant, for simulations."""
        return Wiring(home or self._home, clock)

    def at_home(self, home: Path) -> Wiring:
        """Return the same world with another home folder."""
        return Wiring(home, self._clock)

    def create_store(self) -> None:
        """Make the database of this home."""
        from assent.store.sqlite import SqliteStore

        SqliteStore.open(self.settings.database, create=True).close()

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

    def shuffle(self, items: list[T]) -> None:
        """Put a list in random order, in place."""
        import random

        random.SystemRandom().shuffle(items)

    def interactive(self) -> bool:
        """Tell whether a person sits at this terminal: no CI, and input and output are terminals."""
        return not os.environ.get("CI") and os.isatty(0) and os.isatty(1)

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
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"the settings file is not TOML: {error}", "correct it", Place(settings.FILE)) from None
        return settings.from_table(home, table)

    @staticmethod
    def _find_home() -> Path:
        told = os.environ.get("ASSENT_HOME")
        if told:
            return Path(told)
        here = Path.cwd()
        return next((folder for folder in (here, *here.parents) if (folder / settings.FILE).exists()), here)

    @cached_property
    def store(self) -> SqliteStore:
        """Open the store of this home."""
        from assent.store.sqlite import SqliteStore

        return SqliteStore.open(self.settings.database)

    @cached_property
    def columns(self) -> Columns:
        """Open a session of the set evaluator within the configured memory."""
        from assent.store.columns import Columns

        spill = self.settings.home / "spill"
        return Columns(f"{self.settings.memory_limit_mb}MB", self.settings.threads, str(spill))

    @staticmethod
    def new_columns() -> Columns:
        """Open a session of the set evaluator that needs no home folder."""
        from assent.store.columns import Columns

        return Columns()

    @staticmethod
    def policy_library() -> Path:
        """Return the folder of the policy files that ship with assent."""
        return PACKAGED if PACKAGED.is_dir() else CHECKOUT

    @cached_property
    def policy_texts(self) -> list[tuple[Policy, str]]:
        """Read every policy version of this home with its text, oldest first. Raises `NotFound` where there is none."""
        from assent.policy.parse import parse_policy

        files = [file for path in self.settings.policies for file in _policy_files(path)]
        if not files:
            raise NotFound("no policy is configured", "name one under `policies` in the settings file")
        texts = [(file, read_text(file)) for file in files]
        found = [(parse_policy(text, file.name), text) for file, text in texts]
        return sorted(found, key=lambda pair: pair[0].effective)

    @property
    def policies(self) -> list[Policy]:
        """Every policy version of this home, oldest first."""
        return [policy for policy, _ in self.policy_texts]

    @cached_property
    def importers(self) -> Mapping[str, Importer]:
        """Every import format by name."""
        from assent.connectors.registry import importers

        return importers()


def read_text(path: Path) -> str:
    """Read a text file. Raises `Invalid` if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8 text", "save it as UTF-8", Place(path.name)) from None


def _policy_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.toml"))
    if not path.exists():
        raise NotFound(f"no policy file `{path.name}`", "correct `policies` in the settings file")
    return [path]
