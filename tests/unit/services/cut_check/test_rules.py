"""The checker's own reading of spec/policy.md gives the published cases, and never contradicts the evaluators."""

import random
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

from assent.domain.facts import Facts, facts_from_record
from assent.domain.instants import LATEST, format_instant, parse_instant
from assent.policy.decide import decide
from assent.policy.versions import governing as governing_of_reference
from assent.services.cut_check import rules

ROOT = Path(__file__).resolve().parents[4]
SMALL = ROOT / "tests/unit/policy/small.toml"
ASKED = '{ purpose = "training", needs = "allowed" }'
BY_DEFAULT = '{ purpose = "service", needs = "unless declined" }'


def version(path: Path) -> rules.Version:
    return rules.version(path.read_text("utf-8"), path.name)


def as_json(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def wrongly(expect: dict, found: rules.Answer) -> list[str]:
    said: list[str] = []
    if "eligible" in expect and set(expect["eligible"]) != found.eligible:
        said.append(f"eligible is {sorted(found.eligible)}")
    if "held" in expect and expect["held"] is not found.held:
        said.append(f"held is {found.held}")
    if "gap" in expect and set(expect["gap"]) != found.gap:
        said.append(f"gap is {sorted(found.gap)}")
    if "erase_by" in expect and (expect["erase_by"] or None) != found.erase_by:
        said.append(f"erase by is {found.erase_by}")
    for purpose, end in expect.get("use_until", {}).items():
        if (end or LATEST) != found.use_until.get(purpose):
            said.append(f"use until of {purpose} is {found.use_until.get(purpose)}")
    return said


def test_every_published_case_of_one_policy_is_answered_as_it_says() -> None:
    read, wrong = 0, []
    for file in sorted((ROOT / "spec/cases").glob("*.toml")):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            if len(case["policies"]) != 1:
                continue
            read += 1
            facts = facts_from_record({key: as_json(value) for key, value in case["facts"].items()})
            at = case["at"] if isinstance(case["at"], datetime) else parse_instant(case["at"])
            found = rules.answer(version(ROOT / f"policies/{case['policies'][0]}.toml"), facts, at)
            wrong += [f"{case['id']}: {says}" for says in wrongly(case["expect"], found)]
    assert read > 100
    assert wrong == []


def agree(path: Path, at: datetime, seed: int, count: int) -> int:
    policy, mine = load(path), version(path)
    draw, eligible = RandomFacts(policy, at, random.Random(seed)), 0
    for number in range(count):
        facts = draw.facts(str(number))
        theirs, found = decide(facts, policy, at), rules.answer(mine, facts, at)
        assert found.eligible == set(theirs.eligible), f"{facts}"
        assert (found.held, found.gap, found.erase_by) == (theirs.held, set(theirs.gap), theirs.erase_by), f"{facts}"
        use = {purpose: LATEST if end is None else end for purpose, end in theirs.use_until.items()}
        assert {purpose: end for purpose, end in found.use_until.items() if purpose != "legal"} == {
            purpose: end for purpose, end in use.items() if purpose != "legal"
        }, f"{facts}"
        eligible += bool(theirs.eligible)
    return eligible


@pytest.mark.parametrize("path", [*POLICIES, SMALL], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_checker_and_the_reference_agree_on_random_facts(path: Path) -> None:
    for number, at in enumerate(INSTANTS):
        agree(path, at, number, 12)


@pytest.mark.deep
@pytest.mark.parametrize("path", [*POLICIES, SMALL], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_checker_and_the_reference_agree_on_many_random_facts(path: Path) -> None:
    assert sum(agree(path, at, 100 + number, 5_000) for number, at in enumerate(INSTANTS)) > 0


@pytest.mark.parametrize(
    "changes",
    [
        (('anchor = "last turn"\nuse_for = "P5Y"', 'anchor = "choice given"\nuse_for = "P5Y"'),),
        (('use_for = "P5Y"\nbound = "up to"', 'use_for = "P5Y"\nbound = "at least"'),),
        (('use_for = "P2Y"\nbound = "up to"', 'use_for = "P2Y"\nbound = "at least"'),),
        (('needs = "allowed"', 'needs = "unless declined"'),),
        (('needs = "allowed"', 'needs = "allowed", covers = "now"'),),
        (('needs = "allowed"', 'needs = "unless declined", covers = "part"'),),
        (("regrant_revives_earlier_data = false", "regrant_revives_earlier_data = true"),),
        (('resume_scope = "whole conversation"', 'resume_scope = "new turns"'),),
        (('retention_on_withdrawal = "P30D"', 'retention_on_withdrawal = "keep"'),),
        (('anchor = "last turn"\nuse_for = "P5Y"', 'anchor = "choice withdrawn"\nuse_for = "P5Y"'),),
        (('anchor = "last turn"\nuse_for = "P5Y"', 'anchor = "case closed"\nuse_for = "P5Y"'),),
        (('plan = ["consumer"], data', 'part = "since effective", plan = ["consumer"], data'),),
        ((f"choice = {ASKED}", f"choice = [{ASKED}, {BY_DEFAULT}]"),),
    ],
    ids=range(13),
)
def test_they_agree_on_what_no_shipped_policy_says(changes: tuple, tmp_path: Path) -> None:
    text = SMALL.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "changed.toml").write_text(text, "utf-8")
    for number, at in enumerate(INSTANTS):
        agree(tmp_path / "changed.toml", at, number, 40)


def test_the_governing_versions_are_those_of_the_reference() -> None:
    several = 0
    for provider in sorted({path.parent for path in POLICIES}):
        paths = [path for path in POLICIES if path.parent == provider]
        policies = sorted(map(load, paths), key=lambda policy: policy.effective)
        mine = [version(path) for path in paths]
        for number, at in enumerate(INSTANTS):
            draw = RandomFacts(policies[0], at, random.Random(number))
            for one in range(40):
                facts: Facts = draw.facts(str(one))
                theirs = [policy.digest for policy in governing_of_reference(policies, facts, at)]
                assert [found.digest for found in rules.governing(mine, facts, at)] == theirs
                several += len(theirs) > 1
    assert several > 0
