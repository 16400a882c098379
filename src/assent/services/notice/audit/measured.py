"""What a browser tells about a page: plain values, validated because a page had its hands on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Colour = tuple[float, float, float, float]
"""Red, green, blue from 0 to 255, and how opaque from 0 to 1."""

Kind = Literal["button", "link", "switch", "checkbox", "radio", "other"]


@dataclass(frozen=True, slots=True)
class Viewport:
    """A window in CSS pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        """Write it as people name it: `390x844`."""
        return f"{self.width}x{self.height}"


WIDE: Final = Viewport(1280, 800)
NARROW: Final = Viewport(390, 844)
VIEWPORTS: Final = (WIDE, NARROW)
"""The two windows of R02: a desk and a telephone."""
ZOOMED: Final = Viewport(640, 400)
"""What a window of 1280 × 800 shows at 200 % zoom (WCAG 2.2, 1.4.4 and 1.4.10)."""


class _Measured(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Box(_Measured):
    """A rectangle in CSS pixels from the upper left corner of the window."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Return its size in square CSS pixels."""
        return self.width * self.height


class Font(_Measured):
    """How letters are drawn: family list, size in CSS pixels, weight from 1 to 1000, slant."""

    family: str
    size: float
    weight: float
    style: str


class Control(_Measured):
    """One thing that can be pressed or set, as it looks and as assistive programs read it.

    `grounds`: the colours behind the text from the innermost outwards, `own` of them inside the
    control. `picture`: the label is only drawn, as an image. `painted`: an image or gradient lies
    behind the text. `given`: the answer that a selector of the caller names. `act`: the value it
    would send as `act`. `disabled`, `checked`: None where it has no such state.
    """

    index: int
    kind: Kind
    label: str
    act: str = ""
    given: Literal["", "allow", "decline"] = ""
    where: str
    box: Box
    in_view: bool
    covered: bool
    checked: bool | None = None
    disabled: bool = False
    font: Font
    colour: Colour
    grounds: tuple[Colour, ...]
    own: Annotated[int, Field(ge=0)]
    picture: bool
    painted: bool
    border: float
    border_colour: Colour
    ring: str

    @property
    def has_state(self) -> bool:
        """Tell whether it is set on or off rather than pressed."""
        return self.kind in ("switch", "checkbox", "radio")


class Look(_Measured):
    """A page at one instant: its controls in the order of the document, and what surrounds them.

    `focused`: index of the control that has the focus. `moving`: running animations. `scroll_width`,
    `width`: of the document and of the window, CSS pixels. `embedded`: pages inside the page.
    """

    controls: tuple[Control, ...]
    focused: int | None
    language: str
    right_to_left: bool
    scroll_width: float
    width: float
    moving: int
    embedded: int
    text: str


class Region(_Measured):
    """The part of a page that asks: its visible text line by line, its headings, and its statements marked as facts."""

    where: str
    text: str
    headings: tuple[str, ...]
    marked: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer that a page tried to send or keep. It was noted and went nowhere.

    `method` is that of HTTP, or `KEEP` for what the page wrote down in the browser. `address` has no query.
    """

    method: str
    address: str
    pairs: frozenset[tuple[str, str]]
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a recorded answer: what was pressed, what was sent, how long it took from the page being there.

    `recorded` is False where no way was found.
    """

    pressed: tuple[str, ...]
    sent: tuple[Sent, ...]
    seconds: float
    recorded: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of something that must not answer: what was done, and what the page sent after it."""

    done: str
    sent: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class Ring:
    """A control that Tab reached, in the order of reaching, and whether it showed that it has the focus."""

    index: int
    visible: bool


@dataclass(frozen=True, slots=True)
class Visited:
    """Everything that was measured of one page in one window.

    `first`: when the page was there, `later`: a second after it. `counting`: lines whose numbers changed while
    nothing was done. `moving`: animations that run although the person asked for less motion. `zoomed` is None
    where it was not looked at.
    """

    viewport: Viewport
    first: Look
    later: Look
    region: Region
    counting: tuple[str, ...]
    allow: Route
    decline: Route
    trials: tuple[Trial, ...]
    rings: tuple[Ring, ...]
    moving: int
    scriptless: Look
    zoomed: Look | None = None
