"""Everything that is published about a policy, from one policy object and one manifest, with both digests on it (R45).

policy.html, policy.md       what the policy decides, statement by statement
notice.LOCALE.html           the question, for every purpose in every locale
settings.LOCALE.md, .json    the help beside the switch
api.json                     the same values for programs
"""

from __future__ import annotations

import json
import re
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from assent.domain.digests import digest
from assent.policy.build import build, meaning
from assent.policy.render import render as statements_of
from assent.services.notice.as_json import neutral
from assent.services.notice.as_markdown import escaped, prose
from assent.services.notice.render import orders, render
from assent.services.notice.wording import facts_for, worded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assent.policy.document import Document
    from assent.policy.render import Statement
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question

STYLE = "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;\
background:#fff}h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}\
ul{margin:0;padding-inline-start:1.25rem}li{margin-bottom:.25rem}dl{margin:0}dt{font-weight:600}\
dd{margin:0 0 .25rem}footer{margin-top:2rem;font-size:.8rem;overflow-wrap:anywhere;border-top:1px solid #767676;\
padding-top:.5rem}"
"""The look of pages that people read at leisure."""

_CODE = re.compile("`([^`]*)`")


def pages(manifest: Manifest, policy: Document) -> dict[str, str]:
    """Write every page: file name to text, each with the digests of policy and manifest.

    Raises `Invalid` if the manifest does not speak for the policy.
    """
    facts = {purpose: facts_for(manifest, policy, purpose) for purpose in manifest.purposes}
    statements = statements_of(policy)
    names = digests(manifest, policy)
    found = {
        "policy.html": policy_html(policy, statements, names),
        "policy.md": policy_markdown(policy, statements, names),
        "api.json": _json(
            {
                "policy": {"name": manifest.policy, "digest": build(policy).digest},
                "notice": {"name": manifest.name, "version": manifest.version, "digest": manifest.digest},
                "address": manifest.header.policy_url,
                "change": manifest.document.change.address,
                "withdraw": manifest.document.withdraw.address,
                "purposes": [neutral(fact) for fact in facts.values()],
            }
        ),
    }
    for locale in manifest.locales:
        questions = {purpose: worded(manifest, fact, locale=locale) for purpose, fact in facts.items()}
        found[f"settings.{locale}.md"] = settings_markdown(questions, names)
        found[f"settings.{locale}.json"] = _json(settings_record(questions, manifest, policy))
        for purpose in manifest.purposes:
            suffix = "" if len(manifest.purposes) == 1 else f".{purpose}"
            found[f"notice{suffix}.{locale}.html"] = render(
                manifest,
                policy,
                purpose=purpose,
                surface="html",
                locale=locale,
                layout=manifest.header.layouts[0],
                options=orders(manifest, policy)[0],
            ).body
    return found


def digests(manifest: Manifest | None, policy: Document) -> tuple[str, ...]:
    """Name what a page was made from: policy and, if it speaks of one, notice."""
    header = policy.policy
    names = (f"{header.provider}/{header.version} {digest(meaning(policy))}",)
    return names if manifest is None else (*names, f"{manifest.name} {manifest.version} {manifest.digest}")


def policy_html(policy: Document, statements: Sequence[Statement], names: Sequence[str]) -> str:
    """Write the published policy as a page without scripts."""
    parts = []
    for part, group in groupby(statements, key=lambda statement: statement.part):
        items = "".join(f'<li id="{escape(said.id)}">{marked(said.text)}</li>\n' for said in group)
        parts.append(f"<h2>{escape(_title(part))}</h2>\n<ul>\n{items}</ul>\n")
    return html_page(policy.policy.title, "".join(parts), names)


def marked(text: str) -> str:
    """Write text as HTML; its back-ticks mean code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def html_page(title: str, body: str, names: Sequence[str]) -> str:
    """Write a page with a title and, at its foot, what it was made from."""
    foot = "<br>\n".join(escape(name) for name in names)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}</main>\n<footer>\n{foot}\n</footer>\n</body>\n</html>\n"
    )


def policy_markdown(policy: Document, statements: Sequence[Statement], names: Sequence[str]) -> str:
    """Write the published policy as Markdown."""
    lines = [f"# {escaped(policy.policy.title)}"]
    for part, group in groupby(statements, key=lambda statement: statement.part):
        lines += ["", f"## {escaped(_title(part))}", "", *(f"- {prose(said.text)}" for said in group)]
    return "\n".join([*lines, "", "---", "", *(f"`{name}`  " for name in names)]) + "\n"


def settings_markdown(questions: dict[str, Question], names: Sequence[str]) -> str:
    """Write the help that stands beside the switch: every fact, purpose by purpose."""
    lines: list[str] = []
    for question in questions.values():
        lines += [f"# {escaped(question.text)}", ""]
        for section in question.sections:
            if section.heading:
                lines += [f"**{escaped(section.heading)}**", ""]
            lines += [*(f"- {escaped(line.text)}" for line in section.lines), ""]
    return "\n".join([*lines, "---", "", *(f"`{name}`  " for name in names)]) + "\n"


def settings_record(questions: dict[str, Question], manifest: Manifest, policy: Document) -> dict[str, object]:
    """Write the same help for a client that draws its own settings screen."""
    return {
        "policy": {"name": manifest.policy, "digest": build(policy).digest},
        "notice": {"name": manifest.name, "version": manifest.version, "digest": manifest.digest},
        "settings": [
            {
                "purpose": purpose,
                "question": question.text,
                "labels": question.labels,
                "help": {fact: list(said) for fact, said in question.facts().items()},
                **({"feedback": question.feedback} if question.feedback else {}),
            }
            for purpose, question in questions.items()
        ],
    }


def _title(part: str) -> str:
    return part[:1].upper() + part[1:]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
