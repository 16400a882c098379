"""A disclosure as one HTML page, without scripts and without anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assent.services.disclose.document import Disclosure, Section

_STYLE: Final = """\
body{background:#fff;color:#1b1b1b;font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem}
h1{font-size:1.5rem;line-height:1.25}h2{border-top:1px solid #767676;font-size:1.1rem;padding-top:1rem}
dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere}small,footer{color:#474747}
footer{font-size:.85rem;overflow-wrap:anywhere}
"""

_BASIS: Final = {
    "lineage": "answered from the lineage of the training data",
    "provider": "stated by the provider",
    "lineage and provider": "answered from the lineage of the training data and stated by the provider",
}


def page(disclosure: Disclosure) -> str:
    """Draw a disclosure for people."""
    model = f"{disclosure.model} {disclosure.version}"
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(disclosure.title)}: {escape(model)}</title>\n"
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    about = (
        f"<h1>{escape(disclosure.title)}</h1>\n<p>{escape(model)}. {escape(disclosure.law)}.</p>\n"
        f"<p>Version of the summary: {escape(disclosure.summary_version)}. "
        f'Last update: <time datetime="{disclosure.updated.isoformat()}">{disclosure.updated.isoformat()}</time>.</p>\n'
    )
    sections = "".join(_section(section) for section in disclosure.sections)
    return f"{head}{about}{sections}</main>\n{_footer(disclosure)}</body>\n</html>\n"


def _section(section: Section) -> str:
    title = f'<h2 id="section-{escape(section.number)}">{escape(section.number)}. {escape(section.title)}</h2>\n'
    if not section.items:
        return f"{title}<p>Not stated.</p>\n"
    items = "".join(
        f"<dt>{escape(item.question)}</dt>\n<dd>{escape(item.answer)}<br><small>{_BASIS[item.basis]}</small></dd>\n"
        for item in section.items
    )
    return f"{title}<dl>\n{items}</dl>\n"


def _footer(disclosure: Disclosure) -> str:
    if not disclosure.cuts:
        return "<footer><p>No cut is part of the lineage of this model.</p></footer>\n"
    cuts = "".join(
        f"<li>cut {escape(name)} number {number}, manifest {escape(found)}</li>\n"
        for name, number, found in disclosure.cuts
    )
    return f"<footer><p>Lineage:</p>\n<ul>\n{cuts}</ul></footer>\n"
