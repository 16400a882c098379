"""Two versions side by side: words, direction for people, who is affected, and a worked example."""

from pathlib import Path

import pytest

from assent.policy.build import build
from assent.policy.compare import Change, Comparison, compare
from assent.policy.compare_effect import DIRECTIONS, UNCHANGED, Grid
from assent.policy.document import Document
from assent.policy.parse import parse_document

SMALL = (Path(__file__).parent / "small.toml").read_text("utf-8")
LONGER, SHORTER, WIDENS, NARROWS = "longer retention", "shorter retention", "widens use", "narrows use"
VETO = '[[veto]]\nid = "{0}"\nsays = "It never trains"\nsource = "none"\nclass = "mode"\nwhen = {{ {1} }}\n'
VETO += 'removes = ["training"]\n\n'
PRIVATE = '[[veto]]\nid = "private"\nsays = "Private chats never train"\nsource = "none"\nclass = "mode"\n'


def document(text: str) -> Document:
    return parse_document(text, "policy.toml")


def changed(*changes: tuple[str, str]) -> Comparison:
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return compare(document(SMALL), document(text))


def only(comparison: Comparison) -> Change:
    [change] = comparison.changes
    return change


def test_a_policy_compared_with_itself_has_no_changes() -> None:
    comparison = changed()
    assert comparison.changes == ()
    assert comparison.directions() == (UNCHANGED,)
    assert comparison.old_digest == comparison.new_digest


