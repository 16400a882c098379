"""Every surface, layout, order and locale states the same facts; equal inputs give equal bytes; nothing steers."""

import json
import os
import re
import subprocess
import sys

import lxml.html
import pytest
from notices import NAME, ROOT, Edit, document, drawn, edited, manifest, notice_text

from assent.domain.digests import digest_bytes
from assent.domain.errors import Invalid, Refused
from assent.services.notice.document import LAYOUTS, SURFACES
from assent.services.notice.extract import facts_in, said_in
from assent.services.notice.facts import FACTS, facts_of
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import orders, render
from assent.services.notice.wording import facts_for, worded
from assent.services.notice.words import SHIPPED

ALL = [(locale, layout) for locale in SHIPPED for layout in LAYOUTS]


@pytest.mark.parametrize(("locale", "layout"), ALL)
def test_every_surface_and_order_states_the_same_facts(locale: str, layout: str) -> None:
    made, policy = manifest(), document()
    question = worded(made, facts_for(made, policy, "training"), locale=locale)
    assert set(FACTS) <= set(question.facts())
    for surface in SURFACES:
        for options in orders(made, policy):
            shown = render(
                made, policy, purpose="training", surface=surface, locale=locale, layout=layout, options=options
            )
            asked = question.in_order(options)
            meant = [("", question.text)]
            meant += [(s.heading, " ".join(line.text for line in s.lines)) for s in asked.sections]
            assert list(said_in(shown)) == meant
            sides = [section.id for section in asked.sections if section.id in options]
            assert sides == [option for option in options if option != "defer"]  # each over its own button
            if surface not in ("terminal", "markdown"):
                assert facts_in(shown) == asked.facts()


def test_the_facts_are_the_policys_in_every_locale() -> None:
    """Both numbers side by side, the exceptions, and what no answer means, in the first layer."""
    numbers = {"en": ("5 years", "30 days"), "de": ("5 Jahre", "30 Tage"), "fr": ("5 ans", "30 jours")}
    numbers |= {"es": ("5 años", "30 días"), "ar": ("5 سنوات", "30 يومًا")}
    for locale, (allowed, declined) in numbers.items():
        facts = facts_in(drawn(manifest(), document(), "html", locale))
        assert allowed in facts["retention_allowed"][0].replace("\xa0", " ")
        assert declined in facts["retention_declined"][0].replace("\xa0", " ")
        assert "7" in facts["exceptions"][0]
        assert "2025" in facts["deadline"][0]
        assert len(facts["withdrawal"]) == 2


