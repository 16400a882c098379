"""What was shown can be shown again, byte for byte; a receipt's terms come from the notice that was shown."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from notices import document, drawn, manifest

from assent.ledger.terms import parse_terms
from assent.services.notice.document import SURFACES
from assent.services.notice.generate import manifest_for
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import Rendered, render
from assent.services.notice.reproduce import is_itself, reproduce
from assent.services.notice.terms import terms_of
from assent.store.records import NoticeText, Rendering

NOW = datetime(2025, 9, 1, tzinfo=UTC)


def kept(shown: Rendered) -> Rendering:
    return Rendering(
        shown.digest, shown.notice, shown.surface, shown.locale, shown.layout, shown.options, shown.body, NOW
    )


def shelf() -> NoticeText:
    made = manifest()
    return NoticeText(made.digest, made.name, made.version, made.policy, made.text, NOW)


@pytest.mark.parametrize("surface", SURFACES)
def test_every_text_ever_shown_is_drawn_again_byte_for_byte(surface: str) -> None:
    for locale in manifest().locales:
        row = kept(drawn(manifest(), document(), surface, locale, "table"))
        assert is_itself(row)
        assert reproduce(row, shelf(), document())


def test_a_text_with_fewer_defers_left_is_drawn_again_too() -> None:
    shown = render(
        manifest(),
        document(),
        purpose="training",
        surface="html",
        locale="en",
        layout="stacked",
        options=("allow", "decline", "defer"),
        defers_left=1,
    )
    assert reproduce(kept(shown), shelf(), document())


def test_a_text_that_was_changed_is_not_what_was_shown() -> None:
    row = kept(drawn(manifest(), document(), "html"))
    changed = replace(row, body=row.body.replace("5 years", "6 years"))
    assert not is_itself(changed)
    assert not reproduce(changed, shelf(), document())


def test_another_policy_or_notice_does_not_give_the_same_bytes() -> None:
    row = kept(drawn(manifest(), document(), "html"))
    assert not reproduce(row, shelf(), document(('use_for = "P30D"', 'use_for = "P31D"')))
    other = manifest(("Staff may read them", "Staff can read them"))
    text = NoticeText(other.digest, other.name, other.version, other.policy, other.text, NOW)
    assert not reproduce(row, text, document())
    assert not reproduce(row, replace(shelf(), document="not a manifest"), document())


def test_terms_say_what_the_notice_said() -> None:
    terms = terms_of(manifest(), document(), "training", "en")
    assert terms.storage_duration == "P5Y"
    assert terms.purpose_text == "training models"
    assert terms.data == ("text", "voice", "images", "files")
    assert "model training" in terms.processing
    assert "5 years" in terms.deletion
    assert "30 days" in terms.deletion
    assert terms.controllers[0].name == "Anthropic"
    assert parse_terms(terms.encode()) == terms


def test_terms_differ_by_locale_and_policy_and_by_nothing_else() -> None:
    every = {locale: terms_of(manifest(), document(), "training", locale).digest for locale in manifest().locales}
    assert len(set(every.values())) == len(every)
    assert terms_of(manifest(), document(), "training", "en").digest == every["en"]
    shorter = document(('anchor = "retention anchor"\nuse_for = "P5Y"', 'anchor = "retention anchor"\nuse_for = "P4Y"'))
    assert terms_of(manifest(), shorter, "training", "en").storage_duration == "P4Y"


@pytest.mark.parametrize("name", ["openai/2026-06-04", "google/2026-08-10", "microsoft/2026-07", "mistral/2026-07-27"])
def test_a_generated_notice_gives_terms_for_every_purpose(name: str) -> None:
    policy = document(name=name)
    made = parse_manifest(manifest_for(policy), "n")
    for purpose in made.purposes:
        terms = terms_of(made, policy, purpose, "en")
        assert terms.purpose == purpose
        assert terms.storage_duration


def test_a_deadline_of_the_persons_own_is_named_and_drawn_again() -> None:
    own = datetime(2031, 5, 17, tzinfo=UTC)
    asked = {"purpose": "training", "surface": "html", "locale": "en", "layout": "stacked"}
    shown = render(manifest(), document(), **asked, options=("decline", "allow", "defer"), deadline=own)
    assert "2031" in shown.body
    row = replace(kept(shown), deadline=own)
    assert reproduce(row, shelf(), document())
    assert not reproduce(replace(row, deadline=None), shelf(), document())
