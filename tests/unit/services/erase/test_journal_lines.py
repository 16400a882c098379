"""The lines of the journal: how each is spelled, where it lies, and the words for one that is not what it was."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from assent.domain.errors import AssentError, Refused
from assent.services.erase.journal import (
    BEGIN,
    Entry,
    Journal,
    Mark,
    erasure_entry,
    erasure_of,
    hold_entry,
    hold_of,
    stones_of,
)
from assent.store.records import Erasure, Hold, Stone, Tombstone

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALTERED = "somebody or the disk changed it: take the copy from the newest backup, and find out who"
ERASURE = Erasure(
    7, "swept", 3, AT, bytes(32), sha256(b"root").digest(), sha256(b"slots").digest(), sha256(b"chain").digest(), 3,
    bytes(range(32)),
)  # fmt: skip
POLICIES = ("sha256:" + "0" * 64, "sha256:" + "1" * 64)
STONES = [
    Tombstone(7, number, f"m{number}", "chat:a", "ann", AT, AT - number * DAY, rule, policy, 3)
    for number, (rule, policy) in enumerate([("base", POLICIES[0]), ("deleted", POLICIES[0]), ("base", POLICIES[1])])
]
HOLD = Hold("h1", "case 7", "person", "p1", AT, "legal desk", "order", AT + 90 * DAY)


def entry(number: int, at: datetime = AT) -> Entry:
    return Entry("erasure", at, {"id": number})


def ids(journal: Journal, after: int = 0, since: date | None = None) -> list[int]:
    return [found.body["id"] for found in journal.read(after, since=since)]


def lines_in(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


# -- what a line says -------------------------------------------------------------------------------


def test_a_line_is_canonical_json_that_names_the_one_before(tmp_path: Path) -> None:
    mark = Journal(tmp_path).append([entry(1), Entry("backup", AT + DAY, {"name": "é"})])
    (first,) = lines_in(tmp_path / "2026-03-01.jsonl")
    (second,) = lines_in(tmp_path / "2026-03-02.jsonl")
    chain = sha256(first.rstrip(b"\n")).hexdigest()
    assert first.decode() == (
        f'{{"at":"2026-03-01T12:00:00Z","body":{{"id":1}},"kind":"erasure","number":1,"previous":"{"0" * 64}"}}\n'
    )
    assert second.decode() == (
        f'{{"at":"2026-03-02T12:00:00Z","body":{{"name":"é"}},"kind":"backup","number":2,"previous":"{chain}"}}\n'
    )
    assert mark == Mark(2, sha256(second.rstrip(b"\n")).hexdigest())
    found = list(Journal(tmp_path).read())
    assert [(one.kind, one.at, one.body) for one in found] == [
        ("erasure", AT, {"id": 1}),
        ("backup", AT + DAY, {"name": "é"}),
    ]
    assert [one.mark for one in found] == [Mark(1, chain), mark]
    assert Mark() == Mark(0, BEGIN)


def test_an_erasure_is_written_down_whole_and_read_back_as_before_its_keys_went() -> None:
    written = erasure_entry(replace(ERASURE, keys_destroyed_at=AT), STONES, (4, 5, 9))
    assert (written.kind, written.at, written.mark) == ("erasure", AT, Mark())
    assert written.body == {
        "id": 7,
        "kind": "swept",
        "previous": "00" * 32,
        "root": sha256(b"root").hexdigest(),
        "slots_digest": sha256(b"slots").hexdigest(),
        "chain": sha256(b"chain").hexdigest(),
        "parts": 3,
        "salt": bytes(range(32)).hex(),
        "words": ["base", POLICIES[0], "deleted", POLICIES[1]],
        "stones": [
            ["chat:a", "m0", 1_772_366_400_000_000, 0, 1],
            ["chat:a", "m1", 1_772_280_000_000_000, 2, 1],
            ["chat:a", "m2", 1_772_193_600_000_000, 0, 3],
        ],
        "slots": [4, 5, 9],
    }
    assert erasure_of(written) == replace(ERASURE, sweep=None)
    assert list(stones_of(written)) == [
        Stone(stone.conversation, stone.part, stone.erase_by, stone.rule, stone.policy) for stone in STONES
    ]


def test_an_erasure_without_tombstones_has_no_salt() -> None:
    replaced = replace(ERASURE, kind="replaced", salt=None, parts=0)
    written = erasure_entry(replaced, [], [1])
    assert (written.body["salt"], written.body["words"], written.body["stones"]) == (None, [], [])
    assert erasure_of(written) == replace(replaced, sweep=None)


def test_a_hold_is_written_down_as_it_stands() -> None:
    assert hold_entry(HOLD, at=AT).body == {
        "id": "h1",
        "matter": "case 7",
        "scope": "person",
        "target": "p1",
        "start": "2026-03-01T12:00:00Z",
        "author": "legal desk",
        "reason": "order",
        "review_at": "2026-05-30T12:00:00Z",
        "released_at": None,
        "released_by": None,
        "gag": False,
    }
    released = replace(HOLD, released_at=AT + DAY, released_by="ann, ben")
    written = hold_entry(released, at=AT + DAY)
    assert (written.kind, written.at) == ("hold released", AT + DAY)
    assert hold_of(written) == released


def test_a_hold_of_a_newer_assent_is_refused_by_its_first_strange_word() -> None:
    with pytest.raises(Refused, match="a hold of the journal says `moon`, which this assent does not know") as refused:
        hold_of(Entry("hold placed", AT, {"id": "h1", "sun": 1, "moon": "full"}))
    assert refused.value.fix == "upgrade assent"


# -- where it lies ----------------------------------------------------------------------------------


def test_the_entries_of_a_day_lie_in_its_file_or_in_a_later_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.append([]) == Mark()
    assert journal.days() == []
    journal.append([entry(1), entry(2, AT + DAY), entry(3, AT), entry(4, AT + DAY), entry(5, AT + 2 * DAY)])
    found = {path: [json.loads(line)["body"]["id"] for line in lines_in(tmp_path / path)] for path in journal.days()}
    assert found == {"2026-03-01.jsonl": [1], "2026-03-02.jsonl": [2, 3, 4], "2026-03-03.jsonl": [5]}
    assert journal.append([]).number == 5
    assert [ids(journal, since=AT.date() + number * DAY) for number in range(4)] == [
        [1, 2, 3, 4, 5], [2, 3, 4, 5], [5], [],
    ]  # fmt: skip
    assert [ids(journal, after) for after in (0, 1, 4, 5)] == [[1, 2, 3, 4, 5], [2, 3, 4, 5], [5], []]
    assert ids(journal, 3, AT.date() + DAY) == [4, 5]


def test_the_file_of_the_day_itself_stays_when_older_days_are_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(number, AT + number * DAY) for number in range(4)])
    assert journal.drop_before(AT.date()) == []
    assert journal.drop_before(AT.date() + DAY) == ["2026-03-01.jsonl"]
    assert journal.days() == ["2026-03-02.jsonl", "2026-03-03.jsonl", "2026-03-04.jsonl"]
    assert journal.drop_before(AT.date() + 9 * DAY) == ["2026-03-02.jsonl", "2026-03-03.jsonl"]
    assert ids(journal) == [3]
    assert journal.folder == tmp_path


def test_two_that_hold_the_same_journal_write_behind_each_other(tmp_path: Path) -> None:
    one, other = Journal(tmp_path), Journal(tmp_path)
    one.append([entry(1)])
    other.append([entry(2)])
    one.append([entry(3, AT + DAY)])
    other.append([entry(4)])
    assert one.append([entry(5)]).number == 5
    assert ids(other) == [1, 2, 3, 4, 5]
    assert one.mark() == other.mark()


def test_a_disk_that_takes_a_line_bit_by_bit_has_all_of_it_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: write(file, data[:7], at))
    journal = Journal(tmp_path)
    journal.append([entry(1), entry(2)])
    journal.append([entry(3)])
    assert ids(Journal(tmp_path)) == [1, 2, 3]


def test_lines_are_on_the_disk_and_a_new_file_is_named_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noting(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noting)
    journal = Journal(tmp_path)
    journal.append([entry(1)])
    assert synced[-2:] == ["2026-03-01.jsonl", tmp_path.name]
    synced.clear()
    journal.append([entry(2)])
    assert synced == ["2026-03-01.jsonl"]
    synced.clear()
    journal.append([entry(3, AT + DAY)])
    journal.drop_before(AT.date() + DAY)
    assert synced == ["2026-03-02.jsonl", tmp_path.name, tmp_path.name]


@pytest.mark.parametrize("length", [1 << 16, (1 << 16) - 1, (1 << 16) + 1, 1 << 17])
def test_the_last_line_is_found_whatever_its_length(tmp_path: Path, length: int) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1), Entry("erasure", AT, {"id": 2, "stones": []})])
    short = len(lines_in(tmp_path / "2026-03-01.jsonl")[1])
    text = "x" * (length - short - 2)
    journal.append([Entry("erasure", AT, {"id": 3, "stones": [text]})])
    assert len(lines_in(tmp_path / "2026-03-01.jsonl")[2]) == length
    assert Journal(tmp_path).mark() == journal.mark()
    assert Journal(tmp_path).append([entry(4)]).number == 4
    assert ids(Journal(tmp_path)) == [1, 2, 3, 4]


# -- what is not what it was ------------------------------------------------------------------------


def changed(path: Path, lines: Sequence[bytes]) -> None:
    path.write_bytes(b"".join(lines))


def test_a_line_that_does_not_follow_is_named(tmp_path: Path) -> None:
    Journal(tmp_path).append([entry(1), entry(2), entry(3), entry(4, AT + DAY)])
    path = tmp_path / "2026-03-01.jsonl"
    one, two, three = lines_in(path)
    rows = [
        ([one, two.replace(b'"id":2', b'"id":9'), three], "line `3` of the journal `2026-03-01.jsonl` does not follow"),
        ([one, three], "line `3` of the journal `2026-03-01.jsonl` does not follow the one before it"),
        ([one, two, two, three], "line `2` of the journal `2026-03-01.jsonl` does not follow"),
        ([one, two], "line `4` of the journal `2026-03-02.jsonl` does not follow"),
        ([one, b"{}\n", three], "line `2` of the journal `2026-03-01.jsonl` is none"),
        ([one.replace(b'"at":"', b'"at":"x'), two, three], "line `1` of the journal `2026-03-01.jsonl` is none"),
        ([b"[]\n", two, three], "line `1` of the journal `2026-03-01.jsonl` is none"),
    ]
    for lines, message in rows:
        changed(path, lines)
        with pytest.raises(Refused, match=re.escape(message)) as refused:
            list(Journal(tmp_path).read())
        assert refused.value.fix == ALTERED


def test_a_number_that_was_changed_with_its_place_kept_is_found(tmp_path: Path) -> None:
    Journal(tmp_path).append([entry(1), entry(2)])
    path = tmp_path / "2026-03-01.jsonl"
    one, two = lines_in(path)
    changed(path, [one, two.replace(b'"number":2', b'"number":5')])
    with pytest.raises(Refused, match=r"line `5` of the journal `.*` does not follow"):
        list(Journal(tmp_path).read())


def test_nothing_is_written_behind_a_last_line_that_is_none(tmp_path: Path) -> None:
    Journal(tmp_path).append([entry(1)])
    path = tmp_path / "2026-03-01.jsonl"
    changed(path, [*lines_in(path), b"[]\n"])
    with pytest.raises(AssentError) as problem:
        Journal(tmp_path).append([entry(2)])
    assert problem.value.message == "the last line of the journal `2026-03-01.jsonl` is none"
    assert problem.value.fix == ALTERED


def test_what_is_kept_is_checked_from_its_first_line_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([entry(1), entry(2, AT + DAY), entry(3, AT + DAY)])
    journal.drop_before(AT.date() + DAY)
    assert ids(journal) == [2, 3]
    path = tmp_path / "2026-03-02.jsonl"
    changed(path, [lines_in(path)[0].replace(b'"id":2', b'"id":9'), lines_in(path)[1]])
    with pytest.raises(Refused, match="line `3`"):
        list(Journal(tmp_path).read())
