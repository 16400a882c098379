"""The checker finds nothing wrong with a cut that is right, and every kind of row that must not be in one."""

import ast
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.conformance.store.samples import sweep_all
from tests.unit.services.cut_check.planted import ALLOWED, COLUMNS, NOW, TURN, Cutter, cutter

from assent import services
from assent.domain.errors import Invalid, NotFound
from assent.services.cut_check import report as report_module
from assent.services.cut_check.check import NO_KEY, NO_LEDGER, NOT_RECORDED
from assent.services.cut_check.evidence import Evidence
from assent.services.cut_check.report import KINDS
from assent.store.records import Flag, Hold

DAY = timedelta(days=1)
Plant = Callable[[Cutter, str], None]


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Cutter]:
    with cutter(tmp_path / "home") as made:
        yield made


# -- what is right ----------------------------------------------------------------------


def test_nothing_is_wrong_with_a_cut_that_is_right(acme: Cutter) -> None:
    acme.honest(5)
    acme.write()
    report = acme.check()
    assert report.examples == []
    assert (report.rows, report.conversations, report.exit_code, report.missing) == (10, 5, 0, [])


def test_without_a_key_or_a_ledger_the_check_says_what_it_could_not_look_at(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    report = acme.check(keyed=False)
    assert (report.missing, report.exit_code) == ([NO_KEY], 4)
    head, *rest = acme.evidence()
    assert acme.check([head | {"checkpoint": None}, *rest]).missing == [NO_LEDGER]


def test_the_evidence_may_come_in_any_order(acme: Cutter) -> None:
    acme.honest(4)
    acme.write()
    head, *rest = acme.evidence()
    assert acme.check([head, *sorted(rest, key=lambda line: "conversation" in line)[::1]]).exit_code == 0
    acts = [line for line in rest if "act" in line]
    chats = [line for line in rest if "conversation" in line]
    assert acme.check([head, *acts, *reversed(chats)]).exit_code == 0


def test_evidence_holds_no_person_and_nothing_that_was_said(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    text = json.dumps(acme.evidence())
    assert "question of" not in text
    assert '"subject": "ann' not in text
    assert all("subject" not in line.get("facts", {}) for line in acme.evidence())


# -- ten violations, and more -----------------------------------------------------------


def business(acme: Cutter, bob: str) -> None:
    acme.person(bob, plan="team")
    acme.put(acme.keep(bob, bob))


def withdrawn(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.choose(bob, "withdraw", TURN + DAY)
    acme.put(acme.keep(bob, bob))


def declined(acme: Cutter, bob: str) -> None:
    acme.person(bob, allows=False)
    acme.choose(bob, "decline", ALLOWED)
    acme.put(acme.keep(bob, bob))


def erased(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob, deleted_at=TURN - 90 * DAY, at=TURN - 100 * DAY))
    sweep_all(acme.store, NOW)
    assert acme.store.conversation(f"test:{bob}") is None


def held(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    name = acme.keep(bob, bob)
    acme.store.place_hold(Hold("h", "matter", "conversation", name, TURN, "counsel", "dispute", NOW + DAY))
    acme.put(name)


def gap(acme: Cutter, bob: str) -> None:
    acme.person(bob, plan="unheard-of")
    acme.put(acme.keep(bob, bob))


def without_leaf(acme: Cutter, bob: str) -> None:
    acme.person(bob, allows=False)
    acme.choose(bob, "allow", ALLOWED, logged=False)
    acme.put(acme.keep(bob, bob))


def without_decision(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), decision=None)


def another_decision(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), decision="sha256:" + "0" * 64)


def private(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob, mode="private"))


def minor(acme: Cutter, bob: str) -> None:
    acme.person(bob, age=16)
    acme.put(acme.keep(bob, bob))


def deleted(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob, deleted_at=TURN + DAY))


def expired(acme: Cutter, bob: str) -> None:
    acme.person(bob, allows=False)
    acme.choose(bob, "allow", NOW - 3000 * DAY)
    acme.put(acme.keep(bob, bob, at=NOW - 2900 * DAY))


def unanswered(acme: Cutter, bob: str) -> None:
    acme.person(bob, allows=False)
    acme.put(acme.keep(bob, bob))


def marked(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob, marks=frozenset({"abandoned"})))


def mark_left_out(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob, marks=frozenset({"hidden"})), marks=[])


def of_another(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), receipt="allow-of-ann0")


def made_up_receipt(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), receipt="allow-of-nobody")


