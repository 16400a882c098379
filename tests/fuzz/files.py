"""Files that people write: policies, notices, campaigns, recipes, runs, settings, connectors, lines of NDJSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assent.connectors.coding_agents.scope_file import parse_scope
from assent.connectors.sql import mapping
from assent.domain.durations import parse_duration
from assent.domain.instants import format_instant, parse_instant
from assent.learn.harm.labelled import read_labelled
from assent.learn.runs import config
from assent.pipeline.recipe import parse_recipe
from assent.policy.parse import parse_policy
from assent.services.campaign.definition import campaign_of
from assent.services.connect.files import Connectors
from assent.services.decide import LineProblem, by_reference, decide_lines
from assent.services.disclose import facts as disclosure
from assent.services.intake import import_accounts, import_choices
from assent.services.notice.parse import parse_manifest
from assent.services.notice.sentences import language_of, quantities_in, sentences_of
from assent.services.signals.content_usage import parse_robots, robots_preferences
from assent.vault.hardware import parse_uri
from assent.wiring import Wiring
from tests.fuzz.target import Target, at, files, text
from tests.unit.services.campaign_world import TEXT as CAMPAIGN
from tests.unit.services.campaign_world import policy_document

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICIES = [parse_policy(files("policies/anthropic/2025-10-08.toml")[0].decode(), "policy")]
SETTINGS = 'database = "assent.db"\npolicies = ["policies/a.toml"]\ngpc = "record"\norigin = "log.example/a"\n'
CONNECTORS = [
    'kind = "coding-agents"\nagent = "codex"\nhome = "in"\n[plans]\n"*" = "pro"\n', 'kind = "files"\nalso = []\n',
    'kind = "lake"\nlayout = "delta"\n', 'kind = "opendsr"\nurl = "https://v.example"\ndomain = "v.example"\n',
    'kind = "langfuse"\nurl = "https://v.example"\npublic_key = "pk"\nsecret_key_file = "key"\n',
]  # fmt: skip
FACT = {
    "part": "c/p1", "subject": "p-17", "conversation": "c", "plan": "pro", "created_at": "2026-01-02T03:00:00Z",
    "choices": [{"purpose": "training", "act": "allow", "at": "2026-01-03T00:00:00Z"}],
}  # fmt: skip
CHOICE = {
    "subject": "p-17", "purpose": "training", "act": "allow", "at": "2026-01-03T00:00:00Z",
    "notice": f"sha256:{'1' * 64}", "surface": "web",
}  # fmt: skip


PAGES = [*files("docs/explanation/a*.md"), b"<html lang=en><p>We keep it for five years.</p>"]


class Kept:
    """What reading of lines asks of a store."""

    def put_accounts(self, accounts: object) -> None: ...

    def known_choices(self, ids: object) -> set[str]:
        return set(ids)


def settings(data: bytes) -> None:
    assert Wiring(at("settings/assent.toml", data).parent).settings.home.name == "settings"


def connector(data: bytes) -> None:
    path = at("home/connectors/one.toml", data)
    Connectors(path.parents[1], str).read("one")


def lines(read: Callable[[list[bytes]], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.split(b"\n"))


def decided(said: list[bytes]) -> None:
    found = list(decide_lines(said, POLICIES, NOW, by_reference, 100))
    assert len(found) == sum(bool(line.strip()) for line in said)
    assert all(one.line >= 1 for one in found if isinstance(one, LineProblem))


def choices(said: list[bytes]) -> None:
    summary = import_choices(said, Kept(), None, now=NOW, batch=10)
    assert summary.taken + len(summary.problems) == sum(bool(line.strip()) for line in said)


def accounts(said: list[bytes]) -> None:
    summary = import_accounts(said, Kept())
    assert summary.taken + len(summary.problems) == sum(bool(line.strip()) for line in said)


def page(said: str) -> None:
    language_of(said)
    for sentence in sentences_of(said):
        quantities_in(sentence.text)


def robots(said: str) -> None:
    for agent in ("*", "Bot"):
        robots_preferences(parse_robots(said, agent), "https://a.example/b/c?d")


def instant(said: str) -> None:
    found = parse_instant(said)
    assert parse_instant(format_instant(found)) == found
    assert found.utcoffset() == timedelta()


def duration(said: str) -> None:
    found = parse_duration(said)
    assert parse_duration(str(found)) == found


TARGETS = [
    Target("policy", text(lambda said: parse_policy(said, "p")), files("policies/*/*.toml")),
    Target("notice", text(lambda said: parse_manifest(said, "n")), files("notices/*/*.toml")),
    Target("campaign", text(lambda said: campaign_of(said, "c", policy_document("decline"))), [CAMPAIGN.encode()]),
    Target("recipe", text(lambda said: parse_recipe(said, "r")), [b"[dedup]\n[split]\ntest = 9\n", b"[blocks.tokens]"]),
    Target("run-config", text(lambda said: config.parse_config(said, "r")), [config.EXAMPLE.encode()]),
    Target("disclosure-facts", text(lambda said: disclosure.parse_facts(said, "f")), [disclosure.EXAMPLE.encode()]),
    Target("sql-mapping", lambda data: mapping.read(at("map.toml", data)), [mapping.EXAMPLE.encode()]),
    Target("connector", connector, [one.encode() for one in CONNECTORS]),
    Target("scope-file", parse_scope, [b'training = "deny"\nretention_days = 30\n']),
    Target("settings", settings, [SETTINGS.encode()]),
    Target("facts", lines(decided), [json.dumps(FACT).encode()]),
    Target("choices", lines(choices), [json.dumps(CHOICE).encode()]),
    Target("accounts", lines(accounts), [b'{"subject":"p-17","plan":"pro","age":30,"region":"DE"}']),
    Target("labelled", lines(lambda said: list(read_labelled(said, "l"))), [b'{"text":"t","harms":[],"weight":1}']),
    Target("page", text(page), PAGES),
    Target("robots", text(robots), [b"User-agent: *\nContent-Usage: /a*b$ train-ai=n\nDisallow: /\n"]),
    Target("instant", text(instant), [b"2026-01-02T03:04:05.678Z", b"2026-01-02T03:04:05+02:00"]),
    Target("duration", text(duration), [b"P5Y", b"P1Y2M3D", b"PT36H"]),
    Target("pkcs11-uri", text(parse_uri), [b"pkcs11:token=a%20b?module-path=/x&pin-source=p"]),
]  # fmt: skip
