"""What a rendering says, read back from its bytes alone: how the surfaces are compared with each other (R15)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import lxml.html

from assent.services.notice.wording import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.services.notice.render import Rendered

Said = tuple[tuple[str, str], ...]
"""The question and then each section: its heading and its sentences, joined by spaces."""

_SECTION: Final = "//*[@data-section or @data-heading]"
_ESCAPED: Final = re.compile(r"\\([\\`*_\[\]<>#|])")


def said_in(rendered: Rendered) -> Said:
    """Read back what a rendering says, in the order of sections; every surface gives the same."""
    readers = {
        "html": _html,
        "fragment": _html,
        "json": _json,
        "markdown": _markdown,
        "terminal": _terminal,
    }
    return tuple(readers[rendered.surface](rendered.body))


def facts_in(rendered: Rendered) -> dict[str, tuple[str, ...]]:
    """Read back what HTML or JSON says about each fact."""
    if rendered.surface == "json":
        return {fact: tuple(said) for fact, said in json.loads(rendered.body)["facts"].items()}
    found: dict[str, list[str]] = {}
    for node in _tree(rendered.body).xpath("//*[@data-fact]"):
        said = found.setdefault(node.get("data-fact"), [])
        if (text := node.text_content()) not in said:
            said.append(text)
    return {fact: tuple(said) for fact, said in found.items()}


def _tree(body: str) -> Any:
    return lxml.html.document_fromstring(body.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))


def _html(body: str) -> Iterator[tuple[str, str]]:
    tree = _tree(body)
    yield "", tree.xpath("string(//h1)")
    marked = (node.get("data-section") or node.get("data-heading") for node in tree.xpath(_SECTION))
    for section in dict.fromkeys((*marked, *SECTIONS)):
        heading = tree.xpath(f"string(//*[@data-heading='{section}'])")
        lines = [node.text_content() for node in tree.xpath(f"//*[@data-section='{section}']")]
        yield heading, " ".join(lines)


def _json(body: str) -> Iterator[tuple[str, str]]:
    value = json.loads(body)
    yield "", value["question"]
    for section in value["sections"]:
        yield section["heading"], " ".join(line["text"] for line in section["lines"])


def _markdown(body: str) -> Iterator[tuple[str, str]]:
    question, *blocks = re.split(r"^#+ ", body.partition("\n---\n")[0], flags=re.MULTILINE)[1:]
    first, _, about = question.partition("\n")
    yield "", _ESCAPED.sub(r"\1", first)
    for heading, text in (("", about), *((block.partition("\n")[0], block.partition("\n")[2]) for block in blocks)):
        bullets = re.findall(r"^- (.*)$", text, re.MULTILINE)
        yield _ESCAPED.sub(r"\1", heading), _ESCAPED.sub(r"\1", " ".join(bullets))


def _terminal(body: str) -> Iterator[tuple[str, str]]:
    question, about, *rest = body.splitlines()
    yield "", question
    yield "", about
    for line in rest[: len(SECTIONS) - 1]:
        heading, _, said = line.partition(": ")
        yield heading, said