@pytest.mark.parametrize(
    ("edit", "fact"),
    [
        (('use_for = "P30D"', 'use_for = "P45D"'), "retention_declined"),
        (('anchor = "retention anchor"\nuse_for = "P5Y"', 'anchor = "created"\nuse_for = "P5Y"'), "retention_allowed"),
        (('use_for = "P7Y"', 'use_for = "P8Y"'), "exceptions"),
        (('stored_data = "not used"', 'stored_data = "still used"'), "withdrawal"),
        (('started_runs = "continue"', 'started_runs = "stop"'), "withdrawal"),
        (('finished_models = "unchanged"', 'finished_models = "retrained"'), "withdrawal"),
        (('retention_on_withdrawal = "P30D"', 'retention_on_withdrawal = "at once"'), "withdrawal"),
        (('no_answer = "block"', 'no_answer = "decline"'), "no_answer"),
        (("answer_deadline = 2025-10-08T00:00:00Z\n", ""), "deadline"),
        (('resume_scope = "whole conversation"', 'resume_scope = "new turns"'), "resume"),
        (('"text", "voice", "image", "file"', '"text", "file"'), "data_kinds"),
        (('needs = "allowed"', 'needs = "unless declined"'), "no_answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_policy_changes_the_fact_and_no_manifest_can_keep_the_old_one(edit: Edit, fact: str) -> None:
    for locale in SHIPPED:
        before = facts_in(drawn(manifest(), document(), "json", locale))
        after = facts_in(drawn(manifest(), document(edit), "json", locale))
        changed = {name for name in before if before[name] != after[name]}
        assert fact in changed
        assert changed <= {fact, "exceptions"}


def test_html_has_no_script_and_nothing_chosen_or_focused_beforehand() -> None:
    for layout in LAYOUTS:
        body = drawn(manifest(), document(), "html", layout=layout).body
        assert not re.search(r"<script|\son\w+=|javascript:|autofocus|checked|selected|<input|tabindex", body)
        assert not re.search(r"@import|url\(|src=", body), "a fragment fetches nothing"


def test_both_answers_are_equal_controls_in_the_order_given() -> None:
    made, policy = manifest(), document()
    for options in orders(made, policy):
        shown = render(made, policy, purpose="training", surface="html", locale="en", layout="stacked", options=options)
        buttons = lxml.html.document_fromstring(shown.body).xpath("//div[@class='answers']/button")
        assert tuple(button.get("value") for button in buttons) == options
        allow, decline = (next(b for b in buttons if b.get("value") == act) for act in ("allow", "decline"))
        assert {k: v for k, v in allow.items() if k != "value"} == {k: v for k, v in decline.items() if k != "value"}
    style = drawn(made, policy, "html").body.partition("<style>")[2].partition("</style>")[0]
    assert "allow" not in style
    assert "decline" not in style


def test_text_and_links_have_enough_contrast_and_targets_are_large() -> None:
    style = drawn(manifest(), document(), "fragment").body
    pairs = {name: both for name, *both in re.findall(r"--(\w):light-dark\((#\w+),(#\w+)\)", style)}
    assert set(pairs) == {"i", "g", "l", "a"}
    assert not re.findall(r"(?<![-\w])color:#", style)
    for scheme in (0, 1):
        assert all(contrast(pairs[name][scheme], pairs["g"][scheme]) >= 4.5 for name in ("i", "a"))
        assert contrast(pairs["l"][scheme], pairs["g"][scheme]) >= 3
    assert all(int(size) >= 24 for size in re.findall(r"min-height:(\d+)px", style))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    lights = sorted(luminance(colour) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("locale", SHIPPED)
def test_html_says_its_language_and_direction(locale: str) -> None:
    tree = lxml.html.document_fromstring(drawn(manifest(), document(), "html", locale).body)
    assert tree.get("lang") == locale
    assert tree.get("dir") == ("rtl" if locale == "ar" else "ltr")
    assert len(tree.xpath("//h1")) == 1


def test_the_terminal_has_numbers_no_default_and_a_bare_enter_decides_later() -> None:
    lines = drawn(manifest(), document(), "terminal").body.splitlines()
    assert [line for line in lines if re.match(r"  (\d|Enter)  ", line)] == [
        "  1  Don't allow",
        "  2  Allow",
        "  Enter  Decide later (3 left)",
    ]


def test_every_rendering_names_policy_notice_and_layout() -> None:
    made, policy = manifest(), document()
    for surface in SURFACES:
        for layout in LAYOUTS:
            shown = drawn(made, policy, surface, layout=layout)
            for name in (made.digest, facts_of(policy, "training").digest, NAME, layout):
                assert name in shown.body
            assert shown.digest == digest_bytes(shown.body.encode())


def test_layouts_differ_in_bytes_and_not_in_words() -> None:
    for surface in SURFACES:
        shown = [drawn(manifest(), document(), surface, layout=layout) for layout in LAYOUTS]
        assert len({one.digest for one in shown}) == len(LAYOUTS)
        assert len({said_in(one) for one in shown}) == 1


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from notices import *\n"
        "print([drawn(manifest(), document(), s, l).digest for s in ('html','json','terminal') for l in ('en','ar')])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program, str(ROOT / "tests" / "unit" / "notice")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = [
        drawn(manifest(), document(), s, locale).digest for s in ("html", "json", "terminal") for locale in ("en", "ar")
    ]
    assert printed == {f"{here}\n"}


def draw(options: tuple[str, ...], left: int | None = None, *edits: Edit, **other: str) -> str:
    chosen = {"purpose": "training", "surface": "terminal", "locale": "en", "layout": "stacked", **other}
    return render(manifest(*edits), document(), options=options, defers_left=left, **chosen).body


def test_what_is_not_honest_is_not_drawn() -> None:
    for options in (("allow",), ("allow", "defer"), ("decline", "defer")):
        with pytest.raises(Refused):
            draw(options)
    with pytest.raises(Refused, match="refusing answer first"):
        draw(("allow", "decline"), None, ('order = "random"', 'order = "decline first"'))
    with pytest.raises(Refused, match="nothing is left"):
        draw(("allow", "decline", "defer"), 0)
    with pytest.raises(Refused, match="equal button"):
        draw(("allow", "decline"), None, ('act = "allow"', 'act = "allow"\npreset = true'))
    with pytest.raises(Invalid, match="what the policy grants"):
        draw(("allow", "decline", "defer"), 4)
    for name, word in (("surface", "fax"), ("locale", "da"), ("layout", "poster"), ("purpose", "ads")):
        with pytest.raises(Invalid) as caught:
            draw(("allow", "decline"), **{name: word})
        assert caught.value.fix


def test_the_defers_left_are_said() -> None:
    assert "Decide later (1 left)" in draw(("decline", "allow", "defer"), 1)
    assert "Decide later" not in draw(("decline", "allow"), 0)
    assert orders(manifest(), document(), defers_left=0) == (("decline", "allow"), ("allow", "decline"))


def test_text_from_a_manifest_cannot_become_markup() -> None:
    hostile = '<b onclick=alert(1)>&\\"` *x* [y](z)'
    text = edited(notice_text(), ("Staff may read them.", f"Staff {hostile} may read them."))
    made = parse_manifest(text, "n")
    for surface in ("html", "markdown", "json"):
        assert said_in(drawn(made, document(), surface)) == said_in(drawn(made, document(), "json"))
    assert "<b " not in drawn(made, document(), "html").body


def test_json_carries_the_values_behind_the_sentences() -> None:
    values = json.loads(drawn(manifest(), document(), "json").body)["values"]
    assert values["retention_allowed"] == {"length": "P5Y", "bound": "up to", "anchor": "last turn"}
    assert values["retention_declined"]["length"] == "P30D"
    assert [every["length"] for every in values["exceptions"]] == ["P2Y", "P7Y", "P5Y"]
