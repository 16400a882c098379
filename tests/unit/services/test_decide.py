"""Lines of facts become decisions in order, bad lines are named, and both engines write the same bytes."""

import json
import random
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.laws.random_facts import INSTANTS, POLICIES, RandomFacts, load

from assent.domain.decision import Decision
from assent.domain.facts import Facts, facts_from_record, facts_to_record
from assent.domain.instants import format_instant
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.decide import LineProblem, by_reference, decide_lines
from assent.store.columns import Columns

ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 1, 1, tzinfo=UTC)
MARKER = "MARKER-ann@example.com my own words"


def policy(name: str = "anthropic/2025-10-08") -> Policy:
    return parse_policy((ROOT / "policies" / f"{name}.toml").read_text("utf-8"), name)


def decide(*lines: bytes | dict, policies: Sequence[Policy] = (), batch: int = 2) -> list[Decision | LineProblem]:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(decide_lines(encoded, policies or [policy()], AT, by_reference, batch))


def written(answers: Iterable[Decision | LineProblem]) -> list[str]:
    """The lines that the command writes."""
    return [json.dumps(answer.to_record(), ensure_ascii=False) for answer in answers]


def test_answers_come_in_the_order_of_the_lines_whatever_the_batch() -> None:
    lines = [{"part": f"p{number}"} for number in range(7)]
    for batch in (1, 2, 3, 7, 100):
        assert [answer.part for answer in decide(*lines, batch=batch)] == [f"p{number}" for number in range(7)]


def test_blank_lines_are_passed_over_and_still_counted() -> None:
    first, problem, last = decide(b"\n", {"part": "a"}, b"  \r\n", b"nonsense\n", b"\t", {"part": "b"})
    assert (first.part, problem.line, last.part) == ("a", 4, "b")
    assert decide(b"", b"\n") == decide() == []