ROWS = [
    # what is changed, in words, direction, who
    (
        ('use_for = "P30D"', 'use_for = "P90D"'),
        "base: kept 30 days -> 90 days", [LONGER], "people on every plan",
    ),
    (
        ('use_for = "P5Y"', 'use_for = "P1Y"'),
        "training: kept 5 years -> 1 year", [NARROWS, SHORTER],
        "people on every plan who allowed it or who allowed it between the first and the last turn",
    ),
    (
        ('use_for = "P5Y"', 'use_for = "indefinite"'),
        "training: kept 5 years -> no set end", [WIDENS, LONGER],
        "people on every plan who allowed it or who allowed it between the first and the last turn",
    ),
    (
        ('needs = "allowed"', 'needs = "unless declined"'),
        "training: choice purpose training, needs allowed -> purpose training, needs unless declined",
        [WIDENS, LONGER], "people on every plan who did not answer or who allowed it after the last turn",
    ),
    (
        ("below = 18", "below = 16"),
        "minor: applies to age below 18 -> age below 16", [WIDENS, LONGER],
        ("people on every plan who allowed it, who allowed it between the first and the last turn, who allowed it and"
        " took it back or who allowed it, took it back and allowed it again, only 16 to 17"),
    ),
    (
        ('resume_scope = "whole conversation"', 'resume_scope = "new turns"'),
        "resume scope (what a choice covers when a conversation is resumed): whole conversation -> new turns",
        [NARROWS, SHORTER], "people on every plan who allowed it between the first and the last turn",
    ),
    (
        ("regrant_revives_earlier_data = false", "regrant_revives_earlier_data = true"),
        "regrant revives earlier data (whether allowing again brings earlier data back into use): no -> yes",
        [WIDENS, LONGER], "people on every plan who allowed it, took it back and allowed it again",
    ),
    (
        ('retention_on_withdrawal = "P30D"', 'retention_on_withdrawal = "at once"'),
        "retention on withdrawal (when the bytes are gone after a permission was taken back): 30 days -> at once",
        [SHORTER], ("people on every plan who allowed it and took it back or who allowed it, took it back and allowed"
        " it again"),
    ),
    (
        ('erase_after = "P30D"', 'erase_after = "P60D"'),
        "deleted: erased after the end of use 30 days -> 60 days",
        [LONGER], ("people on every plan who allowed it or who allowed it between the first and the last turn,"
        " only after deletion request"),
    ),
    (
        ('use_for = "P2Y"', 'use_for = "P3Y"'),
        "thumbs: kept 2 years -> 3 years", [WIDENS, LONGER], "people on every plan, only after feedback",
    ),
    (
        ('flag_reversed = "base clock"', 'flag_reversed = "keep flag clock"'),
        "flag reversed (what happens when a flag turns out to be wrong): base clock -> keep flag clock", [], "",
    ),
    (
        ('says = "Chats of people under 18 never train"', 'says = "Nobody under 18 trains anything"'),
        "minor: says Chats of people under 18 never train -> Nobody under 18 trains anything", [], "",
    ),
    (
        ("max_defers = 2", "max_defers = 5"),
        "max defers (how often the answer may be put off): 2 -> 5", [], "",
    ),
    (
        ('max_defers = "open"', 'max_defers = "terms"'),
        "source of max_defers: open -> terms", [], "",
    ),
    (
        ("effective = 2026-03-01T00:00:00Z", "effective = 2026-04-01T00:00:00+02:00"),
        "policy: effective: 2026-03-01T00:00:00Z -> 2026-03-31T22:00:00Z", [], "",
    ),
    (
        ('started_runs = "continue"', 'started_runs = "stop"'),
        "withdrawal: started runs: continue -> stop", [], "",
    ),
    (
        ('review_every = "P90D"', 'review_every = "P30D"'),
        "hold: review every: 90 days -> 30 days", [], "",
    ),
    (
        ('"back end" = {', 'cache = { governed = false, says = "client cache" }\n"back end" = {'),
        "copies: `cache` added (governed no, says client cache)", [], "",
    ),
    (
        ("[plans]", '[regions]\nhome = ["CH"]\n\n[plans]'),
        "regions: `home` added (CH)", [], "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "text", "directions", "affected"), [pytest.param(*row, id=row[1][:40]) for row in ROWS]
)
def test_one_change(change: tuple[str, str], text: str, directions: list[str], affected: str) -> None:
    comparison = changed(change)
    found = only(comparison)
    assert (found.kind if ":" in found.text else "", found.alone) != ("", False)
    assert found.text == text
    assert list(found.effect.directions) == directions
    assert found.effect.affected == affected
    assert bool(found.effect.example) is bool(directions)
    assert comparison.effect == found.effect


def test_an_example_is_worked_out() -> None:
    effect = only(changed(('use_for = "P30D"', 'use_for = "P90D"'))).effect
    assert effect.example == "a part of somebody on plan free or pro who did not answer"
    assert effect.before == "use for service until 2026-05-02T00:00:00Z; erased by 2026-05-02T00:00:00Z"
    assert effect.after == "use for service until 2026-07-01T00:00:00Z; erased by 2026-07-01T00:00:00Z"


def test_an_added_veto_narrows() -> None:
    change = only(
        changed(("[withdrawal]", PRIVATE + 'when = { mode = "private" }\nremoves = ["training"]\n\n[withdrawal]'))
    )
    assert (change.id, change.kind) == ("veto.private", "added")
    assert change.text == "veto `private` added: Private chats never train"
    assert change.effect.directions == (NARROWS, SHORTER)
    assert change.effect.affected.endswith(", only private")


def test_a_removed_rule_is_judged_by_what_it_did() -> None:
    start = SMALL.index("[[veto]]")
    text = SMALL[:start] + SMALL[SMALL.index("[withdrawal]") :]
    change = only(compare(document(SMALL), document(text)))
    assert (change.id, change.kind, change.effect.directions) == ("veto.minor", "removed", (WIDENS, LONGER))


def test_a_removed_cap_that_an_exception_ignored() -> None:
    start = SMALL.index("[[cap]]")
    text = SMALL[:start] + SMALL[SMALL.index("[[veto]]") :]
    comparison = compare(document(SMALL), document(text.replace('ignores = ["deleted"]', 'ignores = ["minor"]')))
    effects = {change.id: change.effect.directions for change in comparison.changes}
    assert effects == {"exception.thumbs": (), "cap.deleted": (WIDENS, LONGER)}


def test_a_rule_that_needs_another_change_is_judged_with_the_whole() -> None:
    student = '[[grant]]\nid = "student"\nsays = "Students are kept a year"\nsource = "terms"\nclass = "default"\n'
    student += 'purpose = "service"\nwhen = { plan = ["student"] }\nanchor = "created"\nuse_for = "P1Y"\n'
    student += 'bound = "up to"\nerase_after = "at once"\n\n[[exception]]'
    comparison = changed(("[[exception]]", student), ('["free", "pro"]', '["free", "pro", "student"]'))
    rule = next(change for change in comparison.changes if change.id == "grant.student")
    assert not rule.alone
    assert comparison.effect.directions == (WIDENS, LONGER)
    assert comparison.effect.affected == "people on plan student"


def test_a_rule_that_changes_its_kind() -> None:
    text = SMALL.replace('class = "default"', 'class = "default"\nignores = ["deleted"]', 1)
    text = text.replace('[[grant]]\nid = "base"', '[[exception]]\nid = "base"')
    comparison = compare(document(SMALL), document(text))
    change = next(change for change in comparison.changes if change.id == "exception.base")
    assert "kind grant -> exception" in change.text
    assert "ignores not said -> deleted" in change.text


def test_a_rule_that_is_an_exception_no_more() -> None:
    plain = SMALL.replace('ignores = ["deleted"]\n', "").replace(
        '[[exception]]\nid = "thumbs"', '[[grant]]\nid = "thumbs"'
    )
    change = only(compare(document(SMALL), document(plain)))
    assert change.id == "grant.thumbs"
    assert change.text == "thumbs: kind exception -> grant; ignores deleted -> not said"


def test_the_number_of_a_version_and_the_one_before_it_are_no_changes() -> None:
    assert changed(('version = "2"', 'version = "3"'), ('supersedes = "acme/1"', 'supersedes = "acme/2"')).changes == ()


def test_use_that_ends_earlier_is_told_though_the_bytes_go_on_the_same_day() -> None:
    sooner = (
        'use_for = "P2Y"\nbound = "up to"\nerase_after = "P7D"',
        'use_for = "P1Y"\nbound = "up to"\nerase_after = "P1Y7D"',
    )
    assert only(changed(sooner)).effect.directions == (NARROWS,)


def test_a_length_counted_from_the_recording_is_compared_too() -> None:
    recorded = SMALL.replace('anchor = "retention anchor"', 'anchor = "recorded"')
    effect = only(compare(document(recorded), document(recorded.replace('"P30D"\nbound', '"P90D"\nbound')))).effect
    assert effect.directions == (LONGER,)


def test_some_plans_of_many_are_named() -> None:
    some = SMALL.replace('["free", "pro"]', '["free", "pro", "team"]').replace(
        'plan = ["consumer"]', 'plan = ["free", "pro"]'
    )
    effect = only(compare(document(some), document(some.replace('"P5Y"', '"P1Y"')))).effect
    assert effect.affected.startswith("people on plans free and pro who allowed it")


def test_where_people_live_is_told_only_if_it_matters() -> None:
    """A region that no rule names is what somebody is in when nothing is said."""
    home = SMALL.replace("[plans]", '[regions]\nhome = ["CH"]\n\n[plans]')
    home = home.replace("[withdrawal]", VETO.format("home", 'region = ["home"]') + "[withdrawal]")
    everywhere = only(compare(document(home), document(home.replace('"P30D"\nbound', '"P90D"\nbound')))).effect
    assert everywhere.example == "a part of somebody on plan free or pro who did not answer"
    moved = only(compare(document(home), document(home.replace('["CH"]', '["DE"]'))))
    assert (moved.id, moved.text) == ("regions.home", "regions: `home` changed: CH -> DE")
    assert moved.effect.directions == (WIDENS, NARROWS, LONGER, SHORTER)
    assert moved.effect.affected.endswith(", only CH or DE")


def test_what_several_rules_do_together_is_said_in_as_few_words_as_will_do() -> None:
    """No word is common to all three, and two of the four name somebody in each."""
    tests = (
        'mode = "private", signed_in = false',
        'signed_in = false, surface = ["coding"]',
        'surface = ["coding"], region = ["CA"]',
    )
    vetoes = "".join(VETO.format(f"v{n}", when) for n, when in enumerate(tests))
    assert changed(("[withdrawal]", vetoes + "[withdrawal]")).effect.affected.endswith(", only coding or not signed in")


def test_every_case_of_the_grid_is_another_one() -> None:
    policy = build(document(SMALL.replace("[withdrawal]", VETO.format("private", 'mode = "private"') + "[withdrawal]")))
    words = [case.words() for case in Grid(policy, policy).cases]
    assert len(words) == len(set(words))


def test_opposite_changes_are_both_told() -> None:
    comparison = changed(('use_for = "P30D"', 'use_for = "P90D"'), ('use_for = "P5Y"', 'use_for = "P1Y"'))
    assert comparison.directions() == (NARROWS, LONGER, SHORTER)
    assert set(comparison.directions()) < set(DIRECTIONS)


def test_order_of_rules_is_no_change_of_meaning() -> None:
    first, second = SMALL.index("[[grant]]"), SMALL.index("[[exception]]")
    base, training = SMALL[first:second].split("\n\n[[grant]]\n")
    text = SMALL[:first] + "[[grant]]\n" + training.rstrip() + "\n\n" + base + "\n\n" + SMALL[second:]
    comparison = compare(document(SMALL), document(text))
    assert (comparison.changes, comparison.directions()) == ((), (UNCHANGED,))


def test_eras_and_picks_are_part_of_the_grid() -> None:
    picked = SMALL.replace('use_for = "P30D"', 'use_for = { default = "P30D", person_may_pick = ["P3M", "P1Y"] }', 1)
    shorter = picked.replace('["P3M", "P1Y"]', '["P3M", "P6M"]')
    change = only(compare(document(picked), document(shorter)))
    assert change.text == (
        "base: kept default 30 days, person_may_pick 3 months and 1 year"
        " -> default 30 days, person_may_pick 3 months and 6 months"
    )
    assert change.effect.affected == "people on every plan, only who picked P1Y or who picked P6M"
    since = SMALL.replace('data = { not = ["score"] }', 'data = { not = ["score"] }, part = "since effective"')
    assert only(compare(document(SMALL), document(since))).effect.affected.endswith(
        "only recorded before either version took effect"
    )


def test_a_reversed_flag_is_part_of_the_grid() -> None:
    flagged = SMALL.replace('anchor = "feedback"', 'anchor = "flagged"')
    kept = flagged.replace('flag_reversed = "base clock"', 'flag_reversed = "keep flag clock"')
    effect = only(compare(document(flagged), document(kept))).effect
    assert effect.directions == (WIDENS, LONGER)
    assert effect.affected == "people on every plan, only after flag reversed and flagged"


def test_the_record_says_the_same() -> None:
    comparison = changed(('use_for = "P30D"', 'use_for = "P90D"'), ("max_defers = 2", "max_defers = 3"))
    record = comparison.to_record()
    assert record["old"] == record["new"] == "acme/2"
    assert record["directions"] == [LONGER]
    assert record["affected"] == "people on every plan"
    words, base = record["changes"]
    assert words["directions"] == [UNCHANGED]
    assert words["example"] is None
    assert base["id"] == "grant.base"
    assert base["example"]["before"].endswith("erased by 2026-05-02T00:00:00Z")
