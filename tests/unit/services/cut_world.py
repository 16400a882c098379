"""A small store to cut from: people, what they said and what they answered, under one policy or several."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.stores import new_store

from assent.domain.conversation import Conversation, Part, last_turn
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.cut.order import CutOrder
from assent.services.cut.take import Taken, take
from assent.store.columns import Columns
from assent.store.records import Account, Choice
from assent.store.sqlite import SqliteStore

LIBRARY = Path(__file__).resolve().parents[3] / "policies"
SMALL = Path(__file__).resolve().parents[1] / "policy" / "small.toml"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
TURN = datetime(2026, 4, 10, tzinfo=UTC)
KEY = bytes(range(32))
ANTHROPIC = "anthropic/2025-10-08"


def policy(name: str = ANTHROPIC) -> Policy:
    return parse_policy((LIBRARY / f"{name}.toml").read_text("utf-8"), name)


def small(*changes: tuple[str, str]) -> Policy:
    """The small policy of Acme, with pieces of its text replaced."""
    text = SMALL.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_policy(text, "small")


def said(number: int, text: str, *, by: str = "user", at: datetime = TURN, **more: object) -> Part:
    origin = {"user": "person", "assistant": "model"}.get(by, "tool")
    part = Part(f"m{number}", f"t{number}", by, origin, "text", text, at)
    return replace(part, **more)


def chat(name: str, subject: str | None = "ann", *parts: Part, **more: object) -> Conversation:
    """A question and an answer, unless parts are given."""
    found = parts or (said(1, f"question of {name}"), said(2, f"answer to {name}", by="assistant"))
    turn = last_turn(found)
    return replace(Conversation(f"test:{name}", "test", found, subject, created_at=turn, last_turn_at=turn), **more)


class World:
    """A store, a session of the set evaluator, and a folder."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self.folder = folder
        self.store = store
        self.columns = Columns()
        self.policies = [policy()]

    def person(self, subject: str, *, plan: str = "pro", age: int = 30, allows: bool = False, **more: object) -> None:
        self.store.put_accounts([Account(subject, plan=plan, age=age, region="DE", **more)])
        if allows:
            self.choose(subject, "allow", TURN - timedelta(days=5))

    def choose(self, subject: str, act: str, at: datetime, *, purpose: str = "training", name: str = "") -> str:
        name = name or f"choice-of-{subject}-{act}-{at:%m-%d}"
        self.store.add_choice(Choice(name, subject, purpose, act, at, "sha256:notice", "web", "web", at))
        return name

    def keep(self, *chats: Conversation, recorded_at: datetime = TURN) -> None:
        self.store.intake(chats, plan=None, recorded_at=recorded_at)

    def order(self, directory: str = "out", **more: object) -> CutOrder:
        keys = self.folder / "cuts"
        order = CutOrder("spring", "training", NOW, NOW, self.folder / directory, keys, KEY, bytes(32), "0.0.1")
        return replace(order, **more)

    def cut(self, directory: str = "out", progress: object = None, **more: object) -> Taken:
        return take(self.order(directory, **more), self.store, self.columns, self.policies, progress or quiet)


@contextmanager
def quiet(_what: str, _total: int) -> Iterator[object]:
    yield lambda _amount: None


@contextmanager
def world(folder: Path) -> Iterator[World]:
    folder.mkdir(exist_ok=True)
    store = new_store(folder / "assent.db")
    try:
        yield World(folder, store)
    finally:
        store.close()
