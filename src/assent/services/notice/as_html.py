"""The question as HTML without scripts: equal buttons, nothing chosen or focused beforehand, both in view.

The buttons belong to the form `assent-choice`, which the page around a fragment provides (with
its signed snapshot): so the bytes that everybody is shown are the same, and nothing in them is
personal. Pressing a button is the only thing that answers.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assent.services.notice.drawing import Drawing
    from assent.services.notice.wording import Line, Section

# Text on its ground has a contrast of 16:1, links 8:1; both answers share every rule. Targets are 44 px high.
STYLE: Final = """
.assent-notice{color-scheme:light dark;--i:light-dark(#1b1b1b,#e9ecec);--g:light-dark(#fff,#1d2225);\
--l:light-dark(#767676,#7d888c);--a:light-dark(#0b4f9e,#9cc7ff);\
background:var(--g);color:var(--i);font:1rem/1.45 system-ui,sans-serif;\
max-width:46rem;margin:0 auto;padding:1.25rem 1.25rem 0;border-radius:.5rem}
.assent-notice h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
.assent-notice h2,.assent-notice th{font-size:1rem;font-weight:600;margin:0 0 .125rem;text-align:start}
.assent-notice ul{margin:0 0 .75rem;padding:0;list-style:none}
.assent-notice li{margin:0 0 .125rem;max-width:none}
.assent-notice table{border-collapse:collapse;width:100%;margin:0 0 .75rem;table-layout:fixed}
.assent-notice th,.assent-notice td{border:1px solid var(--l);padding:.35rem .5rem;vertical-align:top}
.assent-notice .pair{display:block}
.assent-notice .answers{position:sticky;bottom:0;background:var(--g);border-top:1px solid var(--l);display:grid;\
gap:.5rem;grid-template-columns:1fr 1fr;padding:.75rem 0}
.assent-notice button{font:inherit;font-weight:600;color:var(--i);background:var(--g);border:2px solid var(--i);\
border-radius:.4rem;min-height:44px;padding:.4rem .75rem;cursor:pointer}
.assent-notice button[value=defer]{grid-column:1/-1;font-weight:400;border-width:1px}
.assent-notice button:focus-visible,.assent-notice a:focus-visible{outline:3px solid var(--a);outline-offset:2px}
.assent-notice footer{font-size:.8rem;overflow-wrap:anywhere;padding:.5rem 0 1rem}
.assent-notice a{color:var(--a);display:inline-block;min-height:24px}
@media (min-width:40rem){.assent-notice[data-layout=side-by-side] .pair{display:grid;grid-template-columns:1fr 1fr;\
gap:1.5rem}}
"""


def page(drawing: Drawing) -> str:
    """Draw a whole page; its form sends the answer back to its own address."""
    question = drawing.question
    return (
        f'<!doctype html>\n<html lang="{escape(question.locale)}" dir="{question.direction}">\n<head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(question.text)}</title>\n</head>\n<body>\n<main>\n"
        f"{fragment(drawing)}</main>\n"
        '<form id="assent-choice" method="post"></form>\n</body>\n</html>\n'
    )


def fragment(drawing: Drawing) -> str:
    """Draw the question to stand in a page that has a form `assent-choice`."""
    question = drawing.question
    by_id = {section.id: section for section in question.sections}
    before, after = by_id["about"], [by_id[name] for name in ("either", "back", "undo", "silence")]
    sides = [section for section in question.sections if section.id in drawing.options]
    answers = "\n".join(
        f'<button type="submit" form="assent-choice" name="act" value="{act}">{escape(drawing.label(act))}</button>'
        for act in drawing.options
    )
    pair = _table if drawing.layout == "table" else _pair
    return (
        f'<section class="assent-notice" lang="{escape(question.locale)}" dir="{question.direction}"'
        f' data-purpose="{escape(drawing.facts.purpose)}" data-layout="{drawing.layout}"'
        f' aria-labelledby="assent-question">\n<style>{STYLE}</style>\n'
        f'<h1 id="assent-question" data-fact="who_asks">{escape(question.text)}</h1>\n'
        f"{_list(before)}{pair(*sides)}"
        f"{''.join(_headed(section) for section in after)}"
        f'<div class="answers" role="group" aria-labelledby="assent-question">\n{answers}\n</div>\n'
        f"{_footer(drawing)}</section>\n"
    )


def _pair(one: Section, other: Section) -> str:
    return f'<div class="pair">\n<div>\n{_headed(one)}</div>\n<div>\n{_headed(other)}</div>\n</div>\n'


def _table(*sides: Section) -> str:
    """Set the two answers beside each other, topic by topic; what only one of them has stands alone in its row."""
    heads = "".join(f'<th scope="col" data-heading="{section.id}">{escape(section.heading)}</th>' for section in sides)
    rows = []
    for number in range(max(len(section.lines) for section in sides)):
        cells = "".join(_cell(section, number) for section in sides)
        rows.append(f"<tr>{cells}</tr>\n")
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"


def _cell(section: Section, number: int) -> str:
    if number >= len(section.lines):
        return "<td></td>"
    line = section.lines[number]
    return f"<td{_marks(section, line)}>{escape(line.text)}</td>"


def _headed(section: Section) -> str:
    fact = ' data-fact="deadline"' if section.id == "silence" else ""
    return f'<h2 data-heading="{section.id}"{fact}>{escape(section.heading)}</h2>\n{_list(section)}'


def _list(section: Section) -> str:
    items: Iterable[str] = (f"<li{_marks(section, line)}>{escape(line.text)}</li>\n" for line in section.lines)
    return f"<ul>\n{''.join(items)}</ul>\n"


def _marks(section: Section, line: Line) -> str:
    return f' data-section="{section.id}" data-slot="{line.slot}" data-fact="{line.fact}"'


def _footer(drawing: Drawing) -> str:
    policy, notice, arranged = drawing.names
    address = escape(drawing.manifest.header.policy_url)
    return (
        f'<footer dir="ltr">\n<a href="{address}">{escape(policy)}</a><br>\n{escape(notice)}<br>\n'
        f"{escape(arranged)}\n</footer>\n"
    )
