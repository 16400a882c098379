r"""A text as its reader sees it: `\n`, `\"` and `\u00e9` of JSON and source code as the signs they mean."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, NamedTuple

from assent.pipeline.redact.finding import Finding

_ESCAPE: Final = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|(?:u(?=[0-9a-fA-F]{4})|x|U000)((?<=u)[0-9a-fA-F]{4}|(?<=x)[0-9a-fA-F]{2}|(?<=U000)[0-9a-fA-F]{5})|([nrtbfva0\"'/\\]))"
)
_MEANS: Final = {
    "n": "\n",
    "r": "\n",
    "t": "\t",
    '"': '"',
    "'": "'",
    "/": "/",
    "\\": "\\",
    "b": " ",
    "f": "\n",
    "v": "\n",
    "a": " ",
    "0": " ",
}


class View(NamedTuple):
    """A text with its escapes resolved, and where each piece between escapes began."""

    text: str
    seen: tuple[int, ...]
    stored: tuple[int, ...]

    def place(self, at: int) -> int:
        """Return where a place of the view lies in the stored text."""
        index = bisect_right(self.seen, at) - 1
        return at if index < 0 else self.stored[index] + at - self.seen[index]

    def back(self, one: Finding) -> Finding:
        """Say a finding of the view in offsets of the stored text."""
        return Finding(one.type, self.begin(one.start), self.place(one.end - 1) + self._wide(one.end - 1), one.score)

    def begin(self, at: int) -> int:
        """Return where a finding begins in the stored text: behind a sign that belongs to a stray backslash."""
        stray = at > 0 and self.text[at - 1] == "\\" and self.seen[bisect_right(self.seen, at) - 1] != at
        return self.place(at) + stray

    def _wide(self, at: int) -> int:
        return self.place(at + 1) - self.place(at)


def view_of(text: str) -> View | None:
    """Resolve the escapes of a text; None where it has none."""
    if "\\" not in text:
        return None
    pieces: list[str] = []
    seen, stored = [0], [0]
    length = at = 0
    for match in _ESCAPE.finditer(text):
        high, low, plain, sign = match.groups()
        if high:
            means = chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
        else:
            means = chr(int(plain, 16)) if plain else _MEANS[sign]
        if "\ud800" <= means <= "\udfff":
            means = "\ufffd"
        pieces += (text[at : match.start()], means)
        length += match.start() - at + 1
        at = match.end()
        seen.append(length)
        stored.append(at)
    pieces.append(text[at:])
    return View("".join(pieces), tuple(seen), tuple(stored)) if at else None
