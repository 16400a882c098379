"""Activity pages of Google Takeout: one `outer-cell` per activity, read one cell at a time.

A page of all activity has hundreds of megabytes. Cells never nest and what people typed is
escaped, so the page is cut at the cells' first bytes and each is parsed on its own; a broken
cell ends where the next begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree, html

from assent.connectors.formats.gemini_takeout_dates import looks_like_date, parse_date
from assent.connectors.formats.streams import CHUNK_BYTES, UNREADABLE, Readable
from assent.domain.errors import Invalid

MAX_CELL_BYTES: Final = 64 << 20
"""A cell longer than this is refused: the bound on memory."""

_CELL: Final = re.compile(rb'<div\s+class="outer-cell\b')
_CELL_START_BYTES: Final = 64
_BLOCKS: Final = frozenset(
    "address blockquote div dl dt dd figure h1 h2 h3 h4 h5 h6 hr ol p pre section table tr ul".split()  # noqa: SIM905
)
_UNSHOWN: Final = frozenset({"script", "style"})
_HARD_BLANK: Final = "\u00a0"
_BLANKS: Final = re.compile(r"[ \t\r\n\f]{2,}|[\t\r\n\f]")
_MANY_BREAKS: Final = re.compile(r"\n{3,}")

_Run = list[str | html.HtmlElement]


@dataclass(slots=True)
class Activity:
    """One activity as the page or the JSON tells it; `title` still begins with what kind it is."""

    product: str = ""
    title: str = ""
    time: datetime | None = None
    answer: str = ""
    files: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


def cells(stream: Readable, on_bytes: Callable[[int], None]) -> Iterator[bytes | str]:
    """Cut a page into its cells; a text instead of a cell names what is wrong with it."""
    data = bytearray()
    start = -1
    problem = ""
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except UNREADABLE:
            problem = "the file is damaged from here on"
            chunk = b""
        on_bytes(len(chunk))
        searched = max(len(data) - _CELL_START_BYTES, start + 1, 0)
        data += chunk
        for found in _CELL.finditer(data, searched):
            if start >= 0:
                yield bytes(memoryview(data)[start : found.start()])
            start = found.start()
        if start >= 0:
            del data[:start]
            start = 0
        else:
            del data[:-_CELL_START_BYTES]
        if not chunk:
            break
        if start == 0 and len(data) > MAX_CELL_BYTES:
            yield f"the activity is larger than {MAX_CELL_BYTES >> 20} MiB"
            start = -1
            del data[:-_CELL_START_BYTES]
    if start == 0:
        # The last cell also closes the page around it, so it never opens more than it closes.
        yield "the activity is cut off" if data.count(b"<div") > data.count(b"</div") else bytes(data)
    if problem:
        yield problem


def read_cell(cell: bytes) -> Activity:
    """Read one cell. Raises `Invalid` with a fixed phrase."""
    try:
        root = _parsed(cell.decode())
    except UnicodeDecodeError:
        raise Invalid("not UTF-8") from None
    if root is None:
        raise Invalid("the activity is no HTML")
    header = root.find_class("header-cell")
    content = [cell for cell in root.find_class("content-cell") if "text-right" not in (cell.get("class") or "")]
    if not header or not content:
        raise Invalid("the activity lacks its heading or its text")
    activity = Activity(product=text_of(header[0]))
    _read_content(content[0], activity)
    return activity


def text_of(element: html.HtmlElement) -> str:
    """Give an element's text with line breaks where a browser shows them, and code as it stands."""
    return _finished(_pieces([element]))


def answer_text(source: str) -> str:
    """Give the text of an answer that the JSON holds as HTML."""
    root = _parsed(source) if source.strip() else None
    return "" if root is None else text_of(root)


def _parsed(text: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        return html.fragment_fromstring(text, create_parent="body", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _pieces(run: _Run) -> Iterator[str]:
    for item in run:
        if isinstance(item, str):
            if item:
                yield _one_blank(item)
        else:
            yield from _element_pieces(item)


def _element_pieces(element: html.HtmlElement) -> Iterator[str]:
    preformatted = 0
    for event, node in etree.iterwalk(element, events=("start", "end")):
        tag = node.tag
        if event == "start":
            preformatted += tag == "pre"
            if tag == "br" or tag in _BLOCKS:
                yield "\n"
            elif tag == "li":
                yield "\n- "
            text = "" if tag in _UNSHOWN else node.text
        else:
            preformatted -= tag == "pre"
            if tag in _BLOCKS:
                yield "\n"
            text = "" if node is element else node.tail
        if text:
            yield text.replace(" ", _HARD_BLANK) if preformatted else _one_blank(text)


def _one_blank(text: str) -> str:
    # Most texts have no such blanks, and looking for them costs less than a substitution.
    return _BLANKS.sub(" ", text) if _BLANKS.search(text) else text


def _finished(pieces: Iterable[str]) -> str:
    """Join pieces and drop the blanks that layout leaves behind; in code they are hard and stay."""
    lines = (line.strip(" ") for line in "".join(pieces).split("\n"))
    text = "\n".join(lines).replace(_HARD_BLANK, " ")
    return _MANY_BREAKS.sub("\n\n", text).strip("\n").rstrip()


def _read_content(content: html.HtmlElement, activity: Activity) -> None:
    """Split the cell's main column: what was typed, the line with the date, the answer."""
    run: _Run = [content.text or ""]
    for child in content:
        run += [child, child.tail or ""]
    lines = list(_lines(run))
    said, answer = _split(run, lines, activity)
    links = (link for line in said[1:] for item in line if not isinstance(item, str) for link in item.iter("a"))
    activity.files = [name for link in links if (name := text_of(link))]
    listed = {f"- {name}" for name in activity.files} | set(activity.files)
    texts = (_finished(_pieces(line)) for line in said)
    activity.title = _finished("\n".join(text for text in texts if text.strip() not in listed)).strip()
    activity.answer = _finished(_pieces(answer))
    images = (image for item in answer if not isinstance(item, str) for image in item.iter("img"))
    activity.images = [image.get("src") or "" for image in images]


def _lines(run: _Run) -> Iterator[tuple[int, int]]:
    """Yield where each line of the run begins and ends; a block element is a line of its own."""
    start = 0
    for at, item in enumerate(run):
        if isinstance(item, str) or (item.tag != "br" and item.tag not in _BLOCKS):
            continue
        yield start, at
        if item.tag != "br":
            yield at, at + 1
        start = at + 1
    yield start, len(run)


def _split(run: _Run, lines: list[tuple[int, int]], activity: Activity) -> tuple[list[_Run], _Run]:
    """Give the lines that were typed and the answer; the date is the first line that reads as one.

    Without one it is the first that looks like one; without that, the answer begins at a block.
    """
    at = begin = None
    for number, (start, end) in enumerate(lines[1:], 1):
        if end == start + 1 and _is_block(run[start]):
            begin = number if begin is None else begin
            continue
        text = _finished(_pieces(run[start:end])).strip()
        activity.time = parse_date(text)
        if activity.time:
            at = number
            break
        if at is None and looks_like_date(text):
            at = number
    if at is not None:
        return [run[start:end] for start, end in lines[:at]], run[lines[at][1] :]
    if begin is not None:
        return [run[start:end] for start, end in lines[:begin]], run[lines[begin][0] :]
    return [run[start:end] for start, end in lines], []


def _is_block(item: str | html.HtmlElement) -> bool:
    return not isinstance(item, str) and item.tag in _BLOCKS
