"""Skills: told apart on texts that were held back, alike however they are batched, and by provenance first."""

import json
import subprocess
import sys

import pytest
from benchmarks.bench_skill import macro_f1
from benchmarks.skill_set import texts
from tests.unit.pipeline.rows_of_parts import batch, row

from assent.pipeline.block import block_digest
from assent.pipeline.skill.block import Skill
from assent.pipeline.skill.features import BUCKETS, Ask, asked, bucket_of, features
from assent.pipeline.skill.model import SKILLS, judge, shipped


def test_the_held_back_texts_are_told_apart_as_well_as_we_say() -> None:
    rows = list(texts("held_back.txt"))
    found = judge([Ask(entry.text, coded=False) for entry in rows])
    score, each = macro_f1([(entry.label, said.skill) for entry, said in zip(rows, found, strict=True)])
    assert score >= HELD_BACK
    assert min(min(pair) for pair in each.values()) >= 0.6


def test_no_text_that_was_held_back_is_among_those_learned_from() -> None:
    learned = {text for name in ("train.txt", "tuning.txt") for _, text in texts(name)}
    assert not learned & {text for _, text in texts("held_back.txt")}


def test_every_label_belongs_to_a_skill_and_every_skill_has_labels() -> None:
    assert {label.partition("/")[0] for label in shipped().labels} == set(SKILLS)


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("Write a Python function that merges two sorted lists.", "coding"),
        ("TypeError: unsupported operand type(s) for +: 'int' and 'str', how do I fix it?", "coding"),
        ("Compare the advantages and disadvantages of nuclear and solar power.", "analysis"),
        ("Solve for x: 3x + 5 = 20", "reasoning"),
        ("Write a poem about the sea.", "other"),
        ("hi", "other"),
        ("", "other"),
    ],
)
def test_plain_cases_are_plain(text: str, skill: str) -> None:
    assert judge([Ask(text, coded=False)])[0].skill == skill


def test_an_ask_is_judged_alike_alone_and_among_others() -> None:
    asks = [Ask(text, coded=False) for _, text in texts("held_back.txt")]
    assert judge(asks) == [judge([ask])[0] for ask in asks]
    assert judge([]) == []


def test_features_read_the_beginning_and_the_end_of_a_long_text_and_each_only_once() -> None:
    long = "write python code. " + "lorem ipsum " * 5000 + " thank you kindly"
    buckets, starts = features([Ask(long, coded=True), Ask("", coded=False), Ask("日本語 🙂 ß", coded=False)])
    first = buckets[: starts[1]]
    assert set(bucket_of("python")) <= set(first)
    assert set(bucket_of("kindly")) <= set(first)
    assert len(set(first)) == len(first)
    assert buckets.max() < BUCKETS
    assert list(starts) == sorted(set(starts))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user: hi\nassistant: Hello!\nuser: tell me a joke", "hi\ntell me a joke"),
        ("\n\nHuman: hi\n\nAssistant: Hello!\nAnd welcome.", "hi"),
        ("a user: what is that?", "a user: what is that?"),
        ("assistant: Hello!", "assistant: Hello!"),
    ],
)
def test_of_a_conversation_that_was_written_down_the_turns_of_the_person_count(text: str, said: str) -> None:
    assert asked(text) == Ask(said, coded=False)
    assert asked(f"{text} ```x```").coded


def test_the_block_judges_what_the_person_said_and_keeps_every_row() -> None:
    rows = batch(
        row("Solve 3x + 5 = 20 for x", conversation="a"),
        row("x is 5", by="assistant", conversation="a"),
        row("tell me a joke about cats", conversation="b"),
    )
    outcome = Skill().apply(rows)
    assert outcome.rows.column("skill").to_pylist() == ["reasoning", "reasoning", "other"]
    assert outcome.rows.column("subskill").to_pylist()[0] == outcome.rows.column("subskill").to_pylist()[1]
    assert outcome.counts == {"reasoning": 1, "other": 1}
    assert outcome.rows.column_names[: len(rows.column_names)] == rows.column_names
    assert outcome.dropped == ()


def test_a_session_with_the_tools_of_a_coding_agent_is_coding_whatever_was_said() -> None:
    rows = batch(row("carry on please"), row("{}", by="assistant", tool="Bash"))
    assert Skill().apply(rows).rows.column("subskill").to_pylist() == ["agent", "agent"]
    assert Skill().apply(rows).rows.column("skill_p").to_pylist() == [1.0, 1.0]


def test_batches_do_not_change_what_is_found() -> None:
    entries = [row(text, conversation=f"c{n}") for n, (_, text) in enumerate(texts("held_back.txt"))]
    whole = Skill().apply(batch(*entries)).rows
    apart = [Skill().apply(batch(entry)).rows for entry in entries]
    assert whole.column("skill").to_pylist() == [part.column("skill")[0].as_py() for part in apart]
    assert whole.column("skill_p").to_pylist() == [part.column("skill_p")[0].as_py() for part in apart]
    assert Skill().apply(batch()).rows.num_rows == 0


def test_the_digest_of_the_block_names_the_model() -> None:
    assert Skill().describe()["model"].startswith("sha256:")
    assert block_digest(Skill()) == block_digest(Skill())


def test_the_command_answers_line_by_line_and_names_bad_lines() -> None:
    lines = [
        {"id": 1, "text": "Write a bash script that renames files"},
        {"id": "two", "text": "Tell me a bedtime story about a fox"},
    ]
    given = "\n".join(
        [json.dumps(lines[0]), "{not json", '{"id": 3}', '{"id": 4, "text": 5}', json.dumps(lines[1]), ""]
    )
    done = subprocess.run(
        [sys.executable, "-m", "assent", "skill", "--subskills"],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 4
    assert [(answer["id"], answer["skill"]) for answer in answers] == [(1, "coding"), ("two", "other")]
    assert all(0.25 < answer["p"] <= 1 and set(answer) == {"id", "skill", "subskill", "p"} for answer in answers)
    assert [f"line {n}: " in done.stderr for n in (1, 2, 3, 4, 5)] == [False, True, True, True, False]
    assert "not json" not in done.stderr


HELD_BACK = 0.85