@pytest.mark.parametrize(
    ("line", "key", "fix"),
    [
        (b"{", "", "JSON object"),
        (b'{"part":"a"}{"part":"b"}', "", "JSON object"),
        (b"\xff", "", "JSON object"),
        (b"[" * 200_000, "", "JSON object"),
        (b"3", "", "JSON object"),
        (b"null", "", "JSON object"),
        (b"{}", "part", "id"),
        (b'{"part":""}', "part", "string"),
        (b'{"part":"p","data":"words"}', "data", "text, voice, image, file, score, feedback"),
        (b'{"part":"p","mode":1}', "mode", "normal, private"),
        (b'{"part":"p","age":1e400}', "age", "0 to 150"),
        (b'{"part":"p","created_at":"2026-01-01"}', "created_at", "Z"),
        (b'{"part":"p","deleted_at":1767225600}', "deleted_at", "ISO 8601"),
        (b'{"part":"p","user_duration":"P0D"}', "user_duration", "P30D"),
        (b'{"part":"p","choices":[{"purpose":"t","act":"yes","at":"x"}]}', "choices.act", "allow, decline, defer"),
        (b'{"part":"p","choices":[{"purpose":"t","act":"allow"}]}', "choices.at", "ISO 8601"),
        (b'{"part":"p","choices":{}}', "choices", "list"),
        (b'{"part":"p","holds":[{"from":"2026-01-02T00:00:00Z","released_at":"2026-01-01T00:00:00Z"}]}',
         "holds.released_at", "after"),
        (b'{"part":"p","verdict":"yes"}', "verdict", "created_at"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_bad_line_names_key_and_what_is_allowed_and_the_others_are_decided(line: bytes, key: str, fix: str) -> None:
    first, problem, last = decide({"part": "a"}, line, {"part": "b"})
    assert (first.part, last.part) == ("a", "b")
    assert isinstance(problem, LineProblem)
    assert (problem.line, problem.key) == (2, key)
    assert fix in problem.fix
    assert f"`{key}" in problem.message if key else "JSON" in problem.message


@pytest.mark.parametrize(
    "key", ["created_at", "deleted_at", "user_duration", "plans", "mode", "age", "choices", MARKER]
)
def test_a_problem_quotes_nothing_a_person_wrote(key: str) -> None:
    (problem,) = decide({"part": "p", key: MARKER})
    assert isinstance(problem, LineProblem)
    assert MARKER not in repr(problem)


@pytest.mark.parametrize("key", ["part", "plan", "region", "role"])
def test_text_that_cannot_be_written_is_a_bad_line(key: str) -> None:
    first, problem, last = decide({"part": "a"}, {"part": "p", key: "\ud800"}, {"part": "b"})
    assert (first.part, last.part) == ("a", "b")
    assert isinstance(problem, LineProblem)


def test_of_several_policies_the_stricter_answer_counts() -> None:
    line = {
        "part": "p", "plan": "pro", "age": 30, "mode": "normal", "data": "text", "origin": "person",
        "created_at": "2025-12-20T00:00:00Z", "last_turn_at": "2025-12-20T00:00:00Z",
        "choices": [{"purpose": "training", "act": "allow", "at": "2025-12-01T00:00:00Z"}],
    }  # fmt: skip
    old, new = policy("anthropic/2025-05-01"), policy()
    (alone,) = decide(line)
    (both,) = decide(line, policies=[old, new])
    assert alone.eligible == ("training",)
    assert both.eligible == ()
    assert both.erase_by == datetime(2026, 1, 19, tzinfo=UTC) < alone.erase_by
    assert both.policy == "anthropic/2025-05-01 + anthropic/2025-10-08"


def _plain(value: object) -> object:
    """Instants of TOML as the text that the facts interface takes."""
    if isinstance(value, datetime):
        return format_instant(value.astimezone(UTC))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def cases() -> Iterator[tuple[tuple[str, ...], datetime, bytes]]:
    for name in ("anthropic", "google", "microsoft"):
        file = ROOT / "spec" / "cases" / f"{name}.toml"
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            record = {"part": case["id"], **_plain(case["facts"])}
            at = case["at"] if isinstance(case["at"], datetime) else datetime.fromisoformat(case["at"])
            yield tuple(case["policies"]), at.astimezone(UTC), json.dumps(record).encode()


def test_both_engines_write_the_same_bytes_for_the_cases_of_the_specification() -> None:
    together: dict[tuple[tuple[str, ...], datetime], list[bytes]] = {}
    for names, at, line in cases():
        together.setdefault((names, at), []).append(line)
    columns = Columns(threads=1)
    seen = 0
    for (names, at), lines in together.items():
        policies = [policy(name) for name in names]
        reference = written(decide_lines(lines, policies, at, by_reference, 50))
        assert written(decide_lines(lines, policies, at, columns.decide, 50)) == reference
        seen += len(reference)
    assert seen > 50


def test_both_engines_write_the_same_bytes_for_random_facts() -> None:
    columns = Columns(threads=1)
    source = random.Random(20)
    for number, path in enumerate(POLICIES):
        made = load(path)
        at = INSTANTS[number % len(INSTANTS)]
        facts: list[Facts] = [RandomFacts(made, at, source).facts(f"p{n}") for n in range(20)]
        lines = [json.dumps(facts_to_record(fact)).encode() for fact in facts]
        reference = written(decide_lines(lines, [made], at, by_reference, 17))
        assert written(decide_lines(lines, [made], at, columns.decide, 17)) == reference


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_region_that_a_policy_names_can_be_said(path: Path) -> None:
    made = load(path)
    tests = [test for rule in (*made.grants, *made.vetoes) for test in rule.when.tests]
    named = {value for test in tests if test.key == "region" for value in test.values}
    read = {name: facts_from_record({"part": "p", "region": name}).region for name in named}
    assert {name: value for name, value in read.items() if name != value} == {}
