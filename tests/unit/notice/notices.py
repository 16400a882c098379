"""The notice that the tests break: the one of Anthropic's policy, and edits of it and of the policy."""

from functools import cache
from pathlib import Path

from assent.policy.document import Document
from assent.policy.parse import parse_document
from assent.services.notice.parse import Manifest, parse_manifest
from assent.services.notice.render import Rendered, orders, render

ROOT = Path(__file__).resolve().parents[3]
POLICIES = sorted((ROOT / "policies").glob("*/*.toml"))
NOTICES = sorted((ROOT / "notices").glob("*/*.toml"))
NAME = "anthropic/2025-10-08"
Edit = tuple[str, str]


def policy_text(name: str = NAME) -> str:
    return (ROOT / "policies" / f"{name}.toml").read_text("utf-8")


def notice_text(name: str = NAME) -> str:
    return (ROOT / "notices" / f"{name}.toml").read_text("utf-8")


def edited(text: str, *edits: Edit) -> str:
    """Replace the first place of each edit; an edit that finds nothing is a mistake of the test."""
    for old, new in edits:
        assert old in text, f"there is no `{old}`"
        text = text.replace(old, new, 1)
    return text


@cache
def document(*edits: Edit, name: str = NAME) -> Document:
    return parse_document(edited(policy_text(name), *edits), name)


@cache
def manifest(*edits: Edit, name: str = NAME) -> Manifest:
    return parse_manifest(edited(notice_text(name), *edits), "notice.toml")


def drawn(manifest_: Manifest, policy: Document, surface: str, locale: str = "en", layout: str = "stacked") -> Rendered:
    return render(
        manifest_,
        policy,
        purpose="training",
        surface=surface,
        locale=locale,
        layout=layout,
        options=orders(manifest_, policy)[0],
    )
