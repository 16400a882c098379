"""Search files for markers, in a stream: what is looked for may lie across two reads."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from os.path import commonprefix
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_CHUNK: Final = 4 << 20


def files_in(places: Iterable[Path]) -> Iterator[Path]:
    """Name these files and everything in these folders; links are not followed."""
    for place in places:
        if place.is_dir() and not place.is_symlink():
            yield from files_in(sorted(place.iterdir()))
        elif place.is_file() and not place.is_symlink():
            yield place


def count_markers(path: Path, markers: Sequence[bytes]) -> Counter[bytes]:
    """Count each marker in one file. All begin alike, and what they begin with is searched for: that is fast.

    A file that goes away meanwhile counts as far as it was read.
    """
    found: Counter[bytes] = Counter()
    begin = commonprefix(list(markers))  # noqa: RUF071 - characters are what is meant
    if not begin:
        return found
    sizes = {len(marker) for marker in markers}
    wanted = frozenset(markers)
    reach = max(sizes) - 1
    with suppress(FileNotFoundError), path.open("rb") as file:
        kept = b""
        while True:
            chunk = file.read(_CHUNK)
            data = kept + chunk
            # what begins in the last `reach` bytes is looked at with the next chunk, if there is one
            end = len(data) - reach if chunk else len(data)
            at = data.find(begin)
            while 0 <= at < end:
                found.update(wanted.intersection(data[at : at + size] for size in sizes))
                at = data.find(begin, at + 1)
            if not chunk:
                break
            kept = data[max(end, 0) :]
    return found