def twice(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    name = acme.keep(bob, bob)
    acme.put(name)
    acme.put(name)


def torn_apart(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    name = acme.keep(bob, bob)
    acme.put(name)
    acme.rows.insert(0, acme.rows.pop())


def unheard_of(acme: Cutter, bob: str) -> None:
    acme.rows.append(acme.rows[-1] | {"part": f"test:{bob}#m1", "conversation": f"test:{bob}"})


def under_another_policy(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), policy="sha256:" + "1" * 64)


def origin_changed(acme: Cutter, bob: str) -> None:
    acme.person(bob)
    acme.put(acme.keep(bob, bob), origin="tool")


PLANTED = [
    (business, "business"),
    (withdrawn, "withdrawn"),
    (declined, "declined"),
    (erased, "erased"),
    (held, "held"),
    (gap, "gap"),
    (without_leaf, "receipt"),
    (without_decision, "decision"),
    (another_decision, "decision"),
    (private, "vetoed"),
    (minor, "vetoed"),
    (deleted, "deleted"),
    (expired, "ended"),
    (unanswered, "unanswered"),
    (unanswered, "unproven"),
    (marked, "marked"),
    (mark_left_out, "marked"),
    (of_another, "unproven"),
    (made_up_receipt, "receipt"),
    (twice, "duplicate"),
    (torn_apart, "duplicate"),
    (unheard_of, "unknown"),
    (under_another_policy, "policy"),
    (origin_changed, "contradicted"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Check one cut with a row of every kind; give what each conversation is blamed for."""
    plants = dict.fromkeys(plant for plant, _ in PLANTED)
    with pytest.MonkeyPatch.context() as patch, cutter(tmp_path_factory.mktemp("planted") / "home") as made:
        patch.setattr(report_module, "SHOWN", 1_000)
        made.honest()
        for plant in plants:
            plant(made, plant.__name__)
        made.write()
        report = made.check()
    assert report.exit_code == 2
    blamed: dict[str, set[str]] = {}
    for problem in report.examples:
        blamed.setdefault(problem.where.removeprefix("test:").partition("#")[0], set()).add(problem.kind)
    return blamed


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[f"{p.__name__}-{k}" for p, k in PLANTED])
def test_a_planted_row_is_found(planted: dict[str, set[str]], plant: Plant, kind: str) -> None:
    assert kind in planted[plant.__name__]


def test_what_is_right_is_blamed_for_nothing(planted: dict[str, set[str]]) -> None:
    sums = {"counts.written", "counts.proofs", "counts.conversations", "decided_under", "evidence"}
    assert planted.keys() <= {plant.__name__ for plant, _ in PLANTED} | sums


def test_a_receipt_that_says_something_else_in_the_ledger_is_found(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    lines = acme.evidence()
    act = next(line for line in lines if "act" in line)
    act["ledger"]["record"] = act["ledger"]["record"].replace('"act":"allow"', '"act":"decline"')
    assert acme.check(lines).problems == {"receipt": 2}


def test_a_cut_whose_leaf_waits_is_said_to_be_unchecked(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    head, *rest = acme.evidence()
    assert acme.check([head | {"ledger": None}, *rest]).missing == [NOT_RECORDED]


@pytest.mark.parametrize("field", ["record", "salt"])
def test_what_the_ledger_does_not_say_of_the_cut_is_found(acme: Cutter, field: str) -> None:
    acme.honest()
    acme.write()
    head, *rest = acme.evidence()
    changed = head["ledger"] | {"record": head["ledger"]["record"] + " ", "salt": "A" * 42 + "E="}
    entry = head["ledger"] | {field: changed[field]}
    assert acme.check([head | {"ledger": entry}, *rest]).problems == {"unrecorded": 1}


def test_a_leaf_that_is_not_in_the_tree_is_found(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    lines = acme.evidence()
    next(line for line in lines if "act" in line)["ledger"]["leaf"] = 1
    assert acme.check(lines).problems == {"receipt": 2}


def test_a_checkpoint_that_nobody_signed_is_refused(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    head, *rest = acme.evidence()
    note = head["checkpoint"]
    with pytest.raises(Invalid):
        acme.check([head | {"checkpoint": note[:-6] + "AAAA=\n"}, *rest])


def test_a_changed_byte_of_a_shard_is_found(acme: Cutter) -> None:
    acme.honest()
    folder = acme.write()
    shard = folder / "data/parts-train-00001.parquet"
    content = bytearray(shard.read_bytes())
    content[60] ^= 1
    shard.write_bytes(content)
    assert acme.check(acme.evidence()).problems["tampered"] >= 1


def test_a_shard_rewritten_together_with_its_manifest_is_found(acme: Cutter) -> None:
    acme.honest()
    folder = acme.write()
    shard = folder / "data/parts-train-00001.parquet"
    rows = [row | {"text": "another text"} for row in pq.read_table(shard).to_pylist()]
    pq.write_table(pq.read_table(shard).from_pylist(rows, COLUMNS), shard)
    acme.describe()
    assert acme.check().problems == {"tampered": 1, "unrecorded": 1}


def test_a_row_that_is_counted_and_missing_is_found(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    lines = acme.evidence()
    shard = acme.folder / "cut/data/parts-train-00001.parquet"
    pq.write_table(pq.read_table(shard).slice(0, 1), shard)
    acme.describe()
    report = acme.check(lines)
    assert report.problems.keys() == {"tampered", "unrecorded", "miscounted"}


def test_a_row_that_nobody_counted_is_found(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    acme.describe(written=3)
    assert acme.check().problems.keys() == {"tampered", "unrecorded", "miscounted"}


def test_a_file_that_the_manifest_does_not_name_is_found(acme: Cutter) -> None:
    acme.honest()
    folder = acme.write()
    (folder / "data/extra.jsonl").write_text("{}\n")
    assert acme.check().problems == {"tampered": 1}


def test_a_line_of_messages_without_rows_is_found(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    messages = acme.folder / "cut/data/messages-train-00000.jsonl"
    messages.write_bytes(messages.read_bytes() + b'{"id":"test:planted","messages":[]}\n')
    acme.describe()
    assert acme.check().problems == {"tampered": 1, "unrecorded": 1, "stray": 1}


def test_what_happens_after_the_cut_is_found_by_later_evidence(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    assert acme.check(at=NOW + DAY).exit_code == 0
    acme.choose("ann1", "withdraw", NOW + DAY)
    report = acme.check(at=NOW + 2 * DAY)
    assert report.problems["withdrawn"] == 2
    assert {problem.where for problem in report.examples} == {"test:honest1#m1", "test:honest1#m2"}


def test_two_people_cannot_share_a_pseudonym(acme: Cutter) -> None:
    acme.honest()
    for row in acme.rows:
        row["person"] = "0" * 32
    acme.write()
    assert acme.check().problems == {"receipt": 2}


def test_a_flag_proves_a_row_of_a_safety_cut(acme: Cutter) -> None:
    acme.person("bob", allows=False)
    name = acme.keep("flagged", "bob")
    acme.store.add_flag(Flag("f1", name, TURN, "abuse", "detector", "reason"))
    acme.put(name, proof="flag", receipt="f1")
    folder = acme.write()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert set(acme.check().problems) == {"unanswered", "unproven"}, "it is no cut for safety"
    (folder / "manifest.json").write_text(json.dumps(manifest | {"purpose": "safety"}))
    assert acme.check().problems == {"tampered": 1, "unrecorded": 1}


# -- what cannot be read ----------------------------------------------------------------


def test_evidence_of_another_cut_or_an_earlier_time_is_refused(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    head, *rest = acme.evidence()
    with pytest.raises(Invalid, match="another cut"):
        acme.check([head | {"cut": head["cut"] | {"number": 2}}, *rest])
    with pytest.raises(Invalid, match="older than the cut"):
        acme.check(at=NOW - DAY)


def test_a_policy_that_is_not_given_is_named(acme: Cutter) -> None:
    acme.honest()
    acme.write()
    acme.texts = []
    with pytest.raises(NotFound, match="was not given"):
        acme.check()


@pytest.mark.parametrize("line", ["", "[]", "{", '{"assent_evidence": 2}', '{"assent_evidence": 1, "cut": 3}'])
def test_what_is_no_evidence_is_refused_by_its_line(line: str) -> None:
    with pytest.raises(Invalid, match="line `1`"):
        Evidence(io.BytesIO(line.encode() + b"\n"))


def test_every_kind_that_is_found_is_described(acme: Cutter) -> None:
    acme.honest()
    business(acme, "bob")
    acme.write()
    record = acme.check().to_record()
    assert record["problems"].keys() <= KINDS.keys()
    assert all(one["says"] for one in record["examples"])


def test_the_checker_shares_no_code_with_what_makes_a_cut() -> None:
    allowed = (
        "assent.domain",
        "assent.ledger",
        "assent.policy.parse",
        "assent.policy.document",
        "assent.services.cut_check",
    )
    folder = Path(services.__file__).parent / "cut_check"
    files = [path for path in folder.glob("*.py") if path.name != "export.py"]
    found = {
        node.module
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assent")
    }
    assert found
    assert [module for module in sorted(found) if not module.startswith(allowed)] == []
    assert "assent.services.cut_check.export" not in found
