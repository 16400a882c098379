"""The judgement of an audit without a browser: measured values in, findings out."""

from collections.abc import Iterator

import pytest

from assent.services.notice.audit.answers import grants, meaning_of, roles_of, says
from assent.services.notice.audit.audit import CHECKED, judge
from assent.services.notice.audit.colours import border_contrast, contrast, laid, surface_contrast, text_contrast
from assent.services.notice.audit.measured import (
    NARROW,
    Box,
    Control,
    Font,
    Look,
    Region,
    Ring,
    Route,
    Sent,
    Trial,
    Visited,
)

WHITE, BLACK = (255.0, 255.0, 255.0, 1.0), (0.0, 0.0, 0.0, 1.0)
FACTS = (
    "May Lantern train models on your chats?\nIf you don't allow it\nThey are kept for 30 days.\nIf you allow it\n"
    "They are kept for 5 years. Chats that you continue count in full.\nFlagged chats are kept for 2 years. Staff may"
    " read them. Our providers also get them.\nTaking it back\nRuns go on.\nNo answer by October 8, 2025\nNot used."
)
SENT = {act: Sent("POST", "https://a.example/c", frozenset({("act", act)})) for act in ("allow", "decline")}


def control(index: int, label: str, **changes: object) -> Control:
    values = {
        "index": index,
        "kind": "button",
        "label": label,
        "where": f"button:nth-of-type({index + 1})",
        "box": Box(x=10 + 110 * index, y=700, width=100, height=44),
        "in_view": True,
        "covered": False,
        "font": Font(family="serif", size=16, weight=400, style="normal"),
        "colour": BLACK,
        "grounds": (WHITE,),
        "own": 0,
        "picture": False,
        "painted": False,
        "border": 0,
        "border_colour": BLACK,
        "ring": "none",
    }
    return Control.model_validate(values | changes)


def look(*controls: Control, **changes: object) -> Look:
    values = {"focused": None, "language": "en", "right_to_left": False, "scroll_width": 390, "width": 390}
    return Look.model_validate({"controls": controls, "moving": 0, "embedded": 0, "text": "", **values, **changes})


def visited(seen: Look, *, text: str = FACTS, **changes: object) -> Visited:
    values = {
        "viewport": NARROW,
        "first": seen,
        "later": seen,
        "region": Region(
            where="main",
            text=text,
            headings=("May Lantern train models on your chats?", "If you don't allow it", "If you allow it"),
            marked={},
        ),
        "counting": (),
        "allow": Route(("Allow",), (SENT["allow"],), 0.1, recorded=True),
        "decline": Route(("Don't allow",), (SENT["decline"],), 0.1, recorded=True),
        "trials": (),
        "rings": tuple(Ring(one.index, visible=True) for one in seen.controls),
        "moving": 0,
        "scriptless": seen,
    }
    return Visited(**(values | changes))


FAIR = (control(0, "Don't allow"), control(1, "Allow"))


def found(page: Visited) -> Iterator[tuple[str, str]]:
    return ((finding.requirement, finding.level) for finding in judge(page))


def test_equal_answers_with_all_facts_are_fair() -> None:
    assert judge(visited(look(*FAIR))) == ()


@pytest.mark.parametrize(
    ("changes", "requirement", "fair"),
    [
        ({"box": Box(x=10, y=700, width=90, height=44)}, "R02", True),
        ({"box": Box(x=10, y=700, width=89, height=44)}, "R02", False),
        ({"box": Box(x=10, y=722, width=100, height=44)}, "R02", True),
        ({"box": Box(x=10, y=723, width=100, height=44)}, "R02", False),
        ({"colour": (118.0, 118.0, 118.0, 1.0)}, "R02", True),  # 4.54:1, the palest grey that is allowed
        ({"colour": (119.0, 119.0, 119.0, 1.0)}, "R02", False),  # 4.48:1
        ({"font": Font(family="serif", size=15.9, weight=400, style="normal")}, "R02", False),
        ({"grounds": ((230.0, 230.0, 230.0, 1.0), WHITE), "own": 1}, "R02", True),  # stands out 1.24 times
        ({"grounds": ((225.0, 225.0, 225.0, 1.0), WHITE), "own": 1}, "R02", False),  # 1.31 times
        ({"in_view": False}, "R02", False),
        ({"covered": True}, "R02", False),
        ({"kind": "link"}, "R02", False),
    ],
)
def test_decline_may_differ_from_allow_within_the_limits_only(changes: dict, requirement: str, fair: bool) -> None:
    page = visited(look(control(0, "Don't allow", **changes), FAIR[1]))
    errors = {name for name, level in found(page) if level == "error"}
    assert errors == (set() if fair else {requirement})


def test_small_targets_are_an_error_at_23_pixels() -> None:
    for height, expected in ((24, set()), (23, {("R14", "error")})):
        box = [Box(x=10 + 110 * n, y=700, width=100, height=height) for n in range(2)]
        page = visited(look(control(0, "Don't allow", box=box[0]), control(1, "Allow", box=box[1])))
        assert set(found(page)) == expected


def test_what_is_drawn_over_pictures_is_said_to_be_unchecked() -> None:
    page = visited(look(*(one.model_copy(update={"painted": True}) for one in FAIR)))
    assert set(found(page)) == {("R02", "unchecked")}


