"""Errors that say what is wrong, where, and what to do next.

    AssentError            exit 1  broken: cannot go on
    ├── Refused            exit 2  answered *no*
    ├── NotFound           exit 3  no such thing
    ├── Incomplete         exit 4  done in part; the rest is named
    └── Invalid            exit 1  the input is not what it should be
        └── (place: file, line, column)

Wording: one sentence, lower case, no full stop, input in back-ticks, then what to do
next (docs/reference/exit-codes.md). Messages never carry content or raw subject ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the input: a file, and when known a 1-based line and column."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Render as `file:line:column`, the form that editors open."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class AssentError(Exception):
    """Something is broken; `fix` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, fix: str = "") -> None:
        """Keep the sentence and its remedy apart so that `--json` can show both."""
        super().__init__(message)
        self.message = message
        self.fix = fix


class Refused(AssentError):  # noqa: N818 - the name is the answer
    """The answer is no: not eligible, not permitted, not valid."""

    exit_code = 2


class NotFound(AssentError):  # noqa: N818 - the name is the answer
    """There is no such conversation, plan, hold or file."""

    exit_code = 3


class Incomplete(AssentError):  # noqa: N818 - the name is the answer
    """Part of the work was done; what was not is named in the message."""

    exit_code = 4


class Invalid(AssentError):  # noqa: N818 - the name is the answer
    """An input is malformed; `place` says where."""

    def __init__(self, message: str, fix: str = "", place: Place | None = None) -> None:
        """Remember the place so that callers can sort and print problems by position."""
        super().__init__(message, fix)
        self.place = place

    def __str__(self) -> str:
        """Put the place first, as compilers do."""
        return f"{self.place}: {self.message}" if self.place else self.message
