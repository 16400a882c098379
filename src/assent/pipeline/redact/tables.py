"""Dates of birth in rows whose header says what the column is: CSV, tables, statements of SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assent.pipeline.redact.finding import Finding

_WORDS: Final = (
    r"(?:date_?of_?)?birth(?:_?da(?:te|y))?|dob|born|geburts(?:datum|tag)|geb|geboren|(?:date_?(?:de_?)?)?naissance|ne_le|"
    r"(?:fecha_?(?:de_?)?)?nac(?:imiento)?|(?:data_?(?:di_?)?)?nascita|nato_il|(?:data_?(?:de_?)?)?nascimento|geboortedatum"
)
_HINTS: Final = ("birth", "dob", "born", "geb", "naiss", "ne_le", "nac", "nasc", "nato_il")
_NAMED: Final = re.compile(rf"(?i)(?<![a-z])(?:{_WORDS})(?![a-z])")
_COLUMN: Final = re.compile(rf"(?i)[\"'`\s]*(?:\w+_)?(?:{_WORDS})[\"'`\s]*")
_TYPED: Final = re.compile(rf"(?i)(?<![a-z])(?:{_WORDS})[\"'`]?\s+(?:date|text|var_?char|char|timestamp)")
_DATE: Final = re.compile(
    r"(?:^|(?<=[,;|\t(\"']))[ ]*[\"']?(?P<v>(?:19|20)\d\d[-./]\d\d[-./]\d\d|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d)"
    r"[\"']?[ ]*(?=[,;|\t)\"']|$)"
)
_ROWS: Final = 400
"""How many lines below its header a row may stand."""


def born_in_columns(text: str) -> Iterator[Finding]:
    """Find the dates of birth of rows; offsets are code points of `text`."""
    low = text.lower()
    if not any(hint in low for hint in _HINTS):
        return
    seen = 0
    for named in _NAMED.finditer(text):
        if named.start() < seen:
            continue
        seen = text.find("\n", named.end()) + 1 or len(text)
        header = text[text.rfind("\n", 0, named.start()) + 1 : seen].rstrip("\n")
        delimiter = max(",;|\t", key=header.count)
        if header.count(delimiter) < 2 and not _TYPED.search(header):
            continue
        ours = [_COLUMN.fullmatch(cell) is not None for cell in re.split(r"[,;|\t(]", header.rstrip(" );"))]
        for line in text[seen:].splitlines(keepends=True)[:_ROWS]:
            dates = list(_DATE.finditer(line.rstrip("\r\n")))
            if len(dates) > 1 and line.count(delimiter) == header.count(delimiter):
                dates = [one for one in dates if _says(ours, line[: one.start()].count(delimiter))]
            if len(dates) == 1 and line.count(delimiter) > 1:
                yield Finding("date_of_birth", seen + dates[0].start("v"), seen + dates[0].end("v"), 85)
            seen += len(line)


def _says(ours: list[bool], place: int) -> bool:
    return place < len(ours) and ours[place]
