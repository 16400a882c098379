"""A sweep does what its plan shows and what is still due, however often it is stopped, and leaves no byte behind."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from provider import (
    ALL,
    DAY,
    MICROSECOND,
    NEW,
    OLD,
    T0,
    VALID,
    Provider,
    Told,
    crowd,
    day,
    opened,
    part,
    policies,
    provider,
    talk,
    text_of,
)

from assent.connectors.formats.port import Source
from assent.domain.errors import NotFound, Refused
from assent.policy.parse import parse_policy
from assent.services.erase.carry_out import carry_out
from assent.services.intake import Whose, import_source
from assent.services.sweep import SweepReport, find_plan, require_done
from assent.store.records import Plan

NOW = day(50)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    """Three conversations that are due at NOW, two parts each, and one that is not."""
    with provider(tmp_path / "home") as made:
        made.person()
        made.keep(*(talk(f"old{number}") for number in range(3)), talk("young", "s1", day(45)))
        yield made


def left(acme: Provider) -> Counter[str]:
    """How many parts each conversation still has."""
    return Counter(name.partition("#")[0].removeprefix("test:") for name in acme.names())


# -- which plan -------------------------------------------------------------------------------------


def test_a_plan_is_found_by_the_beginning_of_its_digest(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    for named in (digest, digest[7:], digest[7:15], digest[:15]):
        assert find_plan(acme.store, named).digest == digest
    for named in (digest[7:14], digest[:14], "", "sha256:", "deadbeef"):
        with pytest.raises(NotFound, match="no plan"):
            find_plan(acme.store, named)


def test_a_beginning_of_two_digests_names_neither(acme: Provider) -> None:
    policy = acme.plan(NOW)
    for end in ("1", "2"):
        acme.store.save_plan(Plan("sha256:abcdef01" + end, (policy.policies[0][1],), NOW, {}, NOW), [])
    with pytest.raises(Refused, match="names 2 plans"):
        find_plan(acme.store, "abcdef01")
    assert find_plan(acme.store, "abcdef012").digest == "sha256:abcdef012"


def test_a_plan_is_found_behind_many_others(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    known = (acme.versions[0].digest,)
    for number in range(510):
        acme.store.save_plan(Plan(f"sha256:{number:064x}", known, NOW, {}, NOW + number * DAY), [])
    assert find_plan(acme.store, digest[7:19]).digest == digest


def test_an_old_plan_is_not_carried_out(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    with pytest.raises(Refused, match="older than 72 hours"):
        acme.sweep(digest, NOW + VALID + MICROSECOND)
    assert left(acme).total() == 8
    assert acme.sweep(digest, NOW + VALID).erased == 6


def test_a_plan_made_under_other_policies_is_not_carried_out(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    text = text_of(NEW).replace('use_for = "P2Y"', 'use_for = "P3Y"')
    for other in ([(parse_policy(text, "p"), text)], policies(OLD, NEW), policies(OLD)):
        acme.texts = other
        with pytest.raises(Refused, match="the policies changed"):
            acme.sweep(digest, NOW)
    assert left(acme).total() == 8
    assert acme.store.sweeps(ALL).total == 0


@pytest.mark.fault("clock that jumps")
def test_a_clock_that_stands_before_the_plan_erases_nothing(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    with pytest.raises(Refused, match="the clock stands before the plan"):
        acme.sweep(digest, NOW - MICROSECOND)
    assert left(acme).total() == 8


# -- what goes and what stays -----------------------------------------------------------------------


def test_only_what_the_plan_names_is_erased(acme: Provider) -> None:
    acme.keep(talk("soon", "s1", NOW - 30 * DAY + timedelta(hours=1)))
    digest = acme.plan(NOW).digest
    acme.keep(talk("late old one"))
    report = acme.sweep(digest, NOW + timedelta(hours=2))
    assert (report.erased, report.kept, report.gone, report.finished, report.plan) == (6, 0, 0, True, digest)
    assert left(acme) == {"young": 2, "soon": 2, "late old one": 2}
    assert acme.plan(NOW + timedelta(hours=2)).due == 4


HAPPENINGS = ["hold person", "hold conversation", "hold everyone", "allow", "flag", "turn", "feedback"]


@pytest.mark.parametrize("what", HAPPENINGS)
def test_what_happens_between_plan_and_sweep_counts(acme: Provider, what: str) -> None:
    if what == "allow":  # as it may reach the store late: given long ago, told only now
        acme.keep(talk("fresh", "s2"))
        acme.person("s2")
    digest = acme.plan(NOW).digest
    now = NOW + timedelta(hours=1)
    if what.startswith("hold"):
        acme.hold("h", {"hold person": "s1", "hold conversation": "test:old1"}.get(what), now)
    elif what == "allow":
        acme.choose("allow", T0 - DAY, "s2")
    elif what == "flag":
        acme.flag("test:old1", now)
    elif what == "turn":
        longer = talk("old1", "s1", now, part("q"), part("a", speaker="assistant"), part("more", at=now))
        import_source(Told(longer), Source(Path("x")), acme.store, Whose(), now=now, batch=9)
    else:
        acme.keep(talk("old1", feedback_at=now), at=now)
    report = acme.sweep(digest, now)
    stays = {
        "hold person": {"old0": 2, "old1": 2, "old2": 2},
        "hold everyone": {"old0": 2, "old1": 2, "old2": 2},
        "allow": {"fresh": 2},
        "turn": {"old1": 3},
    }.get(what, {"old1": 2})
    assert left(acme) == {**stays, "young": 2}
    assert report.kept == 2 if what == "turn" else report.kept == sum(stays.values())
    assert {stone.conversation for stone in acme.stones()}.isdisjoint(f"test:{name}" for name in stays)
    kept = [p.key for name in stays for p in acme.store.conversation(f"test:{name}").parts]
    assert len(acme.store.content_of(kept)) == sum(stays.values())


def test_what_was_held_goes_after_the_release(acme: Provider) -> None:
    acme.hold("h", "s1", day(20))
    assert acme.plan(NOW).due == 0
    acme.store.release_hold("h", at=NOW, by="desk")
    assert acme.sweep(acme.plan(NOW).digest, NOW).erased == 6


def test_each_part_leaves_one_tombstone_without_content(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        parts = [
            part("q", "MARKER-text", name="MARKER-file.txt", data="file"),
            part("t", "MARKER-result", speaker="tool", origin="tool", name="MARKER-tool"),
        ]
        made.keep(talk("a", "s1", T0, *parts, title="MARKER-title", project="MARKER-project"))
        report = made.plan(NOW)
        swept = made.sweep(report.digest, NOW)
        stones = made.stones()
        assert [(s.conversation, s.part, s.subject, s.rule, s.erase_by, s.erased_at, s.sweep) for s in stones] == [
            ("test:a", name, "s1", "base", day(30), NOW, swept.sweep) for name in ("q", "t")
        ]
        assert not any("MARKER" in str(getattr(stone, field.name)) for stone in stones for field in fields(stone))
        assert {stone.policy for stone in stones} == {made.versions[0].digest}


def test_no_file_of_the_home_holds_a_byte_of_what_was_erased(tmp_path: Path) -> None:
    with provider(tmp_path / "home") as made:
        made.person()
        long = "MARKER-erased " * 5_000
        for number in range(30):
            parts = (part("q", long), part("a", f"MARKER-erased {number}", speaker="assistant"))
            made.keep(
                talk(f"old{number}", "s1", T0, *parts, title="MARKER-erased title", project="MARKER-erased project")
            )
        made.keep(talk("young", "s1", day(45), part("q", "MARKER-kept " * 500, at=day(45))))
        assert b"MARKER-erased" in everything(tmp_path)
        report = made.sweep(made.plan(NOW).digest, NOW)
        assert report.erased == 60
        assert report.carried.copies == {name: {"removed": 2} for name in ("cuts", "database", "segments")}
        assert b"MARKER-erased" not in everything(tmp_path)
        young = made.store.conversation("test:young").parts[0].key
        assert made.store.content_of([young]) == {young: "MARKER-kept " * 500}


def everything(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_reader_that_keeps_the_log_open_is_reported_and_cleared_later(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    impatient = Provider(acme.folder, opened(acme.folder, busy_timeout_s=0.05))
    with acme.store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM part").scalar() == 8
        report = impatient.sweep(digest, NOW)
        assert (report.erased, report.carried.copies["database"]) == (6, {"pending maintenance": 1})
        require_done(report.carried)
    assert carry_out(impatient.store, impatient.world, now=NOW + DAY).copies == {"database": {"removed": 1}}
    impatient.store.close()


def test_progress_is_told_of_every_part(acme: Provider) -> None:
    told: list[int] = []
    acme.sweep(acme.plan(NOW).digest, NOW, batch_rows=4, on_rows=told.append)
    assert told == [4, 2]


# -- stopping and going on --------------------------------------------------------------------------


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    pass


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_sweep_that_was_stopped_goes_on_where_it_ended(acme: Provider, batches: int) -> None:
    digest = acme.plan(NOW).digest
    told: list[int] = []

    def stop(rows: int) -> None:
        told.append(rows)
        if len(told) == batches:
            raise Stopped

    with pytest.raises(Stopped):
        acme.sweep(digest, NOW, batch_rows=2, on_rows=stop)
    assert acme.store.counts().sweeps_unfinished == 1
    acme.hold("h", "test:old2", NOW)
    report = acme.sweep(digest, NOW + DAY, batch_rows=2)
    expected = 6 if batches == 3 else 4
    assert (report.sweep, report.erased, report.kept) == (1, expected, 6 - expected)
    assert (acme.store.counts().sweeps_unfinished, acme.store.sweeps(ALL).total) == (0, 1)
    assert set(Counter((stone.conversation, stone.part) for stone in acme.stones()).values()) == {1}
    assert len(acme.stones()) == expected


def test_a_second_sweep_of_one_plan_finds_everything_gone(acme: Provider) -> None:
    digest = acme.plan(NOW).digest
    acme.hold("h", "test:old2", NOW)
    first, second = acme.sweep(digest, NOW), acme.sweep(digest, NOW)
    assert (first.erased, first.kept, first.gone) == (4, 2, 0)
    assert (second.erased, second.kept, second.gone) == (0, 2, 4)
    assert first.sweep != second.sweep
    acme.store.release_hold("h", at=NOW, by="desk")
    assert acme.sweep(digest, NOW).erased == 2
    assert len(acme.stones()) == 6


@pytest.mark.fault("two sweeps at once")
def test_two_sweeps_of_one_plan_at_once_erase_each_part_once(acme: Provider, tmp_path: Path) -> None:
    digest = acme.plan(NOW).digest
    other = Provider(acme.folder, opened(acme.folder))
    reports: list[SweepReport] = []

    def between(_rows: int) -> None:
        if not reports:
            reports.append(other.sweep(digest, NOW, batch_rows=3))

    try:
        acme.sweep(digest, NOW, batch_rows=2, on_rows=between)
    except Refused as refused:  # the other one has finished it
        assert "is finished" in refused.message  # noqa: PT017
    finally:
        other.store.close()
    assert reports[0].erased == 6
    assert left(acme) == {"young": 2}
    assert set(Counter((stone.conversation, stone.part) for stone in acme.stones()).values()) == {1}


CHILD = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
sys.path.append(str(Path.cwd().parents[2]))
from provider import Provider, opened
folder, digest, now = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
made = Provider(folder, opened(folder))
made.sweep(digest, now, batch_rows=1, on_rows=lambda _rows: print("batch", flush=True))
print("done", flush=True)
"""


