"""What a person is asked: every sentence stands in the policy, and nothing that happens without an answer is hidden."""

import tomllib
from pathlib import Path

import pytest
from provider import LIBRARY, NEW, policies, text_of

from assent.domain.digests import digest_bytes
from assent.domain.errors import AssentError
from assent.policy.model import Policy
from assent.policy.parse import parse_policy
from assent.services.notice import Notice, notice_of

FILES = sorted(LIBRARY.glob("*/*.toml"))
ASKING = [file for file in FILES if "choice = " in file.read_text("utf-8")]
FIXED = {
    "If you allow it:",
    "If you do not:",
    "Either way:",
    "Never used, even if you allow it:",
    "If you take it back later:",
    "Closing this, or not answering, is not a yes.",
}


def policy(*changes: tuple[str, str]) -> Policy:
    text = text_of(NEW)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_policy(text, NEW)


def sentences(table: object) -> set[str]:
    """Every `says` of a policy file."""
    if isinstance(table, dict):
        own = {table["says"]} if isinstance(table.get("says"), str) else set()
        return own.union(*map(sentences, table.values()), set())
    return set().union(*map(sentences, table)) if isinstance(table, list) else set()


def sections(notice: Notice) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in notice.text.splitlines():
        if line.endswith(":"):
            found[line.removesuffix(":")] = []
        elif line.startswith("  - "):
            found[list(found)[-1]].append(line.removeprefix("  - ").removesuffix("."))
    return found


@pytest.mark.parametrize("file", ASKING, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_sentence_is_the_policys_own(file: Path) -> None:
    text = file.read_text("utf-8")
    made = parse_policy(text, file.name)
    notice = notice_of(made, "training")
    allowed = {f"  - {says}." for says in sentences(tomllib.loads(text))} | FIXED
    first, *rest = notice.text.splitlines()
    assert first == "May your conversations be used for training?"
    assert rest[-1] == f"Policy {made.name}, {made.digest}"
    assert [line for line in rest[:-1] if line and line not in allowed] == []


def test_the_question_says_what_each_answer_means() -> None:
    found = sections(notice_of(policy(), "training"))
    assert found["If you allow it"] == [
        "You allowed training, and used this conversation while you did, so it is kept up to 5 years"
    ]
    assert found["If you do not"] == ["Conversations are kept up to 30 days after your last turn"]
    assert any("2 years" in says for says in found["Either way"])
    assert any("Incognito" in says for says in found["Never used, even if you allow it"])
    assert found["If you take it back later"] == [
        "You took the permission back: no new run uses this, and it is gone within 30 days"
    ]


def test_the_digest_names_the_exact_text() -> None:
    notice = notice_of(policy(), "training")
    assert notice.digest == digest_bytes(notice.text.encode())
    assert notice.digest == notice_of(policy(), "training").digest


@pytest.mark.parametrize(
    "change",
    [
        ("Conversations are kept up to 30 days", "Conversations are kept up to thirty days"),
        ('use_for = "P5Y"', 'use_for = "P4Y"'),
        ("You took the permission back", "You took it back"),
        ("Incognito conversations are never", "Private conversations are never"),
        ('version = "2025-10-08"', 'version = "2025-10-09"'),
    ],
    ids=repr,
)
def test_a_changed_policy_is_another_notice(change: tuple[str, str]) -> None:
    assert notice_of(policy(change), "training").digest != notice_of(policy(), "training").digest


def test_another_purpose_is_another_question() -> None:
    """Ours has one choice only; what it says of training must not be said of anything else."""
    text = text_of(NEW).replace('choice = { purpose = "training", needs', 'choice = { purpose = "research", needs')
    text = text.replace("[copies]", 'research = { says = "research", cut = true }\n[copies]')
    made = parse_policy(text, NEW)
    assert "If you allow it" in sections(notice_of(made, "research"))


@pytest.mark.parametrize("name", ["openai/2026-06-04", "google/2026-08-10", "xai/2026-04-04"])
def test_use_that_goes_on_without_an_answer_is_said(name: str) -> None:
    ((made, _),) = policies(name)
    by_default = [g for g in made.grants if any(c.purpose == "training" and c.by_default for c in g.choices)]
    assert by_default
    text = notice_of(made, "training").text
    assert [grant.says for grant in by_default if grant.says not in text] == []


@pytest.mark.parametrize(("name", "purpose"), [(NEW, "banana"), (NEW, "service"), ("anthropic/2025-05-01", "training")])
def test_there_is_no_question_where_no_answer_matters(name: str, purpose: str) -> None:
    ((made, _),) = policies(name)
    with pytest.raises(AssentError) as caught:
        notice_of(made, purpose)
    assert caught.value.fix
