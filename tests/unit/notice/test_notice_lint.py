"""A good notice passes; for every check there is one edit that only this check rejects; a bad layout fails on many."""

from pathlib import Path

import pytest
from notices import NOTICES, POLICIES, Edit, document, edited, manifest, notice_text
from test_notice_manifest import ends, phrases

from assent.domain.errors import Invalid
from assent.policy.parse import parse_document
from assent.services.notice.facts import FACTS
from assent.services.notice.generate import manifest_for
from assent.services.notice.lexicon import found
from assent.services.notice.lint import CHECKS, lint_notice
from assent.services.notice.parse import Manifest, parse_manifest
from assent.services.notice.readability import read, syllables_of
from assent.services.notice.wording import SLOTS, facts_for, worded
from assent.services.notice.words import SHIPPED, shipped

BREAKS: list[tuple[str, Edit]] = [
    ("N-R01", ('act = "allow"', 'act = "allow"\npreset = true')),
    ("N-R01", ('act = "allow"', 'act = "allow"\nfocused = true')),
    ("N-R01", ('closing = "nothing"', 'closing = "allow"')),
    ("N-R01", ('entering = "nothing"', 'entering = "allow"')),
    ("N-R02", ('act = "decline"', 'act = "decline"\nkind = "link"')),
    ("N-R02", ('act = "decline"', 'act = "decline"\nemphasis = "faint"')),
    ("N-R02", ('act = "allow"', 'act = "allow"\nemphasis = "strong"')),
    ("N-R03", ('act = "decline"', 'act = "decline"\nsteps = 3')),
    ("N-R04", ('[[control]]\nact = "decline"\n', "")),
    ("N-R04", ('decline = "Don\'t allow"\n', "")),
    ("N-R05", ('order = "random"', 'order = "allow first"')),
    ("N-R06", ('act = "allow"', 'act = "allow"\naccepts = ["the new terms"]')),
    ("N-R06", ('allow = "Allow"', 'allow = "Accept"')),
    ("N-R09", ('decline = "Don\'t allow"', 'decline = "Don\'t stop me from not allowing"')),
    ("N-R09", ('allow = "Erlauben"', 'allow = "Nicht ablehnen"')),
    ("N-R10", ('closing = "nothing"', 'closing = "nothing"\ndeadline_shown = "countdown"')),
    ("N-R10", ('no_answer = "{no_answer}."', 'no_answer = "{no_answer}. This is your last chance."')),
    ("N-R10", ("Sie widerrufen", "Sie umgehend widerrufen")),
    ("N-R11", ("Use for {use}: yes.", "Use for {use}: yes, thanks to you.")),
    ("N-R11", ('allow = "Si dice que sí"', 'allow = "Si nos ayuda"')),
    ("N-R11", ("Uso para {use}: no.", "Uso para {use}: no, lamentablemente.")),
    ("N-R12", ('retention_declined = "Kept {retention_declined}."\n', "")),
    ("N-R12", ("Kept {retention_allowed}.", "Kept for some time.")),
    ("N-R12", ("Kept {retention_allowed}.", "Kept {retention_allowed}, at most 3 years.")),
    ("N-R12", ("Guardados {retention_declined}.", "Dos años, {retention_declined}.")),
    ("N-R12", ("No answer {deadline} means", "No answer {deadline} 2024 means")),
    ("N-R12", ("May {controller} use your chats", "May we use your chats")),
    ("N-R12", ('training = "training models"', 'coaching = "training models"')),
    ("N-R12", ('policy = "anthropic/2025-10-08"', 'policy = "anthropic/2025-09-28"')),
    ("N-R13", ("Deleted chats {deletion}.", f"{'They read some of it. ' * 9}Deleted chats {{deletion}}.")),
    (
        "N-R13",
        ("Deleted chats {deletion}.", "Notwithstanding prior correspondence, deleted conversations {deletion}" * 2),
    ),
    ("N-R13", ('not_asked = "Business plans are not asked."\n', "")),
    ("N-R15", ("[change]", '[[omission]]\nsurface = "terminal"\nfacts = ["recipients"]\n\n[change]')),
    ("N-R15", ("Staff may read them.", "Staff may\\nread them.")),
    ("N-R16", ('address = "/settings/privacy"\nsteps = 1', 'address = "/settings/privacy"\nsteps = 4')),
    ("N-R40", ('shown = "before sending"', 'shown = "after sending"')),
    ("N-R40", ("rating_alone = true", "rating_alone = false")),
    ("N-R40", ("the whole chat is stored", "your rating is stored")),
    ("N-R40", ('rating_only = "Send the rating only"\n', "")),
    (
        "N-R52",
        (
            "[change]",
            (
                '[experiment]\nmeasures = ["allow rate"]\n[[experiment.variants]]\nid = "a"\nlayout = "stacked"\n'
                '[[experiment.variants]]\nid = "b"\nlayout = "table"\n\n[change]'
            ),
        ),
    ),
    (
        "N-R52",
        (
            "[change]",
            (
                '[experiment]\nmeasures = ["regret"]\n[[experiment.variants]]\nid = "a"\nlayout = "stacked"\n'
                '[[experiment.variants]]\nid = "b"\nlayout = "table"\nwords = { allow = "Yes, please" }\n\n[change]'
            ),
        ),
    ),
]


