"""Names go slowly: one that a release had, and that is gone, stands in the changelog under *Removed*."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.docs.names import WRITTEN, names

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def gone(before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]], changelog: str) -> list[str]:
    """List the names that went without a word in the changelog."""
    removed = "\n".join(re.findall(r"^### Removed\n(.*?)(?=^##|\Z)", changelog, re.DOTALL | re.MULTILINE))
    missing = (name for kind in now for name in before[kind] if name not in now[kind])
    return [name for name in missing if f"`{name}`" not in removed]


def test_no_public_name_went_without_a_word() -> None:
    before = json.loads(WRITTEN.read_text("utf-8"))
    assert len(before["commands"]) > 200
    assert gone(before, names(), CHANGELOG.read_text("utf-8")) == [], (
        "write it under `### Removed` of the changelog, as docs/reference/releases.md says;"
        " before the first release `python -m tests.docs.names` is enough"
    )


def test_a_name_that_goes_is_seen_unless_the_changelog_says_so() -> None:
    before, now = {"commands": ["assent plan", "assent plan --json"]}, {"commands": ["assent plan"]}
    assert gone(before, now, "### Added\n\n- `assent plan --json`\n") == ["assent plan --json"]
    assert gone(before, now, "### Removed\n\n- `assent plan --json`: it is the default\n\n## 0.0.9\n") == []
