"""A real Open WebUI 0.12.4: every copy of the chats that go is gone to the last byte, and nothing else is.

Words are looked for in every byte below the data folder, and of the database's where that is PostgreSQL.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import postgres_server
from tests.clients.homes import home_in
from tests.clients.models import Models
from tests.clients.open_webui import ADMIN, PASSWORD, OpenWebUi, open_webui
from tests.clients.open_webui_rows import rows, seen, uploads
from tests.clients.open_webui_seed import Seeded, leave_in_free_pages, seed
from tests.clients.words import Word, look, table

pytestmark = [pytest.mark.clients, pytest.mark.enable_socket, pytest.mark.usefixtures("_open_webui_built")]

Tell = Callable[[str], None]
NAME = "chat"


@dataclass
class Site:
    """A seeded Open WebUI that is not running, how it is started, and what its owners saw in it."""

    folder: Path
    models: Models
    seeded: Seeded
    before: dict[str, Any]
    database: str = ""
    server_folder: Path | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def up(self) -> Iterator[OpenWebUi]:
        """Run it, signed in as everybody."""
        with open_webui(self.data, self.models, database=self.database) as server:
            for name in ("ada", "ben", "cleo"):
                server.person(name)
            server.admin()
            yield server

    def found(self, *, doomed: bool) -> dict[Word, list[str]]:
        """Look for words in every byte."""
        folders = [self.data, *([self.server_folder] if self.server_folder else [])]
        return look(folders, self.seeded.words.of(doomed=doomed))

    def ids(self) -> Path:
        path = self.folder / "due.txt"
        path.write_text("".join(f"{chat}\n" for chat in self.seeded.doomed))
        return path

    def rows(self) -> dict[str, set[str]]:
        return rows(self.database or self.data / "webui.db", self.seeded)


def made(folder: Path, models: Models, database: str = "", server_folder: Path | None = None) -> Site:
    """Seed one; it ends in the middle of its work, so that its write-ahead log is full."""
    with open_webui(folder / "data", models, database=database) as server:
        seeded = seed(server, f"{folder.name} {database}")
        server.program.stop()
    if not database:
        leave_in_free_pages(seeded, folder / "data" / "webui.db")
    site = Site(folder, models, seeded, {}, database, server_folder)
    with site.up() as server:
        site.before = seen(server, seeded)
        for chat in seeded.doomed:
            owner = next(one for one in server.people.values() if one.id == seeded.owners[chat])
            said = seeded.words.new(chat, "write-ahead log", doomed=True)
            whole = server.chat(owner, chat)["chat"]
            server.ask(owner, f"at last {said}", chat=chat, parent=whole["history"]["currentId"])
        server.program.kill()
    return site


@pytest.fixture(scope="module")
def _seeded(tmp_path_factory: pytest.TempPathFactory, service: Models, tell: Tell) -> Site:
    began = time.monotonic()
    site = made(tmp_path_factory.mktemp("open-webui") / "sqlite", service)
    shutil.copytree(site.data, site.folder / "as it was")
    tell(f"open-webui on SQLite: seeded in {time.monotonic() - began:.0f} s")
    return site


@pytest.fixture
def site(_seeded: Site) -> Site:
    """On SQLite, as it was seeded, at the place where it was seeded."""
    shutil.rmtree(_seeded.data)
    shutil.copytree(_seeded.folder / "as it was", _seeded.data)
    return _seeded


@pytest.fixture
def postgres_site(tmp_path: Path, service: Models) -> Iterator[Site]:
    """On a PostgreSQL server of its own."""
    with postgres_server.starting("fsync=off") as server:
        database = server.address(server.blank())
        yield made(tmp_path / "site", service, database, Path(server.url.query["host"]) / "data")


def connected(site: Site, server: OpenWebUi, tmp_path: Path) -> Callable[..., Any]:
    """Make a home that is connected to it; gives what runs a command there."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    assent = home_in(tmp_path)
    options: list[object] = ["--base-url", server.address, "--data-dir", site.data, "--admin-email", ADMIN]
    options += ["--admin-password-file", password]
    if site.database:
        address = tmp_path / "address"
        address.write_text(site.database)
        options += ["--database-address-file", address]
    assent("connect", "open-webui", "--name", NAME, *options)
    return assent


def report(site: Site, found: dict[Word, list[str]], *, doomed: bool) -> str:
    of = site.seeded.words.of(doomed=doomed)
    return f"{len(found)} of {len(of)} words\n{table(found, [word for word in of if word in found])}"


def test_deleting_chats_as_their_owners_do_leaves_words_behind(site: Site, tell: Tell) -> None:
    with site.up() as server:
        for chat in site.seeded.doomed:
            owner = next(one for one in server.people.values() if one.id == site.seeded.owners[chat])
            assert server.call("DELETE", f"/api/v1/chats/{chat}", owner) is True
    left = site.found(doomed=True)
    tell(f"open-webui, the product's own deletion leaves {report(site, left, doomed=True)}")
    assert {"file and its vectors", "comment of a rating", "memory of a chat"} <= {word.copy for word in left}
    assert len(site.found(doomed=False)) == len(site.seeded.words.of(doomed=False))


def _erased(site: Site, tmp_path: Path, tell: Tell) -> None:
    on = "PostgreSQL" if site.database else "SQLite"
    rows_before, uploads_before = site.rows(), uploads(site.data, site.seeded)
    with site.up() as server:
        assent = connected(site, server, tmp_path)
        began = time.monotonic()
        told = assent("connector", "erase", NAME, "--ids", site.ids(), "--yes", "--json", expect=4)
        online_s = time.monotonic() - began
        assert "pending maintenance" in told
        assent("connector", "erase", NAME, "--maintenance", "--ids", site.ids(), "--yes", expect=2)  # it runs
        assent("connector", "verify", NAME, "--ids", site.ids(), expect=4)
        pending = site.found(doomed=True)
        server.program.kill()
    assert pending
    began = time.monotonic()
    assent("connector", "erase", NAME, "--maintenance", "--ids", site.ids(), "--yes")
    maintenance_s = time.monotonic() - began
    left = site.found(doomed=True)
    tell(
        f"open-webui on {on}: {len(site.seeded.doomed)} chats; online {online_s:.1f} s, then {len(pending)} words left "
        f"until maintenance, {maintenance_s:.1f} s, then {report(site, left, doomed=True)}"
    )
    assert not left, report(site, left, doomed=True)
    assert len(site.found(doomed=False)) == len(site.seeded.words.of(doomed=False)), report(
        site, site.found(doomed=False), doomed=False
    )
    assert {name: len(of) for name, of in site.rows().items()} == {name: len(of) for name, of in rows_before.items()}
    assert site.rows() == rows_before
    assert uploads(site.data, site.seeded) == uploads_before
    with site.up() as server:
        after = seen(server, site.seeded)
        for what, before in site.before.items():
            assert after[what] == before, what
        server.ask(server.people["ada"], "is all well")
        assent("connector", "verify", NAME, "--ids", site.ids())
    assert not site.found(doomed=True)


def test_on_sqlite_nothing_is_left_of_what_goes_and_nothing_is_lost_of_what_stays(
    site: Site, tmp_path: Path, tell: Tell
) -> None:
    _erased(site, tmp_path, tell)


def test_on_postgresql_nothing_is_left_of_what_goes_and_nothing_is_lost_of_what_stays(
    postgres_site: Site, tmp_path: Path, tell: Tell
) -> None:
    _erased(postgres_site, tmp_path, tell)