def rejecting(made: Manifest) -> set[str]:
    return {finding.lint for finding in lint_notice(made, document()) if finding.level == "error"}


@pytest.mark.parametrize("file", NOTICES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_shipped_notices_have_no_errors(file: Path) -> None:
    made = parse_manifest(file.read_text("utf-8"), file.name)
    assert [f for f in lint_notice(made, document(name=made.policy)) if f.level == "error"] == []


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_manifest_made_from_a_policy_has_no_errors(file: Path) -> None:
    policy = parse_document(file.read_text("utf-8"), file.name)
    if "choice = " not in file.read_text("utf-8"):
        with pytest.raises(Invalid):
            manifest_for(policy)
        return
    text = manifest_for(policy)
    assert [f.message for f in lint_notice(parse_manifest(text, "n"), policy) if f.level == "error"] == []
    assert text == manifest_for(policy)


@pytest.mark.parametrize(("check", "edit"), BREAKS, ids=[f"{check}-{n}" for n, (check, _) in enumerate(BREAKS)])
def test_one_edit_is_rejected_by_its_check_alone(check: str, edit: Edit) -> None:
    made = manifest(edit)
    assert rejecting(made) == {check}
    broken = [finding for finding in lint_notice(made, document()) if finding.level == "error"]
    assert all(finding.fix and finding.place and finding.place.line for finding in broken)


def test_every_check_is_seeded() -> None:
    assert {check for check, _ in BREAKS} == set(CHECKS)


def test_every_fact_that_is_left_out_is_missed() -> None:
    for slot in SLOTS:
        if SLOTS[slot].optional:
            continue
        line = next(
            line
            for line in notice_text().splitlines()
            if (line.startswith(f"{slot} = ") and "{" in line) or line.startswith(f'{slot} = "Staff')
        )
        assert rejecting(manifest((line + "\n", ""))) == {"N-R12"}, slot
    assert {slot.fact for slot in SLOTS.values()} | {"who_asks"} >= set(FACTS)


def test_the_criticised_layout_of_2025_fails_on_many() -> None:
    """A preset switch under a large accept button, a faint way out, terms in the same click, praise, hidden numbers."""
    made = parse_manifest(
        edited(
            notice_text(),
            ('[[control]]\nact = "decline"\n', '[[control]]\nact = "defer"\nkind = "link"\nemphasis = "faint"\n'),
            (
                '[[control]]\nact = "allow"\n',
                (
                    '[[control]]\nact = "allow"\nkind = "switch"\nemphasis = "strong"\npreset = true\nfocused = true\n'
                    'accepts = ["consumer terms", "privacy policy"]\n'
                ),
            ),
            ('[[control]]\nact = "defer"\n\n[change]', "[change]"),
            (
                '[change]\naddress = "/settings/privacy"\nsteps = 1',
                '[change]\naddress = "/settings/privacy"\nsteps = 4',
            ),
            ('allow = "Allow"', 'allow = "Accept"'),
            ("May {controller} use your chats for {use}?", "You can help improve {controller} for {use}"),
            ('retention_allowed = "Kept {retention_allowed}."\n', ""),
            ('retention_declined = "Kept {retention_declined}."\n', ""),
            ('exceptions = "We keep {exceptions}. {exceptions_use}. {law}."\n', ""),
            ('undo = "{started_runs}. {finished_models}."\n', ""),
        ),
        "bad.toml",
    )
    failed = rejecting(made)
    assert failed >= {"N-R01", "N-R04", "N-R06", "N-R09", "N-R11", "N-R12", "N-R16"}
    assert len([f for f in lint_notice(made, document()) if f.level == "error"]) >= 12


@pytest.mark.parametrize("locale", SHIPPED)
def test_every_shipped_locale_has_lists_that_find_something(locale: str) -> None:
    words = shipped(locale)
    assert words is not None
    lexicon = words.lexicon
    for entries in (lexicon.urgency, lexicon.emotive, lexicon.terms, lexicon.negations, lexicon.whole_chat):
        for entry in entries:
            assert found(f"{entry.replace('*', '5')}.", [entry]) == [entry]
    assert set(lexicon.units) == {"year", "month", "week", "day", "hour"}


@pytest.mark.parametrize("locale", SHIPPED)
def test_urgency_is_found_in_every_shipped_locale(locale: str) -> None:
    words = shipped(locale)
    assert words is not None
    label = next(line for line in block(locale, "labels") if line.startswith("defer"))
    hurried = label.replace('= "', f'= "{words.lexicon.urgency[0].replace("*", "3")} ')
    text = notice_text()
    at = text.index(f"[locale.{locale}.labels]")
    made = parse_manifest(text[:at] + edited(text[at:], (label, hurried)), "n")
    assert "N-R10" in rejecting(made)


def block(locale: str, table: str) -> list[str]:
    return notice_text().partition(f"[locale.{locale}.{table}]\n")[2].partition("\n\n")[0].splitlines()


def test_a_locale_without_word_lists_is_reported_and_never_passed_silently() -> None:
    edits = [(f"[locale.de{end}", f"[locale.da{end}") for end in ends("de")]
    made = parse_manifest(edited(notice_text(), *edits) + phrases("de").replace("locale.de", "locale.da"), "n")
    silent = {f.lint for f in lint_notice(made, document()) if f.level == "unchecked" and "`da`" in f.message}
    assert silent == {"N-R06", "N-R09", "N-R10", "N-R11", "N-R12", "N-R13", "N-R40"}


def test_arabic_says_that_its_grade_is_not_measured() -> None:
    (said,) = [f for f in lint_notice(manifest(), document()) if f.level == "unchecked"]
    assert said.lint == "N-R13"
    assert "`ar`" in said.message
    assert "not measured" in said.message


def test_a_length_that_equals_the_policys_is_a_warning_only() -> None:
    made = manifest(("Kept {retention_allowed}.", "Kept {retention_allowed} (5 years)."))
    assert rejecting(made) == set()
    assert any("5 years is written out" in f.message for f in lint_notice(made, document()) if f.level == "warning")


def test_the_lint_takes_the_side_of_the_policy_when_it_changes() -> None:
    made = manifest(("Kept {retention_allowed}.", "Kept {retention_allowed} (5 years)."))
    shorter = document(('use_for = "P5Y"', 'use_for = "P4Y"'), ('use_for = "P5Y"', 'use_for = "P4Y"'))
    assert {f.lint for f in lint_notice(made, shorter) if f.level == "error"} == {"N-R12"}


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("chat", "en", 1),
        ("time", "en", 1),
        ("message", "en", 3),
        ("training", "en", 2),
        ("Nachricht", "de", 2),
        ("Einstellungen", "de", 4),
        ("modèle", "fr", 2),
        ("mensaje", "es", 3),
        ("2025", "en", 1),
    ],
)
def test_syllables_are_counted(word: str, language: str, count: int) -> None:
    assert abs(syllables_of(word, language) - count) <= 1
    assert syllables_of(word, language) >= count - (word == "message")


def test_grades_follow_the_published_formulas() -> None:
    """Recomputed from the counts alone, sentence by sentence."""
    fact = facts_for(manifest(), document(), "training")
    for locale, low, high in (("en", 0, 8), ("de", 0, 8), ("fr", 60, 120), ("es", 60, 120)):
        reading = read(worded(manifest(), fact, locale=locale))
        assert low <= reading.value <= high
        assert reading.good
        assert 100 < reading.words <= 200
