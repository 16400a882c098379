"""What a new version of a policy changes, in plain words and for whom, ready to publish (R46)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from assent.policy.compare import compare
from assent.policy.compare_effect import UNCHANGED
from assent.services.notice.as_markdown import prose
from assent.services.notice.pages import html_page, marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assent.policy.compare import Change, Comparison
    from assent.policy.compare_effect import Effect
    from assent.policy.document import Document

_WORDS_ONLY: Final = "Changes that alone change nothing for anybody"


def changes_html(old: Document, new: Document) -> str:
    """Write the change log between two versions as a page."""
    comparison = compare(old, new)
    reaching, wording = _sorted(comparison)
    body = [f"<p>{escape(_whole(comparison))}</p>\n", _effect_html(comparison.effect)]
    body += [f"{_headed(change)}{_change_html(change)}" for change in reaching]
    if wording:
        items = "".join(f"<li>{marked(_headline(change))}</li>\n" for change in wording)
        body.append(f"<h2>{_WORDS_ONLY}</h2>\n<ul>\n{items}</ul>\n")
    return html_page(_title(old, new), "".join(body), _names(comparison))


def changes_markdown(old: Document, new: Document) -> str:
    """Write the change log between two versions as Markdown."""
    comparison = compare(old, new)
    reaching, wording = _sorted(comparison)
    lines = [f"# {prose(_title(old, new))}", "", prose(_whole(comparison)), "", *_effect_lines(comparison.effect)]
    for change in reaching:
        lines += ["", f"## {prose(_headline(change))}", "", *_change_lines(change)]
    if wording:
        lines += ["", f"## {_WORDS_ONLY}", "", *(f"- {prose(_headline(change))}" for change in wording)]
    return "\n".join([*lines, "", "---", "", *(f"`{name}`  " for name in _names(comparison))]) + "\n"


def _title(old: Document, new: Document) -> str:
    return f"What changes from {old.policy.version} to {new.policy.version}: {new.policy.title}"


def _names(comparison: Comparison) -> tuple[str, str]:
    return f"{comparison.old} {comparison.old_digest}", f"{comparison.new} {comparison.new_digest}"


def _whole(comparison: Comparison) -> str:
    return f"All changes together: {', '.join(comparison.directions())}."


def _sorted(comparison: Comparison) -> tuple[list[Change], list[Change]]:
    """Part the changes that reach people from those that change nothing for anybody on their own."""
    reaching = [change for change in comparison.changes if change.effect.directions or not change.alone]
    return reaching, [change for change in comparison.changes if change not in reaching]


def _headline(change: Change) -> str:
    text = change.text.replace(" -> ", " becomes ")
    return text[:1].upper() + text[1:]


def _headed(change: Change) -> str:
    """Head a change with what it is about; how it changes is a sentence of its own."""
    about, _, how = _headline(change).partition(": ")
    return f"<h2>{marked(about)}</h2>\n" + (f"<p>{marked(how[:1].upper() + how[1:])}</p>\n" if how else "")


def _said(effect: Effect) -> Iterator[tuple[str, str]]:
    """Say an effect as pairs of a term and its meaning."""
    yield "What it does", ", ".join(effect.directions) or UNCHANGED
    if effect.directions:
        yield "Who is affected", effect.affected
        yield "Example", effect.example
        yield "Before", effect.before
        yield "After", effect.after


def _change_lines(change: Change) -> list[str]:
    if change.alone:
        return _effect_lines(change.effect)
    return ["- It stands only together with other changes; see all changes together."]


def _effect_lines(effect: Effect) -> list[str]:
    return [f"- {term}: {prose(said)}" for term, said in _said(effect)]


def _change_html(change: Change) -> str:
    if change.alone:
        return _effect_html(change.effect)
    return "<p>It stands only together with other changes; see all changes together.</p>\n"


def _effect_html(effect: Effect) -> str:
    items = "".join(f"<dt>{term}</dt><dd>{escape(said)}</dd>\n" for term, said in _said(effect))
    return f"<dl>\n{items}</dl>\n"
