"""A manifest is read as policies are: every fault has its line and its remedy."""

import json
import random
import re
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import jsonschema
import pytest
from notices import NOTICES, ROOT, Edit, document, drawn, edited, manifest, notice_text

from assent.domain.errors import AssentError
from assent.policy.parse import parse_document
from assent.services.notice.document import json_schema
from assent.services.notice.lint import CHECKS, lint_notice
from assent.services.notice.parse import PLACEHOLDERS, ManifestProblems, parse_manifest
from assent.services.notice.words import SHIPPED, direction, shipped

T = TypeVar("T")


def problems(text: str) -> list[str]:
    with pytest.raises(ManifestProblems) as caught:
        parse_manifest(text, "notice.toml")
    assert all(problem.fix for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("file", NOTICES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_shipped_notices_are_manifests_and_fit_the_schema(file: Path) -> None:
    text = file.read_text("utf-8")
    assert parse_manifest(text, file.name).locales == list(SHIPPED)
    jsonschema.validate(tomllib.loads(text), json_schema())


def test_the_schema_beside_the_specification_is_the_programs() -> None:
    """Written by `assent notice schema > spec/notice.schema.json`."""
    assert json.loads((ROOT / "spec" / "notice.schema.json").read_text("utf-8")) == json_schema()
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("assent = 1", "assent = 1\n["), "notice.toml:6:2: this is not TOML"),
        (('order = "random"', 'order = "randon"'), "notice.toml:13:1: `order`: `randon` is not allowed"),
        (("steps = 1", 'steps = "1"'), "`steps` is not a whole number"),
        (("steps = 1", "steps = 0"), "`steps` is too small"),
        (('contact = "Privacy team"\n', ""), "`contact` is missing"),
        (("[change]", "[chance]"), "`chance` is not known here"),
        (("{retention_allowed}", "{retention_alowed}"), "`{retention_alowed}` stands for nothing"),
        (("{retention_allowed}", "{retention_allowed"), "a brace in this text has no partner"),
        (('purposes = ["training"]', "purposes = []"), "`purposes` is too short"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_fault_is_said_with_its_place_and_remedy(edit: Edit, said: str) -> None:
    found = problems(edited(notice_text(), edit))
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("notice.toml:") for problem in found)


def test_a_locale_that_does_not_exist_is_refused() -> None:
    text = edited(notice_text(), *[(f"[locale.ar{end}", f"[locale.xx-nowhere{end}") for end in ends("ar")])
    assert any("`xx-nowhere` is not a locale" in problem for problem in problems(text))


def test_all_faults_are_said_at_once_in_file_order() -> None:
    found = problems(edited(notice_text(), ('order = "random"', 'order = "x"'), ("steps = 1", "steps = 0")))
    assert len(found) == 2
    assert found == sorted(found, key=lambda problem: int(problem.split(":")[1]))


def test_a_remedy_names_the_word_that_was_meant() -> None:
    with pytest.raises(ManifestProblems) as caught:
        parse_manifest(edited(notice_text(), ("{retention_allowed}", "{retention_alowed}")), "n")
    assert caught.value.fix == "did you mean `{retention_allowed}`?"


def test_a_locale_that_assent_does_not_ship_needs_its_own_phrases() -> None:
    text = edited(notice_text(), *[(f"[locale.ar{end}", f"[locale.da{end}") for end in ends("ar")])
    assert any("assent has no words for this locale" in problem.fix for problem in faults(text))


def test_no_notice_bends_the_phrases_of_a_shipped_locale() -> None:
    text = notice_text() + phrases("en")
    assert any("so that no notice can bend them" in problem.fix for problem in faults(text))


def faults(text: str) -> list[ManifestProblems]:
    with pytest.raises(ManifestProblems) as caught:
        parse_manifest(text, "n")
    return caught.value.problems


def ends(locale: str) -> list[str]:
    return [
        line.removeprefix(f"[locale.{locale}") for line in notice_text().splitlines() if f"[locale.{locale}" in line
    ]


def phrases(locale: str) -> str:
    words = shipped(locale)
    assert words is not None
    lines = [f"\n[locale.{locale}.phrases]"]
    for key, value in words.phrases.model_dump().items():
        if isinstance(value, dict):
            lines.append(f"{key} = {{ {', '.join(f'{json.dumps(k)} = {json.dumps(v)}' for k, v in value.items())} }}")
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def test_the_digest_names_the_meaning_and_not_the_layout_of_the_file() -> None:
    plain = manifest()
    assert manifest(("assent = 1", "# a comment\n\nassent   =   1")).digest == plain.digest
    assert manifest(("Staff may read them", "Staff can read them")).digest != plain.digest


def test_one_shipped_locale_is_written_from_right_to_left() -> None:
    assert [locale for locale in SHIPPED if direction(locale) == "rtl"] == ["ar"]


def test_the_example_of_the_specification_is_a_good_notice_and_looks_as_shown() -> None:
    policy_page, notice_page = ((ROOT / "spec" / f"{name}.md").read_text("utf-8") for name in ("policy", "notice"))
    policy = parse_document(policy_page.partition("```toml\n")[2].partition("```")[0], "policy.md")
    made = parse_manifest(notice_page.partition("```toml\n")[2].partition("```")[0], "notice.md")
    assert [finding.message for finding in lint_notice(made, policy) if finding.level == "error"] == []
    printed = notice_page.partition("```text\n")[2].partition("```")[0]
    assert drawn(made, policy, "terminal").body.startswith(printed)


def test_every_check_and_placeholder_is_in_the_specification() -> None:
    page = (ROOT / "spec" / "notice.md").read_text("utf-8")
    assert [check for check in CHECKS if f"| {check} |" not in page] == []
    table = page.partition("## 5. Placeholders")[2].partition("## 6.")[0]
    assert set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)))) == PLACEHOLDERS