def test_from_right_to_left_the_first_is_on_the_right() -> None:
    mirrored = (
        control(0, "لا أسمح", box=Box(x=120, y=700, width=100, height=44)),
        control(1, "أسمح", box=Box(x=10, y=700, width=100, height=44)),
    )
    seen = look(*mirrored, right_to_left=True, language="ar")
    assert set(found(visited(seen))) == {("R12", "unchecked")}  # its words are not read, its order is fair
    seen = look(*mirrored, right_to_left=False, language="ar")
    assert ("R05", "unchecked") in set(found(visited(seen)))


def test_a_trial_that_allows_is_an_error_and_one_that_nobody_understands_is_unchecked() -> None:
    unknown = Sent("POST", "https://a.example/x", frozenset({("q", "7")}))
    for sent, expected in (
        ((), set()),
        ((SENT["allow"],), {("R01", "error")}),
        ((SENT["decline"],), set()),
        ((unknown,), {("R01", "unchecked")}),
        ((Sent("POST", "https://b.example/x", frozenset(), foreign=True),), set()),
    ):
        assert set(found(visited(look(*FAIR), trials=(Trial("pressing Enter", sent),)))) == expected
    assert set(found(visited(look(*FAIR), trials=(Trial("waiting for 60 s", (SENT["allow"],)),)))) == {("R08", "error")}


def test_an_answer_without_words_is_known_by_what_pressing_allow_sends() -> None:
    silent = Sent("POST", "https://a.example/x", frozenset({("q", "7")}))
    other = Sent("POST", "https://a.example/x", frozenset({("q", "8")}))
    allow, decline = Route(("a",), (silent,), 0, recorded=True), Route(("d",), (other,), 0, recorded=True)
    assert grants(silent, allow, decline) is True
    assert grants(other, allow, decline) is False
    assert grants(Sent("POST", "https://a.example/y", frozenset()), allow, decline) is None


def test_steps_and_time_are_compared() -> None:
    longer = Route(("More", "Don't allow"), (SENT["decline"],), 0.2, recorded=True)
    slower = Route(("Don't allow",), (SENT["decline"],), 5.2, recorded=True)
    for route in (longer, slower):
        assert set(found(visited(look(*FAIR), decline=route))) == {("R03", "error")}


def test_later_is_no_decline() -> None:
    none = Route((), (), 0, recorded=False)
    page = visited(look(control(0, "Maybe later"), FAIR[1]), decline=none)
    assert {("R04", "error")} == {pair for pair in found(page) if pair[1] == "error"}


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("Accept all", "allow"),
        ("Continue without accepting", "decline"),
        ("Alle ablehnen", "decline"),
        ("Tout refuser", "decline"),
        ("同意する", "allow"),
        ("同意しない", "decline"),
        ("Manage options", "manage"),
        ("×", "close"),
        ("Not now", "defer"),
        ("Save and exit", "save"),
        ("Learn how we think about allowing people to choose freely", None),
    ],
)
def test_labels_are_understood_in_several_languages(label: str, meaning: str | None) -> None:
    assert meaning_of(control(0, label)) == meaning


def test_what_a_button_sends_counts_more_than_what_it_says() -> None:
    roles = roles_of(look(control(0, "Continue", act="decline"), control(1, "Fine", act="allow")))
    assert [one and one.index for one in (roles.decline, roles.allow)] == [0, 1]


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({("act", "allow")}, "allow"),
        ({("consent", "true")}, "allow"),
        ({("training_allowed", "0")}, "decline"),
        ({("choice", "opt-out")}, "decline"),
        ({("page", "2")}, None),
    ],
)
def test_messages_are_read(pairs: set[tuple[str, str]], said: str | None) -> None:
    assert says(Sent("POST", "https://a.example/x", frozenset(pairs))) == said


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast((119.0, 119.0, 119.0, 1.0), WHITE) == pytest.approx(4.48, abs=0.005)
    assert laid([(0.0, 0.0, 0.0, 0.5), WHITE]) == pytest.approx((127.5, 127.5, 127.5, 1))
    dark = control(0, "x", colour=WHITE, grounds=(BLACK, WHITE), own=1)
    assert (text_contrast(dark), surface_contrast(dark)) == (pytest.approx(21), pytest.approx(21))
    assert border_contrast(dark) == 1


def test_a_language_without_a_word_list_is_said_to_be_unchecked() -> None:
    levels = dict(found(visited(look(*FAIR, language="is"))))
    assert levels == dict.fromkeys(("R06", "R09", "R10", "R11", "R12"), "unchecked")


def test_every_finding_names_a_requirement_that_is_listed() -> None:
    worst = visited(
        look(control(0, "Maybe later"), control(1, "Accept the terms", kind="switch", checked=True), focused=1),
        text="Accept the terms! Help us improve. Last chance.",
        counting=("9 seconds",),
        decline=Route((), (), 0, recorded=False),
        trials=(Trial("leaving the page", (SENT["allow"],)),),
        moving=1,
    )
    named = {requirement for requirement, _ in found(worst)}
    assert named <= set(CHECKED)
    assert named >= {"R01", "R04", "R06", "R08", "R10", "R11", "R12", "R14"}
