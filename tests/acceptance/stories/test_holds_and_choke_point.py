"""Failures of other systems that erased what was held, forgot what a hold had put off, or deleted by a side door."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, event, update
from sqlalchemy.exc import IntegrityError
from tests.acceptance.stories.swept import LEAD, Swept, both
from tests.conformance.store.samples import DAY, SALT, T0, day, hold, part, policy, talk

from assent.domain.errors import AssentError, Invalid, Refused
from assent.policy.versions import decide_versions, governing
from assent.services.access import read_for
from assent.services.erase.redecide import redecide
from assent.services.hold.place import place
from assent.services.hold.release import approve_release, ask_release
from assent.services.sweep import find_plan
from assent.store import schema
from assent.store.answers import answers
from assent.store.records import Account, DueBatch, FactColumnsBatch, Lease, StagedReceipt

EVERYBODY = hold("h", None, day(31))
SOURCE = Path(__file__).parents[3] / "src" / "assent"


@both
def test_f12_a_sweep_under_way_stops_at_a_hold_that_was_acknowledged(swept: Swept) -> None:
    """Google Chat: messages went on being deleted after 24 hours although a hold had been ordered."""
    swept.takes(*(f"c{n}" for n in range(6)))
    names = [f"c{n}" for n in range(6)]
    seen: list[list[str]] = []

    def order_comes(_rows: int) -> None:
        if len(seen) == 1:
            place(swept.store, swept.journal, EVERYBODY)
        seen.append(swept.kept(*names))

    report = swept.sweep(day(31), on_rows=order_comes, batch_rows=4)
    assert (report.erased, report.kept) == (8, 4)
    for at in (day(32), day(4000)):
        assert swept.sweep(at).erased == 0
    assert swept.kept(*names) == ["c4", "c5"] == seen[1]


@both
def test_f13_one_order_stops_erasing_for_everybody_at_once_and_is_seen(swept: Swept) -> None:
    """OpenAI: by order of a court nothing of anybody might be erased, and people heard of it three weeks later."""
    said: list[str] = []
    event.listen(swept.store._database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))

    def cost(act: Callable[[], object]) -> int:
        said.clear()
        act()
        return len(said)

    swept.takes("c0")
    first = cost(lambda: swept.store.place_hold(hold("h0", None, T0, gag=True)))
    swept.takes(*(talk(f"c{n}", subject=f"s{n}") for n in range(1, 120)))
    assert swept.plan(day(31)).due == 0  # what a hold that nobody may know of keeps is kept like the rest
    swept.store.release_hold("h0", at=day(31), by="counsel")
    assert swept.plan(day(31)).due == 240
    assert cost(lambda: swept.store.place_hold(EVERYBODY)) <= first  # 120 conversations cost as much as one
    assert swept.plan(day(31)).due == 0
    assert [(one.hold.id, one.conversations) for one in swept.store.holds_on("s7")] == [("h", 1)]
    assert [one.hold.id for one in swept.store.holds_on("somebody who comes later")] == ["h"]
    # set apart: the use of it is over, and only who acts for the court reads it
    who = {"by": "counsel", "reason": "disclosure", "now": day(40)}
    for purpose in ("service", "training", "safety"):
        with pytest.raises(Refused, match="may be read"):
            read_for(swept.store, [policy()], "test:c7", purpose=purpose, **who)
    assert len(read_for(swept.store, [policy()], "test:c7", purpose="legal", **who).parts) == 2


ODD = {
    "no dates": talk("o1", [part("a", at=None)], created_at=None, last_turn_at=None),
    "only the conversation has one": talk("o2", [part("a", at=None)], last_turn_at=None),
    "before computers": talk("o3", at=datetime.fromisoformat("1900-01-01T00:00:00+00:00")),
    "a clock that ran ahead": talk("o4", at=day(900)),
    "another time zone": talk("o5", at=T0.astimezone(datetime.strptime("+0530", "%z").tzinfo)),
    "nobody": talk("o6", subject=None),
    "somebody unknown": talk("o7", subject="who"),
    "a strange mode": talk("o8", mode="hologram"),
    "strange data": talk("o9", [part("a", data="hologram", origin="hologram", speaker="hologram")]),
    "no parts": talk("o10", [part("a", "")]),
}


def test_f24_everything_has_an_end_or_says_what_is_missing(swept: Swept) -> None:
    """MongoDB: a field of a wrong type, or missing, or of local time, and the row was kept for ever."""
    swept.store.put_accounts([Account("s1"), Account("strange", plan="hologram", age=None)])
    swept.takes(*ODD.values(), talk("o11", subject="strange"))
    swept.store.intake([talk("o12", subject="who")], plan="hologram", recorded_at=T0)
    endless = set()
    for name in (f"test:o{number}" for number in range(1, 13)):
        for facts in swept.store.facts_of(name):
            decision = decide_versions(facts, governing([policy()], facts, T0), T0)
            if decision.erase_by is None:
                assert decision.gap
                assert decision.reasons[-1].text.startswith("until that is known, the bytes are kept as if")
                endless.add(name)
    # those without a date, and one whose plan nobody knows: nothing was made up for them
    assert endless == {"test:o1", "test:o2", "test:o12"}
    # nothing that the index does not nominate, nothing that the two evaluators see differently
    assert swept.reconcile(T0).keys() == {"overdue"}
    with answers(swept.store, swept.columns, [policy()], T0) as found:
        assert {one.label: one.parts for one in found.standing()}["kept without an end"] == 4
        assert {one.label: one.parts for one in found.gaps()}["last_turn_at"] == 2
    for name in endless:
        swept.store.request_deletion(name, day(900))
    last = day(900) + 31 * DAY
    assert swept.sweep(last).erased == swept.store.counts().tombstones
    # of that plan nobody can tell whether a contract forbids what its person asks for: it is named, and counted
    with answers(swept.store, swept.columns, [policy()], last) as found:
        assert {one.label: one.parts for one in found.gaps()}["plan"] == swept.store.counts().parts == 2


@both
def test_f24_the_database_takes_no_row_without_what_decides_it(swept: Swept) -> None:
    """MongoDB: a field of a wrong type, or missing, or of local time, and the row was kept for ever."""
    with pytest.raises(Invalid, match="no zone"):
        swept.takes(talk("local", at=T0.replace(tzinfo=None)))
    swept.takes("one")
    for table, column in (
        (schema.part, "recorded_at"),
        (schema.part, "retention_class"),
        (schema.plan_item, "erase_by"),
    ):
        with pytest.raises((AssentError, IntegrityError)), swept.store._database.writing() as connection:
            _put_null(connection, table, column)
    assert swept.kept("one") == ["one"]


def _put_null(connection: Connection, table: Table, column: str) -> None:
    connection.execute(update(table).values({column: None}))
    if not connection.execute(table.select()).all():
        row = {"plan": "p", "part": 1, "rule": "r", column: None}
        connection.execute(table.insert().values(row))


@both
def test_f32_what_a_dead_sweep_left_is_found_by_asking(swept: Swept) -> None:
    """Procrastinate: jobs of killed workers were `doing` for ever, and so was the job that looked after them."""
    swept.takes(*(f"c{n}" for n in range(3)))
    digest = swept.plan(day(31)).digest
    lease = swept.store.take_lease("sweep", "dead", day(31), day(31) + timedelta(minutes=5))
    run = swept.store.begin_sweep(digest, day(31))
    first = swept.store.plan_keys(digest, 0, 2)
    _intend(swept, run.id, first, day(31), lease)
    # here it was killed: a sweep that is under way, a lease, an intent whose keys are there
    swept.store.close()
    swept.store = swept.again()
    assert swept.store.take_lease("sweep", "next", day(31), day(32)) is None
    now = day(31) + timedelta(minutes=6)
    assert swept.store.take_lease("sweep", "next", now, day(32)).fence > lease.fence
    assert swept.plan(now).due == 4  # the rest is due by what is kept, not by what somebody was doing
    report = swept.sweep(now)
    assert (report.erased, report.carried.finished, swept.store.counts().parts) == (4, 2, 0)
    assert swept.store.sweep(run.id).finished_at is None  # that row may stay as it is: nobody asks it
    assert (swept.reconcile(now), swept.segments()) == ({}, [])
    with pytest.raises(Refused, match="lease"):  # and who was only thought dead does nothing any more
        _intend(swept, run.id, swept.store.plan_keys(digest, first[-1], 9), now, lease)


def _intend(swept: Swept, sweep: int, keys: list[int], at: datetime, lease: Lease | None = None) -> object:
    decide = redecide(swept.columns, [policy()], at, LEAD)
    return swept.store.intend(sweep, decide, keys, at=at, salt=SALT, lease=lease)


@both
def test_f33_a_deletion_that_a_hold_put_off_is_not_forgotten(swept: Swept) -> None:
    """OpenTranscribe: the purge never asked for holds, and what a hold put off was forgotten after its release."""
    swept.takes(talk("asked", at=day(10)), talk("later", at=day(10)))
    swept.store.request_deletion("test:asked", day(11))
    place(swept.store, swept.journal, hold("h", "test:asked", day(12)))
    assert swept.sweep(day(45)).erased == 2
    assert swept.kept("asked", "later") == ["asked"]
    ask_release(swept.store, request="r", hold="h", by="ann", reason="settled", now=day(200), valid=DAY)
    assert swept.sweep(day(200)).erased == 0  # to ask is not to release
    approve_release(swept.store, swept.journal, "r", by="ben", now=day(200))
    assert swept.reconcile(day(200)).get("overdue") == 2  # and it counts as late until that is done
    assert swept.sweep(day(200)).erased == 2
    assert (swept.kept("asked"), swept.segments()) == ([], [])


@both
def test_f36_a_hold_that_comes_between_is_told_the_truth(swept: Swept) -> None:
    """OpsKnight: holds were read once and many passes followed, and data went that was held by then."""
    swept.takes(*(f"c{n}" for n in range(4)))
    digest = swept.plan(day(31)).digest
    run = swept.store.begin_sweep(digest, day(31))
    decide, other = redecide(swept.columns, [policy()], day(31), LEAD), swept.again()
    placed: list[int] = []

    def placing() -> None:
        other.place_hold(EVERYBODY)
        placed.append(other.coverage("h").conversations)

    placer = threading.Thread(target=placing)

    def slowly(batch: FactColumnsBatch) -> DueBatch:
        due = decide(batch)
        placer.start()
        placer.join(0.3)  # decided, and nothing deleted yet: this is when other systems lost it
        assert placed == []
        return due

    keys = swept.store.plan_keys(digest, 0, 100)
    assert swept.store.intend(run.id, slowly, keys[:4], at=day(31), salt=SALT).erased == 4
    placer.join(60)
    assert placed == [2]  # it was acknowledged after the erasure, for what there was then
    assert swept.store.intend(run.id, decide, keys[4:], at=day(31), salt=SALT).erased == 0
    swept.redo(day(31))
    assert swept.kept(*(f"c{n}" for n in range(4))) == ["c2", "c3"]


def test_f36_no_receipt_before_every_step_is_done(swept: Swept) -> None:
    """Tale: the receipt said that everything was gone, after half of the steps."""
    swept.takes("old")
    found = find_plan(swept.store, swept.plan(day(31)).digest)
    run = swept.store.begin_sweep(found.digest, day(31))
    _intend(swept, run.id, swept.store.plan_keys(found.digest, 0, 9), day(31))
    early = StagedReceipt("{}", bytes(32), bytes(32))
    leaves = swept.store.staged()
    for step, why in (
        (lambda: swept.store.keys_destroyed(1, day(31)), "may still be there"),
        (None, "has not answered"),
    ):
        with pytest.raises(Refused, match=why):
            swept.store.finish(1, early, day(31))
        if step is not None:
            step()
    assert (swept.store.erasure(1).receipt, swept.store.staged()) == (None, leaves)


# -- the choke point ------------------------------------------------------------------------

WRITTEN = re.compile(
    r"\b(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|DROP\s+TABLE(?:\s+IF\s+EXISTS)?)\s+([\w.]+|$)", re.IGNORECASE
)
GONE = frozenset({"destroy", "remove", "remove_segment", "empty", "rewrite"})
"""Methods that take keys, segments or all rows of a table away."""

WORDS = re.compile(rf"\b(?:delete|drop|truncate|{'|'.join(GONE)})\b", re.IGNORECASE)
"""What a module must say for `taken_away` to find anything; most say nothing of it."""

ALLOWED = {
    # what people said: one place decides and deletes, others move or carry out what it decided
    "store/sql/sweeps.py": {"content", "sealed", "part", "flag", "candidate", "conversation"},
    "store/sql/sealing.py": {"sealed"},  # a text that was sealed anew: its old slot is handed to an erasure
    "store/sql/adopting.py": {".empty", ".rewrite"},  # the table that holds nothing any more
    "services/erase/carry_out.py": {".destroy"},  # the keys of an intent
    "services/erase/reclaim.py": {".remove_segment"},  # bytes that no row refers to
    "services/reconcile/run.py": {".destroy"},  # keys that no row and no erasure names
    "services/backup/restore.py": {".remove"},  # a segment that came only in part, put again at once
    "services/backup/prune.py": {".remove"},  # segments of backups that no backup names
    # how that is done
    "vault/vault.py": {".destroy", ".remove"},
    "vault/slots.py": {".destroy"},
    "vault/device.py": {".destroy"},
    "vault/hardware.py": {".destroy"},
    "store/sqlite/database.py": {"?", "temp."},  # `empty`, and tables of a connection
    "store/postgres/database.py": {"?"},  # `empty`
    "store/columns.py": {"?"},  # tables in memory
    # what another system keeps, as an erasure orders it there, and what a connector remembers of that
    "connectors/coding_agents/rewriting.py": {"?"},
    "connectors/files/product.py": {".remove", ".rewrite"},
    "connectors/lake/delta.py": {"leaf"},
    "connectors/lake/iceberg.py": {"leaf"},
    "connectors/librechat/product.py": {".rewrite"},
    "connectors/librechat/vectors.py": {"?"},
    "connectors/open_webui/erasing.py": {".empty", "?", "tag"},
    "connectors/open_webui/watching.py": {"seen"},
    "connectors/phoenix/derived.py": {"experiment_logs"},
    "connectors/sql/watching.py": {"seen"},
    # nothing that anybody said
    "store/sql/access.py": {"answered"},  # answers to requests that may come twice
    "store/sql/flags.py": {"finding", "flag_review"},  # scores, which have a clock of their own
    "store/sql/resting.py": {"resting"},  # the mark of a person whose parts are looked at again
    "store/sql/requests.py": {"directory_entry", "directory_handle"},  # who leaves an organisation's directory
    "store/sql/guards.py": {"safeguard"},  # the guards' limits of before
    "store/sql/kept.py": {"import_note"},  # notes of an import that is said again
    "store/sql/sessions.py": {"session", "spent", "staff", "figure"},  # who is signed in, works here; kept figures
    "interfaces/web/centre/download.py": {".remove"},  # a copy that a person ordered, sealed in a folder of its own
    "interfaces/cli/connector.py": {".remove"},  # a connector's file
    "interfaces/charts/drawing.py": {".remove"},  # a piece of a picture
    "services/demo/chance.py": {".remove"},  # a list
    "interfaces/cli/demo.py": {".remove"},  # a list
}
"""Where something is taken away: tables, `?` for one that the code names by a variable, and methods with a dot."""


def taken_away(source: str) -> Iterator[str]:
    """Name every table that a module deletes from or drops, and every method of `GONE` that it calls."""
    tree = ast.parse(source)
    tables = {name: found.name for name, found in vars(schema).items() if isinstance(found, Table)}
    deletes = {"delete"}
    for node in ast.walk(tree):
        for one in node.names if isinstance(node, ast.ImportFrom) else ():
            if one.name in tables:
                tables[one.asname or one.name] = tables[one.name]
            if one.name == "delete":
                deletes.add(one.asname or one.name)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield from (name or "?" for name in WRITTEN.findall(node.value))
        if isinstance(node, ast.Call):
            yield from _by_call(node, tables, deletes)


def _by_call(call: ast.Call, tables: dict[str, str], deletes: set[str]) -> Iterator[str]:
    if isinstance(call.func, ast.Name):
        if call.func.id in deletes:
            yield _table(call.args[0], tables)
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "delete":
        # `part.delete()`, or `sqlalchemy.delete(part)`; neither is `routes.delete("/v1/part")`
        yield from {_table(said, tables) for said in (call.func.value, *call.args)} - {"?"}
    elif isinstance(call.func, ast.Attribute) and call.func.attr in GONE:
        # `np.empty` makes an array
        if getattr(call.func.value, "id", "") == "np":
            return
        yield f".{call.func.attr}"


def _table(said: ast.expr, tables: dict[str, str]) -> str:
    name = said.id if isinstance(said, ast.Name) else getattr(said, "attr", "")
    return tables.get(name, "?")


def test_f34_nothing_is_taken_away_but_at_the_choke_point() -> None:
    """OpenRegister: a job deleted with a privilege that went past the gate, and asked for no hold."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        name, source = path.relative_to(SOURCE).as_posix(), path.read_text("utf-8")
        if name.startswith("store/migrations/versions/") or not WORDS.search(source):
            continue
        if taken := set(taken_away(source)):
            found[name] = taken
    assert found == ALLOWED


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ("from sqlalchemy import delete\nconnection.execute(delete(part).where(True))", {"part"}),
        ("from assent.store.schema import conversation as talks\nrun(delete(talks))", {"conversation"}),
        ("from sqlalchemy import delete as wipe\nrun(wipe(schema.tombstone))", {"tombstone"}),
        ("import sqlalchemy\nrun(sqlalchemy.delete(sealed))", {"sealed"}),
        ("run(schema.flag.delete())", {"flag"}),
        ("def go(table): run(delete(table))", {"?"}),
        ("run(text('delete  from part where key = 1'))", {"part"}),
        ("run(f'TRUNCATE {table}')", {"?"}),
        ("self._world.contents.destroy(slots)", {".destroy"}),
        ("segments.remove(name)\nvault.remove_segment(name)", {".remove", ".remove_segment"}),
        ('def go():\n    """Say DELETE FROM part."""\n    routes.delete("/v1/part")', set()),
    ],
)
def test_f34_the_look_for_side_doors_finds_them(source: str, taken: set[str]) -> None:
    """OpenRegister: a job deleted with a privilege that went past the gate, and asked for no hold."""
    assert set(taken_away(source)) == taken
