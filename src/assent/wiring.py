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
    from assent.interfaces.api.world import World
    from assent.ledger.note import Signer, Verifier
    from assent.policy.model import Policy
    from assent.services.choose.desk import Desk
    from assent.services.events.deliver import Desk as Post
    from assent.services.ledger.log import Log
    from assent.settings import Settings
    from assent.store.columns import Columns
    from assent.store.keys import KeyFolder
    from assent.store.port import TileStore
    from assent.store.sql.store import SqlStore

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
        self._open_store(create=True).close()

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
    def store(self) -> SqlStore:
        """Open the store of this home."""
        return self._open_store(create=False)

    def _open_store(self, *, create: bool) -> SqlStore:
        where = self.settings.database
        if isinstance(where, Path):
            from assent.store.sqlite import SqliteStore

            return SqliteStore.open(where, create=create)
        from assent.store.postgres import PostgresStore

        return PostgresStore.open(where.text, create=create)

    @cached_property
    def keys(self) -> KeyFolder:
        """The folder of this home's keys."""
        from assent.store.keys import KeyFolder

        return KeyFolder(self.settings.home / "keys")

    @cached_property
    def log(self) -> Log:
        """The ledger's name, keys and witnesses. Raises `NotFound` where there is no key: `assent ledger init`."""
        from assent.ledger.note import parse_signer, parse_verifier
        from assent.services.ledger.log import Log
        from assent.services.receipts.record import Identity

        found = self.settings
        return Log(
            origin=found.origin,
            signers=tuple(map(parse_signer, self.keys.signing())),
            identity=Identity(found.controller or found.origin, self.keys.subjects()),
            new_salts=lambda count: os.urandom(32 * count),
            witnesses=tuple(_witness(parse_verifier(vkey)) for vkey in found.witnesses),
        )

    def create_ledger(self) -> None:
        """Make the keys of this home and begin its ledger, as far as that is not done."""
        from assent.services.ledger.rotate import found

        self.keys.begin(self.new_signer().encode(), self.new_key())
        self.keys.begin_snapshots(self.new_signer("/snapshots").encode())
        found(self.store, self.log, now=self.now())

    def new_signer(self, of: str = "") -> Signer:
        """Return a fresh signing key for the ledger of this home, or for something beside it."""
        from assent.ledger.note import new_signer

        return new_signer(self.settings.origin + of, self.new_key())

    @cached_property
    def desk(self) -> Desk:
        """What handing out questions and taking answers needs. Raises `NotFound` where there is no key."""
        from datetime import timedelta

        from assent.ledger.note import parse_signer
        from assent.services.choose.desk import Desk

        return Desk(
            signer=parse_signer(self.keys.snapshots()),
            identity=self.log.identity,
            adult_age=self.settings.adult_age,
            valid=timedelta(minutes=self.settings.snapshot_valid_minutes),
            clock_skew=timedelta(seconds=self.settings.clock_skew_seconds),
        )

    @cached_property
    def post(self) -> Post:
        """What delivering events needs."""
        from assent.services.events.deliver import Desk
        from assent.services.events.envelope import check_secret
        from assent.services.events.sending import HttpSender

        found = self.settings
        sender = HttpSender(_addresses, inner_allowed=found.webhooks_inner)
        return Desk(sender, lambda name: tuple(map(check_secret, self.keys.webhook(name))), found.origin)

    def tile_store(self, where: str = "") -> TileStore:
        """Open the place where the ledger is published: `where`, or what the settings say, or `NotFound`."""
        from assent.store.objects import open_objects

        place = where or self.settings.ledger_target
        if not place:
            fix = "name a folder, or set `ledger_target` in the settings file"
            raise NotFound("nothing says where the ledger is published", fix)
        return open_objects(place if where or "://" in place else str(self.settings.home / place))

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

    @staticmethod
    def notice_library() -> Path:
        """Return the folder of the notices that ship with assent, beside the policies."""
        return (PACKAGED if PACKAGED.is_dir() else CHECKOUT).with_name("notices")

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

    def world(self) -> World:
        """Return the ports of the API."""
        import sys
        import time

        from assent.interfaces.api.world import World
        from assent.services.ledger.append import append
        from assent.services.ledger.queue import AppendQueue

        return World(
            store=self.store,
            log=self.log,
            appends=AppendQueue(lambda choices: append(self.store, self.log, choices, now=self.now())),
            desk=self.desk,
            post=self.post,
            keys=self.keys,
            settings=self.settings,
            policies=tuple(self.policy_texts),
            now=self.now,
            ticks=time.monotonic,
            new_id=self.new_id,
            new_key=self.new_key,
            chance=self.chance,
            say=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201 - the server's own record
        )

    @cached_property
    def importers(self) -> Mapping[str, Importer]:
        """Every import format by name."""
        from assent.connectors.registry import importers

        return importers()


def _addresses(host: str, port: int) -> list[str]:
    """Look up every address of a host."""
    import socket

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return [str(place[0]) for *_, place in found]


def _witness(verifier: Verifier) -> Verifier:
    if not verifier.timestamped:
        fix = "ask the witness for its key of signature type 4 or 6"
        raise Invalid(f"the key of `{verifier.name}` is no key of a witness", fix, Place(settings.FILE))
    return verifier


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