def test_a_placeholder_is_not_shaped_and_reaches_into_nothing() -> None:
    for hostile in ("{use:>9999999}", "{use!r}", "{use.__class__}", "{use[0]}", "{}", "{0}"):
        found = problems(edited(notice_text(), ("Use for {use}: yes.", f"Use for {hostile}: yes.")))
        assert len(found) == 1, hostile


def test_phrases_of_its_own_must_be_whole() -> None:
    edits = [(f"[locale.de{end}", f"[locale.da{end}") for end in ends("de")]
    whole = edited(notice_text(), *edits) + phrases("de").replace("locale.de", "locale.da")
    assert parse_manifest(whole, "n").locales[1] == "da"
    lacking = whole.replace('"voice": "Sprache", ', "").replace('"voice" = "Sprache", ', "")
    assert any("`data` has no words for `voice`" in problem for problem in problems(lacking))
    assert any(
        "stands for nothing" in problem for problem in problems(whole.replace("bis zu {length}", "bis zu {laenge}"))
    )


def mutated(chance: random.Random) -> str:
    """Break the notice at a few random places: bytes gone, doubled, swapped with others of the file."""
    text = notice_text()
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(text)), chance.randint(1, 30)
        other = chance.randrange(len(text))
        piece = chance.choice(
            ["", text[at : at + length] * 2, text[other : other + length], "{", '"', "=", "\n", "[x]", "\x00"]
        )
        text = text[:at] + piece + text[at + length :]
    return text


def answers_or_says_why(seed: int) -> bool:
    """Read a damaged notice; a text that is read but cannot be drawn has an error of the lint."""
    made, problem = tried(lambda: parse_manifest(mutated(random.Random(seed)), "n"))
    if made is None:
        assert isinstance(problem, ManifestProblems)
        assert all(each.fix and each.place for each in problem.problems)
        return False
    wrong = any(finding.level == "error" for finding in lint_notice(made, document()))
    for locale in made.locales:
        shown, refused = tried(partial(drawn, made, document(), "html", locale))
        assert shown or (refused and refused.fix and wrong), refused
    return True


def tried(work: Callable[[], T]) -> tuple[T | None, AssentError | None]:
    try:
        return work(), None
    except AssentError as problem:
        return None, problem


def test_a_damaged_manifest_is_read_or_refused_with_words() -> None:
    assert sum(answers_or_says_why(seed) for seed in range(80)) > 1


@pytest.mark.deep
def test_many_damaged_manifests_are_read_or_refused_with_words() -> None:
    assert sum(answers_or_says_why(seed) for seed in range(3000)) > 100
