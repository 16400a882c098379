"""The browser as an audit needs it: visits to one page, each with a fresh profile, from which no answer leaves."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.services.notice.audit.measured import Control, Look, Region, Sent, Viewport


@dataclass(frozen=True, slots=True)
class Page:
    """What to open: an address or a file, and how its answers are found where they cannot be guessed."""

    name: str
    allow: str = ""
    decline: str = ""

    @property
    def file(self) -> Path | None:
        """Return the file, None for an address."""
        return None if "://" in self.name else Path(self.name)


class Visit(Protocol):
    """One page open in one window. `index` names a control of the last look."""

    def again(self, *, calm: bool = False, scripts: bool = True) -> None:
        """Open the page anew, with nothing kept from before.

        `calm`: for a person who asked for less motion; `scripts`: whether the page's own run.
        """

    def resize(self, viewport: Viewport) -> None:
        """Give the window another size."""

    def look(self) -> Look:
        """Measure the page as it is now."""

    def region(self, indices: Sequence[int]) -> Region:
        """Read the part of the page that holds these controls."""

    def press(self, index: int) -> bool:
        """Activate a control as a person does, once it can be; False where that cannot be done."""

    def key(self, name: str) -> None:
        """Press a key (`Enter`, `Escape`) wherever the focus is."""

    def tab(self) -> int | None:
        """Press Tab; return the control that has the focus then, None if it is none of the last look."""

    def scroll(self) -> None:
        """Scroll to the end and back."""

    def click_outside(self) -> None:
        """Click where no control is."""

    def leave(self) -> None:
        """Leave the page as people do who close it; only `again` comes back."""

    def wait(self, seconds: float) -> None:
        """Let time pass for the page."""

    def shows_focus(self, control: Control) -> bool:
        """Tell whether the control, which has the focus now, looks different from before, by style or by pixels."""

    def sent(self) -> tuple[Sent, ...]:
        """List what the page has tried to send or keep since it was opened anew."""

    def seconds(self) -> float:
        """Say how long the page has been there, in seconds."""

    def photograph(self, path: Path) -> None:
        """Write a picture of the window."""


class Browser(Protocol):
    """Opens pages. Leaving the visit closes page and profile."""

    def visit(self, page: Page, viewport: Viewport) -> AbstractContextManager[Visit]:
        """Open a page in a fresh profile."""
