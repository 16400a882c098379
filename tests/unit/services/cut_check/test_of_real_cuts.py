"""The checker and the cut were written apart from each other, and agree on what a cut is."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.services.cut_world import ANTHROPIC, LIBRARY, NOW, TURN, World, chat, said, world

from assent.services.cut_check.check import NO_LEDGER, check_cut
from assent.services.cut_check.evidence import Evidence
from assent.services.cut_check.export import export_evidence
from assent.services.cut_check.report import Report


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def checked(acme: World, names: tuple[str, ...] = (ANTHROPIC,)) -> Report:
    out = io.BytesIO()
    assert sum(export_evidence(acme.folder / "out", out, acme.store, None, now=NOW)) > 0
    texts = [(name, (LIBRARY / f"{name}.toml").read_text("utf-8")) for name in names]
    return check_cut(acme.folder / "out", Evidence(io.BytesIO(out.getvalue())), texts)


def test_a_cut_stands_the_check(acme: World) -> None:
    for name in ("ann", "bob", "cid"):
        acme.person(name, allows=True)
        acme.keep(chat(f"one-of-{name}", name), chat(f"two-of-{name}", name))
    acme.person("dora")
    acme.person("eve", allows=True, plan="team")
    hidden = said(2, "b", by="assistant", marks=frozenset({"hidden"}))
    thought = said(3, "c", by="assistant", marks=frozenset({"reasoning"}))
    acme.keep(chat("not", "dora"), chat("never", "eve"), chat("marked", "ann", said(1, "a"), hidden, thought))
    acme.cut()
    report = checked(acme)
    assert report.examples == []
    assert (report.rows, report.conversations, report.missing) == (14, 7, [NO_LEDGER])


def test_what_is_taken_back_afterwards_is_found(acme: World) -> None:
    for name in ("ann", "bob"):
        acme.person(name, allows=True)
        acme.keep(chat(f"one-of-{name}", name))
    acme.cut()
    acme.choose("bob", "withdraw", TURN.replace(day=25))
    report = checked(acme)
    assert report.problems.keys() == {"withdrawn", "unproven", "decision"}
    assert {problem.where.partition("#")[0] for problem in report.examples} == {"test:one-of-bob"}


def test_evidence_is_lines_of_json(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    acme.cut()
    out = io.BytesIO()
    list(export_evidence(acme.folder / "out", out, acme.store, None, now=NOW))
    head, act, conversation = map(json.loads, out.getvalue().splitlines())
    assert head["cut"]["name"] == "spring"
    assert act["ledger"] is None
    assert [part["marks"] for part in conversation["parts"]] == [[], []]
