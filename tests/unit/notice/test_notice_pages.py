"""Policy page, notice, settings help and API text come from one policy: each number on them, and both digests."""

import json
import re
from pathlib import Path

import pytest
from notices import POLICIES, Edit, document, manifest

from assent.policy.build import build
from assent.policy.document import Document
from assent.policy.lint import Beside, lint_document
from assent.policy.parse import parse_document
from assent.policy.render import render as statements_of
from assent.services.notice.changes import changes_html, changes_markdown
from assent.services.notice.generate import manifest_for
from assent.services.notice.pages import digests, pages, policy_html, policy_markdown
from assent.services.notice.parse import parse_manifest

LENGTHS: list[Edit] = [
    ('use_for = "P30D"', 'use_for = "P41D"'),
    ('anchor = "retention anchor"\nuse_for = "P5Y"', 'anchor = "retention anchor"\nuse_for = "P11Y"'),
    ('use_for = "P2Y"', 'use_for = "P13Y"'),
    ('use_for = "P7Y"', 'use_for = "P17Y"'),
    ('retention_on_withdrawal = "P30D"', 'retention_on_withdrawal = "P43D"'),
    ('erase_after = "P30D"', 'erase_after = "P47D"'),
]


def written(policy: Document) -> dict[str, str]:
    return pages(manifest(), policy)


@pytest.mark.parametrize("edit", LENGTHS, ids=[edit[1].split()[-1] for edit in LENGTHS])
def test_a_duration_changed_in_the_policy_changes_on_every_page(edit: Edit) -> None:
    before, after = written(document()), written(document(edit))
    new = re.search(r"\d+", edit[1].rpartition('"P')[2])
    assert new is not None
    for name, text in after.items():
        assert re.search(rf"(?<!\d){new[0]}(?!\d)", shown(text)), name
        assert shown(text) != shown(before[name]), name


def shown(text: str) -> str:
    """What a page says, without digests, styles and versions."""
    return re.sub(r"sha256:\w+|<style>.*?</style>|anthropic/[\d-]+", "", text, flags=re.DOTALL)


def test_every_number_on_every_page_comes_from_the_policy() -> None:
    """A number that stands on a page and neither in the policy's values nor its sentences would be our invention."""
    policy = document()
    ours = policy.model_dump_json() + " ".join(statement.text for statement in statements_of(policy))
    known = set(re.findall(r"\d+", ours)) | {"8", "10", "2025"}
    for name, text in written(policy).items():
        body = re.sub(r"<footer.*?</footer>|<head>.*?</head>|\n---\n.*", "", shown(text), flags=re.DOTALL)
        body = re.sub(r"<[^>]*>|\"version\": \"1\"|h[1-6]", " ", body)
        assert set(re.findall(r"\d+", body)) <= known, name


def test_every_page_names_the_policy_and_the_notice_it_comes_from() -> None:
    for name, text in written(document()).items():
        assert build(document()).digest in text, name
        assert manifest().digest in text, name


def test_there_is_a_page_of_each_kind_and_locale() -> None:
    names = set(written(document()))
    assert {"policy.html", "policy.md", "api.json"} <= names
    for locale in manifest().locales:
        assert {f"notice.{locale}.html", f"settings.{locale}.md", f"settings.{locale}.json"} <= names


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_published_page_passes_the_policys_own_lint_of_pages(file: Path) -> None:
    policy = parse_document(file.read_text("utf-8"), file.name)
    statements, names = statements_of(policy), digests(None, policy)
    for page in (policy_html(policy, statements, names), policy_markdown(policy, statements, names)):
        assert [f for f in lint_document(policy, Beside(page=page)) if f.lint == "L15"] == []


def test_two_purposes_are_two_questions_on_the_pages() -> None:
    policy = document(name="google/2026-08-10")
    made = parse_manifest(manifest_for(policy), "n")
    assert len(made.purposes) == 2
    found = pages(made, policy)
    assert {f"notice.{purpose}.en.html" for purpose in made.purposes} <= set(found)
    assert [entry["purpose"] for entry in json.loads(found["settings.en.json"])["settings"]] == made.purposes
    assert [entry["purpose"] for entry in json.loads(found["api.json"])["purposes"]] == made.purposes


def test_the_change_log_says_what_changes_and_for_whom() -> None:
    old, new = document(name="anthropic/2025-05-01"), document()
    text = changes_markdown(old, new)
    assert "kept 10 years becomes 5 years" in text
    assert "Who is affected: people on plans free, max and pro, only after feedback" in text
    assert "longer retention" in text
    for policy in (old, new):
        assert build(policy).digest in text
        assert build(policy).digest in changes_html(old, new)
    assert "<script" not in changes_html(old, new)


def test_a_change_of_words_is_told_from_one_that_reaches_people() -> None:
    policy = document(("Incognito conversations are", "Incognito chats are"))
    text = changes_markdown(document(), policy)
    assert text.index("Changes that alone change nothing for anybody") < text.index("Incognito chats")
    assert "All changes together: unchanged meaning." in text
