"""The only place that reads clock, environment and randomness, and picks real ports."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assent import settings
from assent.domain.errors import NotFound
from assent.wiring.contents import segments_of
from assent.wiring.files import read_text
from assent.wiring.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from assent.connectors.formats.port import Importer
    from assent.interfaces.api.world import World
    from assent.ledger.note import Signer
    from assent.pipeline.engine import Workers
    from assent.policy.model import Policy
    from assent.services.backup.restore import Target
    from assent.services.backup.take import Home as BackupHome
    from assent.services.choose.acts import Acts
    from assent.services.choose.desk import Desk
    from assent.services.choose.several import EnterAll
    from assent.services.connect.files import Connectors
    from assent.services.erase.journal import Journal
    from assent.services.erase.reclaim import Yard
    from assent.services.erase.world import ErasureWorld
    from assent.services.events.deliver import Desk as Post
    from assent.services.guard.by_hand import ByHand
    from assent.services.guard.world import SweepWorld
    from assent.services.ledger.append import Appended
    from assent.services.ledger.log import Log
    from assent.services.reconcile.world import ReconcileWorld
    from assent.services.run.world import RunWorld
    from assent.services.session.open_id import OpenId
    from assent.services.sweep import SweepTerms
    from assent.store.columns import Columns
    from assent.store.keys import KeyFolder
    from assent.store.port import TileStore
    from assent.store.records import Choice
    from assent.store.sql.store import SqlStore
    from assent.vault.vault import Vault

PACKAGED = Path(__file__).parents[1] / "policies"
CHECKOUT = Path(__file__).parents[3] / "policies"


class Wiring(Ground):
    """The real world, opened when first asked for; tests and the demo set `clock` and `home`."""

    def at(self, clock: datetime, home: Path | None = None) -> Wiring:
        """Return the same world at another instant, for simulations."""
        return Wiring(home or self._home, clock)

    def running_from(self, start: datetime, home: Path) -> Wiring:
        """Return the same world with a clock that starts at an instant and goes on, for rehearsals that are served."""
        from assent.wiring.running import Running

        return Running(home, start)

    def at_home(self, home: Path) -> Wiring:
        """Return the same world with another home folder."""
        return Wiring(home, self._clock)

    def create_store(self) -> None:
        """Make the database of this home."""
        self._open_store(create=True).close()

    @cached_property
    def store(self) -> SqlStore:
        """Open the store of this home; content that an older assent left in the database moves into the vault."""
        store = self._open_store(create=False)
        if parts := store.unadopted():
            _say(f"moving {parts:,} parts out of the database into the vault, once")
            store.adopt(day=self.now().date(), on_parts=_telling(parts))
        return store

    @cached_property
    def vault(self) -> Vault:
        """Open the vault of this home, or begin it. Raises `Refused` where destroyed keys would stay on the disk."""
        from assent.wiring.contents import open_vault

        return open_vault(self.settings)

    def cut_workers(self, engine: str, workers: int, address: str) -> Workers:
        """Return what opens an engine for a cut; Ray is told to report to nobody before anything of it is loaded."""
        from assent.pipeline.engine import engine as opened

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        return lambda work: opened(engine, work, workers, address)

    @property
    def yard(self) -> Yard:
        """The vault, as whoever reclaims its bytes sees it."""
        from assent.services.erase.reclaim import Yard

        return Yard(self.store, self.vault, self._clearing)

    @property
    def _series(self) -> Path:
        """Where the series of cuts lie."""
        return self.settings.home / "cuts"

    @property
    def _clearing(self) -> Path:
        """The lock that lets one at a time clear the vault."""
        return self.settings.home / "vault" / "clearing"

    def _open_store(self, *, create: bool) -> SqlStore:
        """Open the database before the vault: where there is none, no vault may be begun."""
        where = self.settings.database
        if isinstance(where, Path):
            from assent.store.sqlite import SqliteStore
            from assent.store.sqlite.database import Database

            return SqliteStore(Database(where, create=create), self.vault)
        from assent.store.postgres import PostgresStore

        return PostgresStore(PostgresStore.database(where.text, create=create), self.vault)

    @cached_property
    def backup_home(self) -> BackupHome:
        """What a backup is taken of."""
        from datetime import timedelta

        from assent import __version__
        from assent.services.backup.papers import PAPERS
        from assent.services.backup.take import Home

        found = self.settings
        return Home(
            folder=found.home,
            store=self.store,
            slots=self.vault.slots,
            segments=segments_of(self.settings),
            journal=self.journal,
            papers=(found.home / settings.FILE, *found.policies, *(found.home / name for name in PAPERS)),
            key_backup=timedelta(days=found.key_backup_days),
            version=__version__,
        )

    @cached_property
    def restore_target(self) -> Target:
        """What a backup is brought back into."""
        from assent.policy.versions import by_date
        from assent.services.backup.restore import Target

        try:
            log = self.log
        except NotFound:
            log = None
        try:
            policies = by_date(self.policies)
        except NotFound:  # it decides nothing, so it trains on nobody
            policies = ()
        return Target(
            store=self.store,
            slots=self.vault.slots,
            segments=segments_of(self.settings),
            journal=self.journal.folder,
            origin=self.settings.origin,
            log=log,
            policies=policies,
        )

    @cached_property
    def reconcile_world(self) -> ReconcileWorld:
        """What reconciling looks at."""
        from datetime import timedelta

        from assent.services.reconcile.world import ReconcileWorld
        from assent.store.records import Page

        found = self.settings
        local = None if "://" in found.segments else [found.home / found.segments]
        copies = [Path(folder) for one in self.store.backups() for folder in (one.folder, one.keys_folder)]
        places = {
            "the database": self.store.files(),
            "segments": local,
            "slots": [found.home / found.slots],
            "keys and journal": [found.home / "keys", self.journal.folder],
            "what the set evaluator spilled": [found.home / "spill"],
            "cuts": [Path(cut.directory) for cut in self.store.cuts(Page(settings.MAX_PAGE_ROWS)).items],
            **{f"the backup folder `{folder.name}`": [folder] if folder.is_dir() else None for folder in copies},
        }
        return ReconcileWorld(
            store=self.store,
            columns=self.columns,
            vault=self.vault,
            journal=self.journal,
            policies=self.policies,
            now=self.now(),
            lead=self.lead,
            lag=timedelta(days=found.sweep_lag_days),
            places=places,
            batch_rows=found.batch_rows,
        )

    @cached_property
    def journal(self) -> Journal:
        """What a restore must never undo, written down beside the database."""
        from assent.services.erase.journal import Journal

        return Journal(self.settings.home / "journal")

    def note_no_choices(self, leaves: list[int]) -> None:
        """Write into the journal which leaves of the ledger, about to be published, are no choices."""
        from assent.services.erase.journal import Entry

        self.journal.append([Entry("no choices", self.now(), {"leaves": leaves})])

    @cached_property
    def erasure_world(self) -> ErasureWorld:
        """What erasing reaches beside the database."""
        return self.new_erasure_world()

    def new_erasure_world(self) -> ErasureWorld:
        """Open what erasing reaches, registered by now. A home without a ledger signs no receipts until it has one."""
        from assent.services.erase.derived.port import DOWNLOADS, RUNS
        from assent.services.erase.registry import begin, served
        from assent.services.erase.world import ErasureWorld
        from assent.services.guard.promise import lead_of

        begin(self.store, now=self.now())
        try:
            log = self.log
        except NotFound:
            log = None
        return ErasureWorld(
            contents=self.vault,
            derived=served(
                self.store,
                self.vault,
                self._clearing,
                self._series,
                lead=lead_of(self.settings),
                downloads=self.settings.home / DOWNLOADS,
                runs=self.settings.home / RUNS,
                connected=self.connectors.openers(),
            ),
            journal=self.journal,
            new_salts=lambda count: os.urandom(32 * count),
            log=log,
        )

    @cached_property
    def run_world(self) -> RunWorld:
        """What training runs need."""
        from assent import __version__
        from assent.policy.versions import by_date
        from assent.services.erase.derived.port import RUNS
        from assent.services.run.world import RunWorld

        # what a run may log to reports to its makers otherwise
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        texts = {policy.digest: text for policy, text in self.policy_texts}
        try:
            log = self.log
        except NotFound:
            log = None
        return RunWorld(
            store=self.store,
            columns=self.new_columns,
            policies=[(policy, texts[policy.digest]) for policy in by_date(self.policies)],
            log=log,
            clock=self.now,
            salt=self.new_key,
            new_id=self.new_id,
            folder=self.settings.home / RUNS,
            version=__version__,
        )

    @cached_property
    def keys(self) -> KeyFolder:
        """The folder of this home's keys."""
        from assent.store.keys import KeyFolder

        return KeyFolder(self.settings.home / "keys")

    @cached_property
    def log(self) -> Log:
        """The ledger's name, keys and witnesses. Raises `NotFound` where there is no key: `assent ledger init`."""
        from assent.ledger.note import parse_signer
        from assent.services.ledger.log import Log
        from assent.services.ledger.witness import witness_of
        from assent.services.receipts.record import Identity

        found = self.settings
        return Log(
            origin=found.origin,
            signers=tuple(map(parse_signer, self.keys.signing())),
            identity=Identity(found.controller or found.origin, self.keys.subjects()),
            new_salts=lambda count: os.urandom(32 * count),
            witnesses=tuple(map(witness_of, found.witnesses)),
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

        found = [(parse_policy(text, name), text) for name, text in self._policy_sources()]
        return sorted(found, key=lambda pair: pair[0].effective)

    def _policy_sources(self) -> list[tuple[str, str]]:
        """Read the policy files of this home, as (name, text)."""
        files = [file for path in self.settings.policies for file in _policy_files(path)]
        if not files:
            raise NotFound("no policy is configured", "name one under `policies` in the settings file")
        return [(file.name, read_text(file)) for file in files]

    @property
    def policies(self) -> list[Policy]:
        """Every policy version of this home, oldest first."""
        return [policy for policy, _ in self.policy_texts]

    @property
    def lead(self) -> timedelta:
        """How long before its end a part is ripe. Raises `Refused` if the settings cannot keep a policy's promise."""
        from assent.services.guard.promise import check_settings

        return check_settings(self.settings, self.policies)

    def sweep_terms(self) -> SweepTerms:
        """Return how a plan of this home is carried out."""
        from datetime import timedelta

        from assent.services.sweep import SweepTerms

        found = self.settings
        valid = timedelta(hours=found.plan_valid_hours)
        return SweepTerms(valid=valid, lead=self.lead, batch_rows=min(found.batch_rows, 5_000))

    def sweep_world(self, stopping: Callable[[], bool]) -> SweepWorld:
        """Return what the daemon works with; its erasing ends between two batches once `stopping` says so."""
        from assent.services.erase.carry_out import carry_out
        from assent.services.erase.derived.downloads import drop_ended
        from assent.services.erase.derived.port import DOWNLOADS
        from assent.services.figures.outlook import old, refresh
        from assent.services.guard.erasing import Erasing
        from assent.services.guard.promise import lead_of
        from assent.services.guard.upkeep import upkeep
        from assent.services.guard.world import SweepWorld

        def anew() -> Wiring:
            return self.at_home(self.settings.home)

        def keep_on(now: datetime) -> int:
            upkeep(self.store, self.journal, self.vault, anew().settings, now=now)
            drop_ended(self.settings.home / DOWNLOADS, now)
            if old(self.store, now):
                refresh(self.store, self.columns, anew().policies, now, lead=lead_of(anew().settings))
            return len(carry_out(self.store, self.new_erasure_world(), now=now).problems)

        return SweepWorld(
            store=self.store,
            columns=self.columns,
            holder=_holder(),
            now=self.now,
            settings=lambda: anew().settings,
            policies=lambda: anew().policy_texts,
            erase=Erasing(
                store=self.store,
                columns=self.columns,
                world=self.new_erasure_world,
                terms=lambda: anew().sweep_terms(),
                rules=lambda: anew().rules(),
                stopping=stopping,
            ),
            carry_out=keep_on,
        )

    def by_hand(self) -> ByHand:
        """Return what sweeping a plan by hand works with."""
        from assent.services.guard.by_hand import ByHand

        return ByHand(
            store=self.store,
            columns=self.columns,
            policies=self.policies,
            erasing=self.erasure_world,
            settings=self.settings,
            terms=self.sweep_terms(),
            holder=_holder(),
        )

    def rules(self) -> object:
        """Return the settings and the texts of the policies, to be compared with what they were."""
        return self.settings, self._policy_sources()

    def acts(self) -> Acts:
        """Return what takes the acts of many people at once; for one writer at a time."""
        from assent.services.choose.acts import Acts

        return Acts(self.store, self.desk, self.appending(), self.policies)

    def appending(self) -> EnterAll:
        """Return what appends choices to the ledger; for one writer at a time, which then reads less of it."""
        from assent.services.ledger.append import append
        from assent.services.ledger.seal import Remembered

        remembered = Remembered()

        def enter(choices: Sequence[Choice]) -> list[Appended]:
            return append(self.store, self.log, choices, now=self.now(), remembered=remembered)

        return enter

    def world(self) -> World:
        """Return the ports of the API."""
        import time

        from assent.interfaces.api.world import World
        from assent.services.figures.background import Background
        from assent.store.host_keys import FOLDER, HostKeys

        return World(
            store=self.store,
            log=self.log,
            append=self.appending(),
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
            new_columns=self.new_columns,
            journal=self.journal,
            lead=self.lead,
            background=Background(),
            by_hand=self.by_hand,
            erasing=self.new_erasure_world,
            runs=lambda: self.run_world,
            say=_say,
            host_keys=HostKeys(self.settings.home / "keys" / FOLDER, _say),
            connectors=self.connectors,
            open_id=self.open_id,
        )

    @cached_property
    def open_id(self) -> OpenId | None:
        """The identity provider of the staff; None where the settings name none."""
        from assent.services.session.open_id import HttpWay, OpenId

        found = self.settings
        if not found.oidc_issuer:
            return None
        return OpenId(found.oidc_issuer, found.oidc_client, self.keys.open_id(), HttpWay())

    @cached_property
    def connectors(self) -> Connectors:
        """The connector files of this home."""
        from assent.services.connect.files import Connectors
        from assent.wiring.files import read_secret

        return Connectors(self.settings.home, read_secret)

    @cached_property
    def importers(self) -> Mapping[str, Importer]:
        """Every import format by name."""
        from assent.connectors.formats.registry import importers

        return importers()


def _holder() -> str:
    """Name this process among those that share a store."""
    import socket

    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


def _say(line: str) -> None:
    """Tell whoever runs this, beside the answer."""
    import sys

    print(line, file=sys.stderr, flush=True)  # noqa: T201 - not the answer, which goes to standard output


def _telling(total: int) -> Callable[[int], None]:
    """Tell of long work at every twentieth of it."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        before, done = done, done + count
        if before * 20 // total < done * 20 // total:
            _say(f"  {done:,} of {total:,}")

    return more


def _addresses(host: str, port: int) -> list[str]:
    """Look up every address of a host."""
    import socket

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return [str(place[0]) for *_, place in found]


def _policy_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.toml"))
    if not path.exists():
        raise NotFound(f"no policy file `{path.name}`", "correct `policies` in the settings file")
    return [path]
