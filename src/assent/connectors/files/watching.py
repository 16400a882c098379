"""Watching: what became of conversations since the files were last looked at.

A file whose time, size or ETag is what it was is not read. What is not in a file that cannot wholly be read is not
gone: somebody may be writing it. Of every other one a digest for each conversation is compared with the one before
(connectors/comparing.py). Digests are of rows and say nothing of what is in them to who has no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

from assent.connectors.comparing import SEEN, Difference, compared
from assent.connectors.files.storage import DamagedError
from assent.connectors.formats.fields import json_text
from assent.connectors.port import Change, Copy, state_of

if TYPE_CHECKING:
    from assent.connectors.files.memory import Memory
    from assent.connectors.files.rows import Row
    from assent.connectors.files.storage import Entry

_Digests: TypeAlias = "dict[str, list[Any]]"
Rows = Callable[["Entry"], "Iterable[tuple[int, Row | str]]"]
Named = Callable[["Row"], str]


def watch(memory: Memory, entries: Iterable[Entry], rows: Rows, named: Named, cursor: str) -> Iterator[Change]:
    """Look, and yield what is behind the cursor. Raises `Invalid` for a foreign cursor."""

    def compare(seen: dict[str, Any]) -> tuple[list[Difference], dict[str, Any]]:
        return _differences(seen, list(entries), lambda entry: _digests(rows(entry), named), memory.now_ns)

    yield from compared(memory, compare, cursor)


def forget(memory: Memory, answers: Mapping[str, Sequence[Copy]]) -> None:
    """Forget what was seen of conversations that are erased: their going is no news, and no digest of them is kept."""
    gone = {name for name, copies in answers.items() if state_of(copies) in ("removed", "pending maintenance")}
    seen = memory.load(SEEN)
    if not any(name in file["rows"] for file in seen.values() for name in gone):
        return
    for file in seen.values():
        file["rows"] = {name: said for name, said in file["rows"].items() if name not in gone}
    memory.save(SEEN, seen)


def _differences(
    seen: dict[str, Any],
    entries: list[Entry],
    digests: Callable[[Entry], tuple[_Digests, bool]],
    now_ns: Callable[[], int],
) -> tuple[list[Difference], dict[str, Any]]:
    """Compare; `seen` holds for each file its tag, and the number and digest of the rows of each conversation."""
    after: dict[str, Any] = {}
    changed: dict[str, int] = {}
    for entry in entries:
        before = seen.get(entry.path)
        if before is not None and before["tag"] == entry.tag:
            after[entry.path] = before
            continue
        known: _Digests = before["rows"] if before else {}
        there, whole = digests(entry)
        after[entry.path] = {"tag": entry.tag if whole else "", "rows": there if whole else {**known, **there}}
        touched = _differing(known, after[entry.path]["rows"])
        changed.update({name: max(changed.get(name, 0), entry.changed_ns) for name in touched})
    gone_files = seen.keys() - after.keys()
    if gone_files:
        at = now_ns()
        changed.update({name: at for path in gone_files for name in seen[path]["rows"]})
    if not changed:
        return [], after
    was, is_now = _counts(seen, changed), _counts(after, changed)
    found: list[Difference] = []
    for name, at in changed.items():
        if name not in was:
            found.append((at, name, "created"))
        elif name not in is_now:
            found.append((at, name, "deleted"))
        elif was[name] != is_now[name]:
            found.append((at, name, "turn" if is_now[name][0] > was[name][0] else "changed"))
    return found, after


def _digests(rows: Iterable[tuple[int, Row | str]], named: Named) -> tuple[_Digests, bool]:
    """Of each conversation the number of its rows and a digest of them, in any order; and whether that is all."""
    found: dict[str, tuple[int, int]] = {}
    whole = True
    try:
        for _, row in rows:
            whole = not isinstance(row, str)  # a last line that is cut off: it is being written
            if not isinstance(row, str) and (name := named(row)):
                found[name] = _with(row, found.get(name, (0, 0)))
    except DamagedError:
        whole = False
    return {name: [count, f"{total:016x}"] for name, (count, total) in found.items()}, whole


def _with(row: Row, before: tuple[int, int]) -> tuple[int, int]:
    digest = blake2b(json_text(_plain(row)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return before[0] + 1, (before[1] + int.from_bytes(digest)) % (1 << 64)


def _differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _counts(files: dict[str, Any], names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Add up what all files say of conversations; one that moved from file to file is what it was."""
    wanted = set(names)
    found: dict[str, tuple[int, int]] = {}
    for file in files.values():
        for name in wanted & file["rows"].keys():
            count, digest = file["rows"][name]
            before = found.get(name, (0, 0))
            found[name] = before[0] + count, (before[1] + int(digest, 16)) % (1 << 64)
    return found


def _plain(value: object) -> object:
    """Write values that JSON does not have as text."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)
