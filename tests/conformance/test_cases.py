"""The cases of spec/cases on both evaluators: what the policy files mean, as data that any implementation can run."""

import tomllib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from assent.domain.decision import Decision
from assent.domain.facts import Facts, facts_from_record
from assent.domain.instants import format_instant, parse_instant
from assent.policy.build import build
from assent.policy.decide import decide
from assent.policy.document import Document
from assent.policy.model import Policy
from assent.policy.parse import parse_document
from assent.policy.versions import decide_versions
from assent.store.columns import Columns

Case = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "spec" / "cases").glob("*.toml"))
CASE_KEYS = {"id", "vector", "says", "policies", "at", "facts", "expect"}
NEEDED = CASE_KEYS - {"vector"}
EXPECT_KEYS = {"eligible", "erase_by", "held", "gap", "use_until", "rules", "absent"}


@cache
def load(file: Path) -> dict[str, list[Case]]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


CASES = [
    pytest.param(case, id=case.get("id", f"{file.stem}-{n}"))
    for file in FILES
    for n, case in enumerate(load(file).get("case", []))
]


@cache
def document_named(name: str) -> Document:
    path = ROOT / "policies" / f"{name}.toml"
    assert path.is_file(), f"the case names `{name}`, but policies/{name}.toml does not exist"
    return parse_document(path.read_text(encoding="utf-8"), f"policies/{name}.toml")


@cache
def policy_named(name: str) -> Policy:
    return build(document_named(name))


@cache
def set_decisions(name: str, at: datetime) -> dict[str, Decision]:
    """Decide every case of one policy and instant with the set evaluator, in one query."""
    together = [case for file in FILES for case in load(file).get("case", []) if name in case["policies"]]
    together = [case for case in together if instant(case["at"]) == at]
    facts = [facts_of(case) for case in together]
    decided = Columns(threads=1).decide(facts, policy_named(name), at)
    return {case["id"]: decision for case, decision in zip(together, decided, strict=True)}


def as_json(value: object) -> object:
    """Turn TOML values into those of the facts interface, where instants are text."""
    if isinstance(value, datetime):
        return format_instant(value.astimezone(UTC))
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def facts_of(case: Case) -> Facts:
    return facts_from_record({key: as_json(value) for key, value in case["facts"].items()})


def instant(value: datetime | str | Literal[False]) -> datetime | None:
    """Read an expected instant: `false` stands for null, since TOML has none."""
    if value is False:
        return None
    return value.astimezone(UTC) if isinstance(value, datetime) else parse_instant(value)


def differences(expect: Case, decision: Decision) -> list[str]:
    """Say in words where a decision is not what the case expects."""
    rules = {reason.rule for reason in decision.reasons}
    found = {
        "eligible": (sorted(expect.get("eligible", [])), sorted(decision.eligible)),
        "erase_by": (instant(expect.get("erase_by", False)), decision.erase_by),
        "held": (expect.get("held"), decision.held),
        "gap": (sorted(expect.get("gap", [])), sorted(decision.gap)),
    }
    wrong = [
        f"{key}: expected {want}, got {got}" for key, (want, got) in found.items() if key in expect and want != got
    ]
    for purpose, end in expect.get("use_until", {}).items():
        if purpose not in decision.use_until:
            wrong.append(f"use_until.{purpose}: expected {instant(end)}, got no use at all")
        elif decision.use_until[purpose] != instant(end):
            wrong.append(f"use_until.{purpose}: expected {instant(end)}, got {decision.use_until[purpose]}")
    wrong += [
        f"rule `{rule}` should be among the reasons {sorted(rules)}"
        for rule in expect.get("rules", [])
        if rule not in rules
    ]
    wrong += [f"rule `{rule}` should not be among the reasons" for rule in expect.get("absent", []) if rule in rules]
    return wrong


def report(case: Case, wrong: list[str], decision: Decision) -> str:
    said = "\n".join(f"    {reason.kind} {reason.rule}: {reason.text}" for reason in decision.reasons)
    lines = "\n".join(f"  {line}" for line in wrong)
    return f"{case['id']}: {case['says']}\n  under {decision.policy}\n{lines}\n  reasons:\n{said}"


@pytest.mark.parametrize("case", CASES)
def test_case(case: Case) -> None:
    facts = facts_of(case)
    at = instant(case["at"])
    policies = [policy_named(name) for name in case["policies"]]
    for policy in policies:
        reference, by_columns = decide(facts, policy, at), set_decisions(policy.name, at)[case["id"]]
        assert by_columns == reference, f"{case['id']}: the two evaluators disagree under {policy.name}"
    answer = decide_versions(facts, policies, at)
    wrong = differences(case["expect"], answer)
    assert not wrong, report(case, wrong, answer)


def faults(case: Case) -> list[str]:
    """List what is wrong with the form of one case, apart from what it expects."""
    found = [f"key `{key}` is not known" for key in case.keys() - CASE_KEYS]
    found += [f"key `{key}` is missing" for key in NEEDED - case.keys()]
    if found:
        return found
    expect = case["expect"]
    found += [f"key `expect.{key}` is not known" for key in expect.keys() - EXPECT_KEYS]
    if not expect:
        found.append("expects nothing")
    if not case["policies"]:
        found.append("names no policy")
    if any(isinstance(value, datetime) and value.tzinfo is None for value in flat(case)):
        found.append("has an instant without a zone")
    if any(isinstance(value, date) and not isinstance(value, datetime) for value in flat(case)):
        found.append("has a date where an instant belongs")
    known = {rule for name in case["policies"] for rule in rules_of(document_named(name))}
    named = {*expect.get("rules", []), *expect.get("absent", [])}
    found += [f"rule `{rule}` is in none of its policies" for rule in sorted(named - known)]
    return found


def rules_of(document: Document) -> set[str]:
    rules = (*document.grant, *document.exception, *document.cap, *document.veto)
    return {rule.id for rule in rules} | {"withdrawn", "hold", "none"}


def flat(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flat(item)]
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, list) else [value]


def test_every_case_is_well_formed() -> None:
    wrong = [
        f"{file.name}: {case.get('id')}: {fault}"
        for file in FILES
        for case in load(file).get("case", [])
        for fault in faults(case)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_id_is_unique() -> None:
    ids = [case.get("id") for file in FILES for case in load(file).get("case", [])]
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


def test_every_file_has_cases_and_nothing_else() -> None:
    assert FILES, "spec/cases is empty"
    assert [file.name for file in FILES if set(load(file)) != {"case"}] == []


def test_a_wrong_expectation_is_found() -> None:
    """The runner itself: each kind of expectation must be able to fail."""
    case = load(ROOT / "spec" / "cases" / "google.toml")["case"][0]
    decision = decide(facts_of(case), policy_named(case["policies"][0]), instant(case["at"]))
    false_claims = {
        "eligible": [],
        "erase_by": False,
        "held": True,
        "gap": ["age"],
        "use_until": {"service": False},
        "rules": ["reviewed"],
        "absent": ["activity"],
    }
    assert set(false_claims) == EXPECT_KEYS
    assert [key for key, claim in false_claims.items() if not differences({key: claim}, decision)] == []
    assert differences({"use_until": {"legal": False}}, decision) == [
        "use_until.legal: expected None, got no use at all"
    ]
