"""Every format against sources that are cut off, flipped, filled with nonsense, huge, packed with malice or links.

Each sample is made of units (a line, a message, a conversation) that carry a word of their own. Whatever is done to
one unit, the words of the others come in; the fault is a `Malformed` or an error with a fix, and quotes no word.
"""

from __future__ import annotations

import json
import os
import random
import stat
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from accounting import account
from pyarrow import parquet
from source_samples import SAMPLES, UNITS, WORD, Sample, lmsys, named_messages, word

from assent.connectors.formats.port import Source
from assent.connectors.formats.registry import get
from assent.domain.conversation import Conversation
from assent.domain.errors import Invalid, NotFound

CUTS = 25
FLIPS = 25
SWAPS = 30
"""How many of each are tried for a format; the deep run tries ten times as many."""

EXPORTS = SAMPLES[:5]
SETS = {one.format for one in SAMPLES[8:]}
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: f"{one.format} {one.file}")
scales = pytest.mark.parametrize("scale", [1, pytest.param(10, marks=pytest.mark.deep)], ids=["some", "many"])


@dataclass
class Found:
    """What came of a source: the words that came in, and whether anything was said to be wrong."""

    words: set[str]
    faults: int


def read(format_name: str, path: Path) -> Found:
    """Import PATH and hold whatever happens to the promise."""
    found, refused = None, None
    try:
        found = account(get(format_name), path)
    except (Invalid, NotFound) as problem:
        refused = problem
    if found is None:
        assert refused.fix
        assert not WORD.search(f"{refused.message} {refused.fix} {refused}")
        return Found(set(), 1)
    assert not [said for said in found.problems if WORD.search(str(said))]
    words = {said for part in found.parts for said in WORD.findall(f"{part.text} {part.name}")}
    return Found(words, found.malformed)


def read_bytes(sample: Sample, tmp_path: Path, content: bytes) -> Found:
    path = tmp_path / sample.file
    path.write_bytes(content)
    return read(sample.format, path)


def others(number: int) -> set[str]:
    return {word(one) for one in range(UNITS) if one != number}


def positions(sample: Sample, size: int, count: int) -> Iterator[int]:
    chance = random.Random(f"{sample.format} {sample.file}")
    return iter(sorted(chance.sample(range(size), min(count, size))))


@every_sample
def test_what_is_not_damaged_comes_in(sample: Sample, tmp_path: Path) -> None:
    content, _ = sample.packed(sample.units())
    for wrapped in (content, b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n")):
        assert read_bytes(sample, tmp_path, wrapped) == Found({word(number) for number in range(UNITS)}, 0)


@scales
@every_sample
def test_of_a_source_that_is_cut_off_all_before_the_cut_comes_in(sample: Sample, tmp_path: Path, scale: int) -> None:
    content, starts = sample.packed(sample.units())
    ends = [start + len(unit) for start, unit in zip(starts, sample.units(), strict=True)]
    for cut in positions(sample, len(content), CUTS * scale):
        found = read_bytes(sample, tmp_path, content[:cut])
        assert found.words >= {word(number) for number, end in enumerate(ends) if end <= cut}, cut
        if any(start < cut < end for start, end in zip(starts, ends, strict=True)):
            assert found.faults, cut


@scales
@every_sample
def test_a_byte_that_flipped_costs_no_neighbour(sample: Sample, tmp_path: Path, scale: int) -> None:
    content, starts = sample.packed(sample.units())
    chance = random.Random(1)
    for place in positions(sample, len(content), FLIPS * scale):
        hit = max((number for number, start in enumerate(starts) if start <= place), default=-1)
        if hit < 0 or place >= starts[hit] + len(sample.units()[hit]):
            continue  # between units
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        if flipped[place] == ord("\n"):
            continue  # one line became two
        assert read_bytes(sample, tmp_path, bytes(flipped)).words >= others(hit), (place, hit)


DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]
NONSENSE: list[Any] = [
    None, True, -1, 10**400, 1e308, "", "\ud800", "\x00", "x" * 70_000, [], {}, [None], [[]], {"a": {"b": []}}, DEEP,
    [{"type": None}], "2026-99-99", {"$date": []}, {"": ""},
]  # fmt: skip


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List where something stands in a record."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*above, key)
        yield from paths(inner, (*above, key))


def swapped(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(record))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


@scales
@every_sample
def test_nonsense_in_any_field_costs_no_neighbour(sample: Sample, tmp_path: Path, scale: int) -> None:
    record, units = sample.unit(2), sample.units()
    every = list(product(paths(record), range(len(NONSENSE))))
    for path, which in random.Random(2).sample(every, min(SWAPS * scale, len(every))):
        units[2] = json.dumps(swapped(record, path, NONSENSE[which])).encode()
        found = read_bytes(sample, tmp_path, sample.packed(units)[0])
        assert found.words >= others(2), (path, which)


