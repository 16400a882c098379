"""The journal: what is written stays, in order, and nobody changes it unseen."""

import json
import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assent.domain.errors import Refused
from assent.services.erase.journal import Entry, Journal, Mark, hold_entry, hold_of
from assent.store.records import Hold

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(number: int, at: datetime = DAY) -> Entry:
    return Entry("erasure", at, {"id": number})


def ids(journal: Journal, after: int = 0) -> list[int]:
    return [found.body["id"] for found in journal.read(after)]


def test_entries_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append([entry(1), entry(2)])
    journal.append([entry(3, DAY + timedelta(days=1)), entry(4, DAY)])  # a clock that went back
    assert ids(journal) == [1, 2, 3, 4]
    assert ids(journal, after=2) == [3, 4]
    assert [found.body["id"] for found in journal.read(since=date(2026, 3, 2))] == [3, 4]
    assert journal.days() == ["2026-03-01.jsonl", "2026-03-02.jsonl"]


def test_the_mark_of_the_last_entry_is_the_same_for_whoever_opens_it(tmp_path: Path) -> None:
    written = Journal(tmp_path).append([entry(1), entry(2)])
    assert written.number == 2
    assert Journal(tmp_path).mark() == written
    assert [found.mark for found in Journal(tmp_path).read()][-1] == written


def test_a_journal_that_was_never_written_is_at_its_beginning(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none")
    assert journal.mark() == Mark()
    assert list(journal.read()) == []


def test_nobody_else_on_the_machine_reads_it(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").append([entry(1)])
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    assert (tmp_path / "journal/2026-03-01.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=1)], ids=["the same day", "the next day"])
@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_line_that_a_crash_cut_short_was_never_there(tmp_path: Path, cut: int, later: timedelta) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1), entry(2)])
    path = tmp_path / "2026-03-01.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert ids(Journal(tmp_path)) == [1]
    Journal(tmp_path).append([entry(3, DAY + later)])
    assert ids(Journal(tmp_path)) == [1, 3]


def test_a_first_line_of_a_day_that_a_crash_cut_short_was_never_there(tmp_path: Path) -> None:
    Journal(tmp_path).append([entry(1), entry(2, DAY + timedelta(days=1))])
    path = tmp_path / "2026-03-02.jsonl"
    path.write_bytes(path.read_bytes()[:30])
    assert ids(Journal(tmp_path)) == [1]
    assert Journal(tmp_path).append([entry(3)]).number == 2
    assert ids(Journal(tmp_path)) == [1, 3]


def test_a_long_line_is_found_from_the_end(tmp_path: Path) -> None:
    Journal(tmp_path).append([Entry("erasure", DAY, {"id": 1, "stones": ["x" * 300_000]})])
    assert Journal(tmp_path).append([entry(2)]).number == 2
    assert ids(Journal(tmp_path)) == [1, 2]


def change(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"id":1', b'"id":9'), *lines[1:]]


def take_out(lines: list[bytes]) -> list[bytes]:
    return [lines[0], *lines[2:]]


def swap(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1]]


def garble(lines: list[bytes]) -> list[bytes]:
    return [lines[0], b"{}\n", lines[2]]


@pytest.mark.parametrize("harm", [change, take_out, swap, garble])
def test_nothing_is_changed_or_taken_out_unseen(tmp_path: Path, harm: object) -> None:
    Journal(tmp_path).append([entry(1), entry(2), entry(3)])
    path = tmp_path / "2026-03-01.jsonl"
    path.write_bytes(b"".join(harm(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(Refused, match="journal"):
        list(Journal(tmp_path).read())


def test_old_days_go_and_the_chain_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1), entry(2, DAY + timedelta(days=1)), entry(3, DAY + timedelta(days=2))])
    assert journal.drop_before(date(2026, 3, 3)) == ["2026-03-01.jsonl", "2026-03-02.jsonl"]
    assert journal.drop_before(date(2027, 1, 1)) == []  # the last one stays
    assert journal.append([entry(4)]).number == 4
    assert ids(journal) == [3, 4]


def test_a_hold_comes_back_whole(tmp_path: Path) -> None:
    hold = Hold("h1", "case 7", "person", "p1", DAY, "legal desk", "order", DAY + timedelta(days=90))
    Journal(tmp_path).append([hold_entry(hold, at=DAY)])
    (found,) = Journal(tmp_path).read()
    assert found.kind == "hold placed"
    assert hold_of(found) == hold


def test_a_hold_that_says_more_than_this_assent_knows_is_refused() -> None:
    with pytest.raises(Refused, match="moon"):
        hold_of(Entry("hold placed", DAY, {"id": "h1", "moon": "full"}))


def write_ten(folder: str, first: int) -> None:
    journal = Journal(Path(folder))
    for number in range(first, first + 10):
        journal.append([entry(number)])


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=write_ten, args=(str(tmp_path), first)) for first in (0, 10)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sorted(ids(Journal(tmp_path))) == list(range(20))


@pytest.mark.fault("disk that refuses the journal")
def test_what_the_disk_refused_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            journal.append([entry(2)])
    journal.append([entry(3)])
    assert ids(journal) == [1, 3]
    lines = (tmp_path / "2026-03-01.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2]
