"""The shipped policy files: each says where every statement comes from, and admits what the provider left open."""

from pathlib import Path

import pytest

from assent.domain.durations import Duration
from assent.policy.document import Cap, Document, Grant, Parameters, PickedLength, Veto
from assent.policy.parse import parse_document, parse_policy

Rule = Grant | Cap | Veto

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "policies").glob("**/*.toml"))
ADMITS = ("filled in", "no number")
NOT_CITED = {"basis", "answer_deadline"}


def named(file: Path) -> str:
    return str(file.relative_to(ROOT / "policies").with_suffix(""))


@pytest.fixture(params=FILES, ids=named)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def document(file: Path) -> Document:
    return parse_document(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))


def rules(document: Document) -> list[Rule]:
    return [*document.grant, *document.exception, *document.cap, *document.veto]


def cited(document: Document) -> set[str]:
    """Every source that a rule, a parameter, the withdrawal or the holds of a file name."""
    return {
        *(rule.source for rule in rules(document)),
        *document.parameters.basis.values(),
        document.withdrawal.source,
        document.hold.source,
    }


def finite_lengths(rule: Rule) -> list[Duration]:
    """The durations a rule states, as numbers with a unit."""
    if isinstance(rule, Grant):
        use = rule.use_for
        stated = [use.default, *use.person_may_pick] if isinstance(use, PickedLength) else [use]
        stated.append(rule.erase_after)
    else:
        stated = [getattr(rule, "use_after", None), getattr(rule, "erase_after", None)]
    return [length for length in stated if isinstance(length, Duration)]


def test_there_are_files() -> None:
    assert {file.parent.name for file in FILES} >= {"anthropic", "google", "meta", "microsoft", "openai", "xai"}


def test_the_name_is_the_path(file: Path) -> None:
    policy = parse_policy(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))
    assert policy.name == named(file)


def test_every_source_used_is_defined(document: Document) -> None:
    assert cited(document) - {"none", "open"} <= set(document.sources)


def test_every_source_defined_is_used(document: Document) -> None:
    assert set(document.sources) <= cited(document)


def test_every_parameter_has_a_basis(document: Document) -> None:
    assert set(document.parameters.basis) == set(Parameters.model_fields) - NOT_CITED


def test_every_finite_duration_has_a_source_or_admits_that_there_is_none(document: Document) -> None:
    silent = [
        f"{rule.id}: {rule.says}"
        for rule in rules(document)
        if finite_lengths(rule) and rule.source == "none" and not any(word in rule.says for word in ADMITS)
    ]
    assert silent == []


def test_every_rule_without_an_end_has_an_owner_and_a_review_date(document: Document) -> None:
    grants = [*document.grant, *document.exception]
    endless = [grant for grant in grants if grant.use_for == "indefinite"]
    assert [grant.id for grant in endless if not grant.owner or not grant.review] == []


def test_the_head_comment_names_what_is_open(file: Path) -> None:
    head = file.read_text(encoding="utf-8").partition("assent = 1")[0]
    assert head.startswith("# ")


def test_a_superseded_version_is_followed_by_a_file(document: Document) -> None:
    """A file that is no longer in force needs a successor here, or nobody learns what replaced it."""
    name = f"{document.policy.provider}/{document.policy.version}"
    followers = [
        other
        for other in FILES
        if other.parent.name == document.policy.provider
        and parse_document(other.read_text(encoding="utf-8"), other.name).policy.supersedes == name
    ]
    assert document.policy.status != "superseded" or followers