HARM: dict[str, Callable[[bytes], bytes]] = {
    "zero bytes in the middle": lambda unit: unit[: len(unit) // 2] + b"\0\0\0" + unit[len(unit) // 2 :],
    "all zero bytes": lambda unit: b"\0" * len(unit),
    "not UTF-8": lambda unit: unit.replace(b"quagga", b"\xff\xfe\x80"),
    "a key twice": lambda unit: b'{"id":[],' + unit[1:-1] + b',"id":{}}',
    "every key twice": lambda unit: unit[:-1] + b"," + unit[1:],
    "nested without end": lambda unit: b'{"a":' * 5_000 + unit + b"}" * 5_000,
    "nested and never closed": lambda unit: unit[:-1] + b',"z":' + b"[" * 3_000 + b"}",
    "a number without end": lambda unit: unit[:-1] + b',"z":' + b"9" * 100_000 + b"}",
    "infinity": lambda unit: unit[:-1] + b',"z":1e999}',
    "not a number": lambda unit: unit[:-1] + b',"z":NaN}',
    "half a character": lambda unit: unit.replace(b"zephyr", b"\\ud83d"),
    "a huge string": lambda unit: unit.replace(b"zephyr", b"y" * 1_000_000),
    "a quote that never ends": lambda unit: unit[:-1] + b',"z":"',
    "text": lambda _unit: b"quagga0000nothing",
    "nothing": lambda _unit: b"null",
    "a bare list": lambda unit: b"[" + unit + b"]",
}


@pytest.mark.parametrize("harm", HARM)
@every_sample
def test_a_unit_that_is_harmed_costs_no_neighbour(sample: Sample, harm: str, tmp_path: Path) -> None:
    units = sample.units()
    units[2] = HARM[harm](units[2])
    assert read_bytes(sample, tmp_path, sample.packed(units)[0]).words >= others(2)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32"])
@every_sample
def test_another_coding_is_said_to_be_wrong(sample: Sample, coding: str, tmp_path: Path) -> None:
    content, _ = sample.packed(sample.units())
    assert read_bytes(sample, tmp_path, content.decode().encode(coding)).faults


@every_sample
def test_what_is_linked_to_and_what_is_no_file_is_not_read(sample: Sample, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside" / "chats", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    units = sample.units()
    (inside / sample.file).write_bytes(sample.packed(units[:2])[0])
    (outside / sample.file).write_bytes(sample.packed(units[2:])[0])
    suffix = Path(sample.file).suffix
    (inside / f"session-link{suffix}").symlink_to(outside / sample.file)
    (inside / "folder-link").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / f"session-folder{suffix}").mkdir()
    os.mkfifo(inside / f"session-pipe{suffix}")
    # published sets are kept behind links (as a cache of downloads does): there a link to a file is that file
    linked = set(range(UNITS)) if sample.format in SETS else {0, 1}
    assert read(sample.format, inside.parent).words == {word(number) for number in linked}


# -- archives ------------------------------------------------------------------------------


def zipped(sample: Sample, path: Path) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(sample.file, sample.packed(sample.units())[0])
    return path.read_bytes()


@scales
@pytest.mark.parametrize("sample", EXPORTS, ids=lambda one: one.format)
def test_an_archive_that_is_damaged_anywhere_is_said_to_be(sample: Sample, tmp_path: Path, scale: int) -> None:
    path = tmp_path / "export.zip"
    whole = zipped(sample, path)
    assert read(sample.format, path).words == {word(number) for number in range(UNITS)}
    chance = random.Random(3)
    for place in positions(sample, len(whole), CUTS * scale):
        path.write_bytes(whole[:place])
        assert read(sample.format, path).faults, place
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        read(sample.format, path)  # a flip may hit what nobody needs


@pytest.mark.parametrize("sample", EXPORTS, ids=lambda one: one.format)
@pytest.mark.parametrize("trick", ["a bomb", "a path out", "an absolute path", "a link", "itself"])
def test_an_archive_with_a_trick_in_it_is_refused(sample: Sample, trick: str, tmp_path: Path) -> None:
    path, content = tmp_path / "export.zip", sample.packed(sample.units())[0]
    names = {"a path out": f"../{sample.file}", "an absolute path": f"/{sample.file}"}
    entry = zipfile.ZipInfo(names.get(trick, sample.file))
    if trick == "a link":
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        content = b"/etc/passwd"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, b"0" * (33 << 20) if trick == "a bomb" else content, zipfile.ZIP_DEFLATED)
    if trick == "itself":
        inner = path.read_bytes()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("export.zip", inner)
    found = read(sample.format, path)
    assert (found.words, found.faults) == (set(), 1)
    assert [file.name for file in tmp_path.rglob("*")] == ["export.zip"]


# -- size ----------------------------------------------------------------------------------


def peak(sample: Sample, path: Path, records: int) -> int:
    """Import large records, holding none, and return how much memory that took at most."""

    def big(number: int) -> bytes:
        return json.dumps(sample.unit(number)).encode().replace(word(number).encode(), b"y" * 200_000)

    units = [big(number) for number in range(records)]
    path.write_bytes(sample.packed(units)[0])
    del units
    tracemalloc.start()
    count = sum(isinstance(record, Conversation) for record in get(sample.format).read(Source(path)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == records
    return most


@pytest.mark.parametrize("sample", [SAMPLES[0], SAMPLES[8], SAMPLES[9]], ids=lambda one: f"{one.format} {one.file}")
def test_memory_follows_the_largest_record_and_not_the_file(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / sample.file
    few, many = peak(sample, path, 40), peak(sample, path, 160)
    assert many < few * 1.5


# -- tables --------------------------------------------------------------------------------


@scales
@pytest.mark.parametrize(("format_name", "row"), [("hf-messages", named_messages), ("lmsys-wildchat", lmsys)])
def test_a_table_that_is_damaged_anywhere_is_said_to_be(
    format_name: str, row: Callable[[int], Any], tmp_path: Path, scale: int
) -> None:
    path = tmp_path / "set.parquet"
    parquet.write_table(pa.Table.from_pylist([row(number) for number in range(200)]), path)
    whole = path.read_bytes()
    chance = random.Random(4)
    for place in sorted(chance.sample(range(len(whole)), CUTS * scale)):
        path.write_bytes(whole[:place])
        assert read(format_name, path).faults, place
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        read(format_name, path)
