"""A campaign of the small policy, with its notice on the shelf, and people that a test can invent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.stores import new_store

from assent.domain.digests import digest
from assent.ledger.note import Signer, new_signer
from assent.policy.document import Document
from assent.policy.model import Policy
from assent.policy.parse import parse_document, parse_policy
from assent.services.campaign.acts import Written, draft, lint, schedule, start
from assent.services.campaign.definition import Campaign, campaign_of
from assent.services.campaign.machine import Course, Linted
from assent.services.campaign.show import linted_as, manifest_of
from assent.services.notice.generate import manifest_for
from assent.services.notice.parse import parse_manifest
from assent.store.records import Account, Choice, NoticeText, Prompt
from assent.store.sqlite import SqliteStore

POLICY_FILE = Path(__file__).parents[1] / "policy" / "small.toml"
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DEADLINE = datetime(2026, 4, 1, tzinfo=UTC)
OFFICER = "privacy officer"
SIGNER: Signer = new_signer("acme.example/log", bytes(range(32)))

TEXT = """\
assent = 1

[campaign]
id = "spring"
title = "Training in Acme chat"
notice = "acme-training/1"
policy = "acme/2"
purposes = ["training"]
start = 2026-03-01T09:00:00Z
deadline = 2026-04-01T00:00:00Z
no_answer = "decline"
reminders = ["P10D", "P2D"]

[audience]
plans = ["consumer"]
ages = { from = 18 }

[defers]
max = 2
cool_down = "P7D"

[layouts]
stacked = 1
side-by-side = 1

[alarm]
threshold = 10
answers = 30
"""

BLOCKING = {'no_answer = "decline"': 'no_answer = "block"\nescape = ["export", "read only"]'}
SIGN_UP = {"[alarm]": '[sign_up]\ndeadline = "P14D"\n\n[alarm]'}


def text(changes: dict[str, str] | None = None) -> str:
    """The campaign file with pieces replaced; each piece must be there."""
    made = TEXT
    for old, new in (changes or {}).items():
        assert old in made, old
        made = made.replace(old, new)
    return made


def day(number: float) -> datetime:
    return START + number * DAY


@cache
def policy_text(no_answer: str = "decline") -> str:
    return POLICY_FILE.read_text("utf-8").replace('no_answer = "decline"', f'no_answer = "{no_answer}"')


@cache
def policy_document(no_answer: str = "decline") -> Document:
    return parse_document(policy_text(no_answer), "small.toml")


@cache
def policies(no_answer: str = "decline") -> tuple[tuple[Policy, str], ...]:
    return ((parse_policy(policy_text(no_answer), "small.toml"), policy_text(no_answer)),)


def campaign(changes: dict[str, str] | None = None) -> Campaign:
    made = text(changes)
    return campaign_of(made, "spring.toml", policy_document("block" if 'no_answer = "block"' in made else "decline"))


@cache
def notice_text(no_answer: str = "decline") -> str:
    return manifest_for(policy_document(no_answer))


def notice(
    no_answer: str = "decline", document: str | None = None, added_at: datetime = START - 30 * DAY
) -> NoticeText:
    made = parse_manifest(document or notice_text(no_answer), "notice.toml")
    return NoticeText(made.digest, made.name, made.version, made.policy, made.text, added_at)


def clean(store: SqliteStore, course: Course) -> Linted:
    """What the lint says of a notice without faults."""
    return linted_as(manifest_of(store, course.notice), course.policy, [])


@contextmanager
def shelf(no_answer: str = "decline") -> Iterator[SqliteStore]:
    """A store with the notice of the campaign."""
    with TemporaryDirectory() as folder:
        store = new_store(Path(folder) / "store.db")
        store.add_notice(notice(no_answer))
        yield store
        store.close()


def live(store: SqliteStore, changes: dict[str, str] | None = None) -> Course:
    """Draft, lint, schedule and start the campaign."""
    made = text(changes)
    known = policies("block" if 'no_answer = "block"' in made else "decline")
    course = draft(store, Written(made, "spring.toml"), known, by=OFFICER, now=START - 3 * DAY)
    name = course.campaign.id
    lint(store, name, clean(store, course), by=OFFICER, now=START - 2 * DAY)
    schedule(store, name, by=OFFICER, now=START - DAY)
    return start(store, name, clean(store, course), by=OFFICER, now=START)


def person(subject: str = "s1", **facts: object) -> Account:
    return replace(Account(subject, plan="free", age=30, region="DE", opened_at=START - 100 * DAY), **facts)


def act(kind: str, at: datetime, subject: str = "s1", **more: object) -> Choice:
    values = {"notice": digest("shown"), "surface": "web", "recorded_by": "web", "campaign": "spring"} | more
    name = digest([subject, kind, at.isoformat(), values["campaign"], values.get("purpose", "training")])
    purpose = values.pop("purpose", "training")
    return Choice(id=name, subject=subject, purpose=purpose, act=kind, at=at, recorded_at=at, **values)


def prompt(kind: str, at: datetime, subject: str = "s1", **more: object) -> Prompt:
    return Prompt(
        **{"campaign": "spring", "purpose": "training", "layout": "stacked", **more}, subject=subject, at=at, kind=kind
    )
