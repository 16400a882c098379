"""Lint on the published page: L15 (the page says what the policy says)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import lxml.html

from assent.policy.lints.finding import Finding
from assent.policy.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.document import Document

UNSEEN: Final = "//script|//style|//template|//noscript|//*[@hidden]|//comment()"
"""Nodes of a page that no reader sees, as an XPath."""

_QUOTES = str.maketrans({"’": "'", "\u2018": "'", "“": '"', "”": '"', "`": None, "\u00ad": None})


def page_says_what_the_policy_says(document: Document, page: str) -> Iterator[Finding]:
    """L15: every statement of the policy occurs in the text of the page, whatever its spaces and markup."""
    shown = _squeezed(page_text(page))
    for statement in render(document):
        if _squeezed(statement.text) not in shown:
            message = f"the page does not say: {statement.text}"
            fix = f"publish the statement `{statement.id}` word for word (`assent policy show --plain`)"
            yield Finding("L15", statement.id.rpartition(".")[2], statement.path, message, fix)


def page_text(page: str) -> str:
    """Return what a reader of the page sees; text without markup is returned as it is."""
    if not re.search(r"<[a-zA-Z!/]", page):
        return page
    tree = visible(page, UNSEEN)
    return "" if tree is None else str(tree.text_content())


def visible(page: str, unseen: str) -> Any | None:
    """Read an HTML page without the nodes of an XPath that no reader sees; None where nothing is left."""
    try:
        tree: Any = lxml.html.document_fromstring(page.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except lxml.etree.ParserError:
        return None
    for node in tree.xpath(unseen):
        if node is tree:
            return None
        if node.getparent() is not None:  # a comment before the document is no part of it
            node.drop_tree()
    return tree


def _squeezed(text: str) -> str:
    """Drop what layout adds: spaces, typographic quotes, code marks."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(_QUOTES))
