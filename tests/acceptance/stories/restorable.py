"""A home with conversations that can be lost and brought back, on either database."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.unit.interfaces.homes import Home, Said, call

from assent.domain.conversation import Conversation, Part
from assent.store.records import Account, Choice
from assent.store.sql.store import SqlStore
from assent.wiring import Wiring

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = "anthropic/2025-10-08"


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def said_in(name: str) -> str:
    """The text of a conversation: a marker that stands nowhere else."""
    return f"MARKER-{name}-TEXT"


def talk(name: str, subject: str = "ada") -> Conversation:
    parts = (
        Part("1", "1", "user", "person", "text", said_in(name), START),
        Part("2", "2", "assistant", "model", "text", f"answer to {said_in(name)}", START),
    )
    title = f"MARKER-{name}-TITLE"
    return Conversation(f"story:{name}", "story", parts, subject, title, created_at=START, last_turn_at=START)


class Lived(Home):
    """A home, and where its backups lie."""

    def __init__(self, folder: Path, database: str = "assent.db") -> None:
        super().__init__(folder / "home", START)
        self.around = folder
        self.database = database

    @property
    def copies(self) -> Path:
        return self.around / "backups"

    @property
    def keys(self) -> Path:
        return self.around / "keys-of-backups"

    @contextmanager
    def store(self, at: datetime = START) -> Iterator[SqlStore]:
        wiring = Wiring(self.folder, at)
        try:
            yield wiring.store
        finally:
            wiring.store.close()

    def takes(self, *names: str, subject: str = "ada") -> None:
        """Take these conversations in, all at once: they share their segments."""
        with self.store() as store:
            store.put_accounts([Account(subject, plan="pro", age=40, signed_in=True)])
            # somebody who has not answered is a gap: what they delete stays until its very end
            asked = START - timedelta(days=1)
            store.add_choice(Choice(f"no-{subject}", subject, "training", "decline", asked, "", "web", "web", asked))
            store.intake([talk(name, subject) for name in names], plan="pro", recorded_at=START)

    def deletes(self, name: str, at: datetime = START) -> None:
        with self.store(at) as store:
            store.request_deletion(f"story:{name}", at)

    def sweeps(self, at: datetime) -> Said:
        """Plan and sweep as a person does; returns what the sweep said."""
        plan = self("plan", "--json", at=at)
        assert plan.status == 0, plan.err
        done = self("sweep", "--plan", plan.json()["digest"], "--json", at=at)
        assert done.status in (0, 4), done.err
        return done

    def backs_up(self, at: datetime) -> dict[str, object]:
        done = self("backup", self.copies, "--keys", self.keys, "--json", at=at)
        assert done.status == 0, done.err
        return done.json()

    def texts(self, name: str, at: datetime = START) -> list[str]:
        """Open what a conversation says; empty if it is not here, or if nothing opens."""
        with self.store(at) as store:
            kept = store.conversation(f"story:{name}")
            return [] if kept is None else list(store.content_of([part.key for part in kept.parts]).values())

    def reconciles(self, at: datetime) -> dict[str, int]:
        """Reconcile, and count what was found by check."""
        done = self("reconcile", "--json", at=at).json()
        counts: dict[str, int] = {}
        for finding in done["findings"]:
            counts[finding["check"]] = counts.get(finding["check"], 0) + finding["count"]
        assert done["clean"] is not bool(counts)
        return counts


def made(folder: Path, database: str) -> Lived:
    """Make a home that nothing has happened in; copying it is ten times as fast."""
    home = Lived(folder, database)
    done = call(Wiring(None, START), "init", home.folder, "--policy", POLICY, "--database", database)
    assert done.status == 0, done.err
    return home


def copied(pattern: Lived, folder: Path, database: str) -> Lived:
    """Copy a home to a folder; `database` is a copy of its database."""
    home = Lived(folder, database)
    shutil.copytree(pattern.folder, home.folder)
    settings = home.folder / "assent.toml"
    settings.write_text(settings.read_text("utf-8").replace(pattern.database, database), "utf-8")
    return home


def comes_back(
    home: Lived, at: datetime, *, database: str, journal: bool = True, more: tuple[object, ...] = ()
) -> tuple["Lived", Said]:
    """Lose the home and restore its newest backup elsewhere, into a database of any kind."""
    back = Lived(home.around / "after", database)
    back.folder = home.around / "restored"
    words = ["restore", home.copies, back.folder, "--keys", home.keys, "--database", database, "--json", *more]
    if journal:
        words += ["--journal", home.folder / "journal"]
    return back, home(*words, at=at)
