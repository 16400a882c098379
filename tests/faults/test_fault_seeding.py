"""The tests are tested: small wrong edits of either evaluator are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.seed import FAULTS, REPOSITORY, outcomes, seeded, table

# three on each side, of different kinds: a boundary, a rule left out, an unknown taken for a yes
SAMPLE = [fault for fault in FAULTS if fault.sample]


def test_six_faults_are_noticed() -> None:
    assert sorted(fault.side for fault in SAMPLE) == ["reference"] * 3 + ["set"] * 3
    found = list(outcomes(SAMPLE))
    assert [one.problem() for one in found] == [None] * 6, table(found)


def test_every_fault_can_be_seeded(tmp_path: Path) -> None:
    """Each text stands exactly once in its file, and the edit changes something."""
    wrong = []
    for fault in FAULTS:
        text = (REPOSITORY / "src" / "assent" / fault.file).read_text(encoding="utf-8")
        if text.count(fault.old) != 1 or fault.old == fault.new:
            wrong.append(f"{fault.file}: {fault.name}: stands {text.count(fault.old)} times")
    assert not wrong, "\n".join(wrong)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    copy = seeded(FAULTS[0], REPOSITORY / "src", tmp_path)
    assert FAULTS[0].new in (copy / "assent" / FAULTS[0].file).read_text(encoding="utf-8")


def test_the_page_names_every_fault() -> None:
    page = (REPOSITORY / "docs/explanation/how-the-evaluators-are-checked.md").read_text(encoding="utf-8")
    rows = [f"| {fault.side} | `{fault.file}` | {fault.name} |" for fault in FAULTS]
    assert [row for row in rows if row not in page] == [], "write it again: python -m tests.faults.seed --table FILE"
    assert page.count("\n| reference |") + page.count("\n| set |") == len(FAULTS)


@pytest.mark.deep
def test_every_fault_is_noticed() -> None:
    found = list(outcomes(FAULTS))
    assert [one for one in found if one.problem()] == [], table(found)
