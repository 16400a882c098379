"""What is mutated exists, what is judged says why, and what survives is told from what only changes words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.areas import AREAS, REPOSITORY
from tests.mutants.judge import Judged, Mutant, became, in_words, read_judged, table

FILE = "src/assent/policy/decide.py"


def mutant(*change: str, file: str = FILE, line: int = 7) -> Mutant:
    return Mutant("assent.policy.decide.x_f__mutmut_1", file, "f", line, change)


def test_every_module_of_the_core_is_mutated_once() -> None:
    mutated = [file for area in AREAS for file in area.files(area.name)]
    assert len(mutated) == len(set(mutated))
    core = {
        str(path.relative_to(REPOSITORY))
        for folder in ("policy", "ledger")
        for path in (REPOSITORY / "src/assent" / folder).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert core - set(mutated) == set()


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_the_tests_of_an_area_exist(area: object) -> None:
    for test in (*area.tests, *area.left_out):
        path, _, name = test.partition("::")
        assert (REPOSITORY / path).exists(), test
        assert f"def {name.partition('[')[0]}(" in (REPOSITORY / path).read_text("utf-8") if name else True, test


def test_what_was_judged_says_why_and_names_lines_that_stand_there() -> None:
    judged = read_judged()
    for (file, function, change), reason in judged:
        text = " ".join((REPOSITORY / file).read_text("utf-8").split())
        assert function.rpartition(".")[2] in text, (file, function)
        for line in change:
            assert line[0] != "-" or " ".join(line[1:].split()) in text, (file, line)
        assert len(reason.split()) >= 5, (file, reason)


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ('[[equivalent]]\nfile="a"\nfunction="f"\nchange=["- x", "+ y"]\nreason=" "\n', "without a reason"),
        (2 * '[[equivalent]]\nfile="a"\nfunction="f"\nchange=["- x", "+ y"]\nreason="it is"\n', "judged twice"),
    ],
)
def test_a_survivor_is_judged_once_and_with_a_reason(tmp_path: Path, rows: str, wrong: str) -> None:
    (tmp_path / "judged.toml").write_text(rows, "utf-8")
    with pytest.raises(ValueError, match=wrong):
        read_judged(tmp_path / "judged.toml")


def test_a_mutant_keeps_its_key_when_lines_move() -> None:
    assert mutant("-    a < b", "+    a <= b").key == mutant("-        a <  b", "+  a <= b", line=70).key


@pytest.mark.parametrize(
    ("change", "worded"),
    [
        (('- raise Invalid("no such leaf")', '+ raise Invalid("XXno such leafXX")'), True),
        (('- row["part"]', '+ row["PART"]'), True),
        (('- row["part"]', '+ row["XXpartXX"]'), False),
        (('- raise Invalid("no such leaf")', "+ raise Invalid(None)"), True),
        (('- raise Invalid("no such leaf")', "+ return"), False),
        (('- f"the key of `{name}` is unknown",', "+ None,"), True),
        (('- "part",', "+ None,"), False),
        (("- at < end", "+ at <= end"), False),
        (("- eligible = True", "+ eligible = False"), False),
    ],
)
def test_sentences_and_the_case_of_letters_are_wording(change: tuple[str, ...], worded: bool) -> None:
    assert mutant(*change).worded is worded


def test_the_words_of_a_query_are_no_wording() -> None:
    change = ('- "SELECT part FROM parts"', '+ "XXSELECT part FROM partsXX"')
    assert not mutant(*change, file="src/assent/policy/compile.py").worded
    assert mutant(*change).worded


def test_only_tests_that_pass_let_a_mutant_live() -> None:
    assert [became(code) for code in (0, 1, 2, 3, 33, 5, -24, -9, 255, None)] == [
        *("survived", "killed", "killed", "killed", "no tests", "no tests", "timed out", "killed", "killed"),
        "not tried",
    ]  # fmt: skip


def test_the_table_counts_what_was_judged_apart() -> None:
    one, other = mutant("- a", "+ b"), mutant("- c", "+ d")
    rows = table([(one, "survived"), (other, "survived"), (one, "killed")], [Judged(one.key, "it is the same")])
    assert rows.splitlines()[-2:] == [
        "| `policy/decide.py` | 3 | 1 | 0 | 1 | 1 | 0 |",
        "| together | 3 | 1 | 0 | 1 | 1 | 0 |",
    ]


def test_a_survivor_is_told_with_its_place_and_its_lines() -> None:
    text = in_words(mutant("- a", "+ b"), "survived")
    assert text == f"{FILE}:7 in f (survived; assent.policy.decide.x_f__mutmut_1)\n- a\n+ b\n"
