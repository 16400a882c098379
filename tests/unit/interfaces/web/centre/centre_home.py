"""A small provider with a person who has a bit of everything, and the privacy centre as that person sees it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import Response
from starlette.testclient import TestClient

from assent.domain.conversation import Conversation, Part
from assent.interfaces.api.app import create_app
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import COOKIE
from assent.services.session.sessions import begin, csrf_of
from assent.store.records import Account, Cut, CutRow, Flag
from assent.wiring import Wiring

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN, BEN, EVE = "ann-7", "ben-7", "eve-7"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "{{ 7*7 }}{% raw %}",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<!--><script>alert(1)//-->",
    "\u202e<b>bold</b>",
)


def talk(
    name: str, subject: str, title: str, *, project: str = "", days: int = 1, text: str = "stir it"
) -> Conversation:
    at = NOW - timedelta(days=days)
    parts = (
        Part("1", "t1", "user", "person", "text", text, at),
        Part("2", "t1", "assistant", "model", "text", "then let it rest", at),
    )
    surface = "coding" if project else "chat"
    return Conversation(
        f"test:{name}", "test", parts, subject, title, surface, created_at=at, last_turn_at=at, project=project
    )


class Centre:
    """The served centre, and whoever is signed in."""

    def __init__(self, home: Wiring, client: TestClient) -> None:
        self.home, self.store, self.client = home, home.store, client
        self.token = ""

    def enter(self, who: str, kind: str = "person", role: str = "") -> None:
        lasts = timedelta(hours=1)
        self.token, _ = begin(
            self.store, kind=kind, who=who, role=role, key=self.home.new_key(), now=self.home.now(), lasts=lasts
        )
        self.client.cookies.set(COOKIE, self.token)

    def leave(self) -> None:
        self.client.cookies.clear()

    def get(self, path: str, **query: str) -> Response:
        return self.client.get(path, params=query or None)

    def post(self, path: str, *, proof: str | None = None, **fields: object) -> Response:
        sent = {"csrf": csrf_of(self.token) if proof is None else proof, **fields}
        return self.client.post(path, data=sent, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider, made once: copying it takes a fraction of the time."""
    folder = tmp_path_factory.mktemp("centre") / "home"
    policies = ("anthropic/2025-05-01", "anthropic/2025-10-08")
    home = make_home(Wiring(None, NOW), folder, policies, notices=("lantern/2025-10-08",))
    store = home.store
    store.put_accounts([Account(who, "pro", age=30, region="DE", signed_in=True) for who in (ANN, BEN, EVE)])
    store.intake(
        [
            talk("soup", ANN, "Soup without onions"),
            talk("code", ANN, "Fix totals", project="lighthouse", days=2),
            talk("old", ANN, "A letter", days=3),
            talk("ben", BEN, "Ben's own"),
            *(talk(f"evil-{n}", EVE, title, project=title, text=title) for n, title in enumerate(HOSTILE)),
        ],
        plan=None,
        recorded_at=NOW - timedelta(days=1),
    )
    store.add_flag(Flag("flag-1", "test:old", NOW - timedelta(days=1), "misuse", "classifier", "a rule"))
    store.add_flag(Flag("flag-2", "test:ben", NOW - timedelta(days=1), "misuse", "classifier", "a rule"))
    made = NOW - timedelta(hours=1)
    store.record_cut(
        Cut("spring", 1, "sha256:" + "0" * 64, made, str(folder / "cut"), "training", made),
        [CutRow("test:soup", "1", ANN)],
    )
    store.close()
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[Centre]:
    """Serve a home whose clock starts at `NOW` and goes on."""
    home = Wiring().running_from(NOW, folder)
    app = create_app(replace(home.world(), say=lambda _line: None), None, create_site)
    with TestClient(app, base_url="https://privacy.example", follow_redirects=True) as client:
        yield Centre(home, client)
    home.store.close()


@pytest.fixture
def centre(filled_home: Path, tmp_path: Path) -> Iterator[Centre]:
    """The centre over a copy of the home that the test may change."""
    with opened(Path(shutil.copytree(filled_home, tmp_path / "home"))) as found:
        yield found


@pytest.fixture(scope="module")
def shared_centre(filled_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The centre over a copy that tests share which change nothing in it."""
    with opened(Path(shutil.copytree(filled_home, tmp_path_factory.mktemp("shared") / "home"))) as found:
        yield found
