"""The shape of a policy file, its schema, and the specification's example."""

import hashlib
import json
import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest

from assent.domain.digests import canonical
from assent.domain.durations import Duration, parse_duration
from assent.domain.facts import facts_from_record
from assent.domain.instants import parse_instant
from assent.policy.build import meaning
from assent.policy.decide import decide
from assent.policy.document import Anchor, Document, Parameters, RuleClass, When, json_schema
from assent.policy.lint import lint
from assent.policy.model import CLASSES
from assent.policy.parse import parse_document, parse_policy

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SMALL = (HERE / "small.toml").read_text("utf-8")
SPEC = (ROOT / "spec" / "policy.md").read_text("utf-8")
FILES = sorted((ROOT / "policies").glob("*/*.toml"))


def plain(value: object) -> object:
    """TOML values as JSON Schema sees them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SPEC, re.DOTALL)


def test_the_schema_in_spec_is_current() -> None:
    """Written by `assent policy schema > spec/policy.schema.json`."""
    assert json.loads((ROOT / "spec" / "policy.schema.json").read_text("utf-8")) == json_schema()


@pytest.mark.parametrize("file", [HERE / "small.toml", *FILES], ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_schema_takes_what_the_parser_takes(file: Path) -> None:
    text = file.read_text("utf-8")
    parse_document(text, file.name)
    jsonschema.Draft202012Validator(json_schema()).validate(plain(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('use_for = "P30D"', 'use_for = "P"'),
        ('use_for = "P30D"', "use_for = 30"),
        ('anchor = "feedback"', 'anchor = "soon"'),
        ('no_answer = "decline"', 'no_answer = "treat_as_allow"'),
        ("max_defers = 2", "max_defers = -1"),
        ('source = "terms"', 'sauce = "terms"'),
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(old: str, new: str) -> None:
    values = plain(tomllib.loads(SMALL.replace(old, new, 1)))
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(values)


def test_the_example_of_the_specification_is_a_clean_policy() -> None:
    [example] = fenced("toml")
    assert example == SMALL
    assert lint(example, "spec/policy.md") == []


def test_the_example_of_the_specification_decides_as_it_says() -> None:
    facts, decision = (json.loads(block) for block in fenced("json"))
    policy = parse_policy(SMALL, "small.toml")
    assert decide(facts_from_record(facts), policy, parse_instant("2026-06-01T00:00:00Z")).to_record() == decision


def test_the_specification_names_every_word_of_the_format() -> None:
    words = [*Parameters.model_fields, *When.model_fields, *(set(Document.model_fields) - {"assent"})]
    words += [*RuleClass.__args__, *Anchor.__args__]
    assert [word for word in words if f"`{word}`" not in SPEC] == []


def test_the_order_of_classes_is_that_of_the_specification() -> None:
    section = SPEC[SPEC.index("## 11. Classes") : SPEC.index("## 12.")]
    assert re.findall(r"`([a-z ]+)`", section) == list(CLASSES)


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2024-02-29T00:00:00Z", "P5Y", "2029-02-28T00:00:00Z"),
        ("2026-01-31T00:00:00Z", "P1M", "2026-02-28T00:00:00Z"),
        ("2026-01-31T00:00:00Z", "P1M1D", "2026-03-01T00:00:00Z"),
    ],
)
def test_the_durations_of_the_specification(start: str, length: str, end: str) -> None:
    text = SMALL.replace('use_for = "P30D"', f'use_for = "{length}"')
    facts = facts_from_record({"part": "p", "plan": "free", "last_turn_at": start})
    decision = decide(facts, parse_policy(text, "small.toml"), parse_instant(start))
    assert decision.use_until["service"] == parse_instant(end)
    for said in (start[:10], f"`{length}`", end[:10]):
        assert said in SPEC


@pytest.mark.parametrize(("text", "shortest"), [("P1W", "P7D"), ("PT36H", "PT36H"), ("P18M", "P1Y6M")])
def test_the_shortest_forms_of_the_specification(text: str, shortest: str) -> None:
    assert str(parse_duration(text)) == shortest
    assert f"`{text}` is `{shortest}`" in SPEC


def test_layout_and_comments_do_not_change_the_digest() -> None:
    digest = parse_policy(SMALL, "a").digest
    spaced = SMALL.replace(" = ", "=").replace("[hold]", "# a comment\n\n[hold]")
    assert parse_policy(spaced, "b").digest == digest
    assert parse_policy(SMALL.replace("P30D", "P4W2D"), "b").digest == digest


@pytest.mark.parametrize("change", [("P5Y", "P6Y"), ("court", "judge"), ("max_defers = 2", "max_defers = 3")])
def test_every_value_changes_the_digest(change: tuple[str, str]) -> None:
    assert parse_policy(SMALL.replace(*change), "a").digest != parse_policy(SMALL, "a").digest


def test_the_digest_is_that_of_the_values_as_the_specification_says() -> None:
    document = parse_document(SMALL, "small.toml")
    values = meaning(document)
    assert values["policy"]["effective"] == "2026-03-01 00:00:00+00:00"
    assert values["sources"]["terms"]["read"] == "2026-02-15"
    assert values["grant"][0]["when"]["plan"] is None
    assert values["grant"][1]["when"]["data"] == {"not": ["score"]}
    assert values["grant"][0]["copies"] == ["back end"]
    schema = json_schema()
    assert set(values) == set(schema["properties"])
    assert set(values["grant"][0]) == set(schema["$defs"]["Grant"]["properties"])
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text.encode() == canonical(values)
    expected = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert parse_policy(SMALL, "small.toml").digest == expected


def test_a_document_can_be_made_without_a_file() -> None:
    values = tomllib.loads(SMALL)
    values["grant"][0]["use_for"] = Duration(days=3)
    document = Document.model_validate(values)
    assert document.grant[0].use_for == Duration(days=3)
    assert document.policy.effective == datetime(2026, 3, 1, tzinfo=UTC)