@pytest.mark.fault("killed sweep")
@pytest.mark.parametrize("batches", [1, 7])
def test_a_sweep_that_was_killed_goes_on_where_it_ended(tmp_path: Path, batches: int) -> None:
    home = tmp_path / "home"
    with provider(home) as made:
        made.person()
        made.keep(*(talk(f"c{number}", "s1", T0, title="MARKER-erased") for number in range(100)))
        digest = made.plan(NOW).digest
    command = [sys.executable, "-c", CHILD, str(home), digest, NOW.isoformat()]
    here = Path(__file__).parent
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) as child:
        for _ in range(batches):
            assert child.stdout.readline() == "batch\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    store = opened(home)
    try:
        made = Provider(home, store)
        before = len(made.stones())
        assert batches <= before < 200
        assert before + store.counts().parts == 200
        report = made.sweep(digest, NOW + timedelta(hours=1))
        assert (report.sweep, report.erased, report.kept, report.carried.open) == (1, 200, 0, False)
        assert len({(stone.conversation, stone.part) for stone in made.stones()}) == len(made.stones()) == 200
        assert b"MARKER-erased" not in everything(home)
    finally:
        store.close()


def test_a_crowd_is_swept_to_the_last_part_and_stays_so(tmp_path: Path) -> None:
    """After a sweep nothing is due, by the reference and by the next plan."""
    now = datetime.fromisoformat("2026-03-01T07:30:00+00:00")
    with provider(tmp_path / "home", OLD, NEW) as made:
        crowd(made, now, people=80, seed=5)
        due = {name for name, decision in made.decided(now).items() if decision.due()}
        names = made.names()
        report = made.sweep(made.plan(now).digest, now, batch_rows=40)
        assert (report.erased, report.kept) == (len(due), 0)
        assert made.names() == names - due
        assert {f"{stone.conversation}#{stone.part}" for stone in made.stones()} == due
        assert made.plan(now).due == 0
        assert not any(decision.due() for decision in made.decided(now).values())
