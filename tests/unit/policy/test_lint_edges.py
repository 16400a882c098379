"""The edges of the lints: the nearest file on either side, and each finding as a whole with its way to mend it."""

import pytest
from test_lint import ADS, FIRST, SMALL, accepted, changed, document, found, grant, names, veto

from assent.policy.lint import Beside, lint
from assent.policy.lints.finding import Finding
from assent.policy.lints.page import page_text
from assent.services.notice.sentences import sentences_of

NORMAL = ('purpose = "service"\nanchor', 'purpose = "service"\nwhen = { mode = "normal" }\nanchor')
CHOICE = '{ purpose = "training", needs = "allowed" }'


def only(text: str, **beside: object) -> Finding:
    [finding] = lint(text, "small.toml", Beside(**beside))
    return finding


def kept(when: str) -> tuple[str, str]:
    """Let the small policy keep only parts of this kind, as a change."""
    return NORMAL[0], f'purpose = "service"\nwhen = {{ {when} }}\nanchor'


def without(name: str) -> tuple[str, str]:
    """Leave a line of the small policy out, as a change."""
    line = next(line for line in reversed(SMALL.splitlines()) if line.startswith(f"{name} = "))
    return f"{line}\n", "\n"


# -- how to mend it ---------------------------------------------------------------------------------

FIXES = [
    ([(CHOICE, '{ purpose = "training", needs = "allowed", covers = "now" }')],
     'use `covers = "part and now"`: allowed at the part\'s time and still allowed when it is cut'),
    ([('stored_data = "not used"', 'stored_data = "still used"')],
     'use `stored_data = "not used"` under [withdrawal], or `covers = "part and now"` here'),
    ([('choice = { purpose = "training", needs = "allowed" }', "")],
     'add `choice = { purpose = "training", needs = "allowed" }`'),
    ([('needs = "allowed"', 'needs = "unless declined"')],
     'use `needs = "allowed"`, or accept the finding with a reason if the provider works this way'),
    ([NORMAL], "add a grant that covers this segment, or widen the `when` of one that should"),
    ([('use_for = "P30D"\nbound = "up to"\n', 'use_for = "indefinite"\nowner = "counsel"\nreview = 2027-01-01\n')],
     "give a duration, or accept the finding with the criterion as the reason"),
    ([('use_for = "P30D"\nbound = "up to"\n', 'use_for = "indefinite"\nowner = "counsel"\n')],
     "give a duration, or add `review`: who looks again, and when"),
    ([grant(anchor="last turn", bound="at least")],
     "give the one that must win a stronger `class`, or let an exception name the cap it ignores"),
    ([("below = 18", "below = 16")],
     "add a veto `when = { age = { below = 18 } }`, or `guardian_grant = true` if a guardian allows it"),
    ([grant(anchor="choice given")], "add `choice = { ... }` or use another anchor"),
    ([grant(when='happened = ["flagged"], absent = ["flagged"]')], "correct the `when`, or remove the rule"),
    ([('["service", "training"]', '["ads"]'), ADS],
     "name a purpose that some grant has and does not ignore this cap, or remove it"),
    ([ADS, veto("ads", 'mode = "private"', '["ads"]')],
     "name a purpose that some grant has and does not ignore this veto, or remove it"),
    ([veto("idle", 'data = ["score"]', '["training"]')],
     "correct its `when`, remove it, or accept the finding if the same is said twice on purpose"),
    ([accepted("L1")], "correct the rule instead"),
    ([accepted("L9")], "remove the entry"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "fix"), FIXES)
def test_a_finding_says_how_to_mend_it(changes: list[tuple[str, str]], fix: str) -> None:
    finding = only(changed(*changes))
    assert finding.fix == fix
    assert finding.place is not None
    assert finding.place.file == "small.toml"


def test_a_rule_that_a_veto_takes_away_is_named_with_the_veto_and_its_when() -> None:
    text = changed(grant(when='mode = "private"'), veto("shut", 'mode = "private"', '["service"]'))
    [finding] = (one for one in lint(text, "small.toml") if one.rule == "extra")
    assert (finding.lint, finding.path) == ("L16", ("grant", 2, "when"))
    assert finding.message == "`extra` can never apply: whenever its `when` holds, `shut` takes it away"
    assert finding.fix == "correct the `when`, the veto, or remove the rule"


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ([("below = 18", "below = 16")],
         'add `part = "since effective"` to its `when`, or ask for a choice of its own with a new purpose'),
        ([grant(purpose="ads"), ADS], 'add `part = "since effective"` to its `when`'),
    ],
)  # fmt: skip
def test_a_version_that_opens_old_data_is_told_how_not_to(changes: list[tuple[str, str]], fix: str) -> None:
    [finding] = (one for one in lint(changed(*changes), "x", Beside(previous=document(FIRST))) if one.lint == "L7")
    assert finding.fix == fix
    assert finding.path == ("grant", {"training": 1, "extra": 2}[finding.rule])


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        (('version = "2"', 'version = "2b"'),
         'add `supersedes = "acme/2b"` to the later one and set the `status` of the earlier'),
        (("P5Y", "P6Y"), "give one of them another `version`"),
    ],
)  # fmt: skip
def test_versions_that_are_current_together_are_told_how_not_to_be(change: tuple[str, str], fix: str) -> None:
    assert only(SMALL, others=[document(changed(change))]).fix == fix


# -- the order of findings --------------------------------------------------------------------------


def test_findings_of_one_line_stand_from_left_to_right() -> None:
    rule = (
        '{ id = "ID", says = "one of two", source = "none", class = "safety exception", purpose = "feedback",'
        ' ANCHOR use_for = "P1Y", bound = "up to", erase_after = "at once", ignores = ["deleted"] }'
    )
    first = rule.replace("ID", "first").replace("ANCHOR", 'anchor = "choice given",')
    second = rule.replace("ID", "second").replace("ANCHOR ", "")
    old = SMALL[SMALL.index("[[exception]]") : SMALL.index("[[cap]]")]
    text = changed((old, ""), ("assent = 1\n", f"assent = 1\nexception = [{first}, {second}]\n"))
    assert [(name, rule) for name, rule in names(text) if name != "L9"] == [("L16", "first"), ("L1", "second")]


def test_findings_at_one_place_stand_in_the_order_of_their_numbers() -> None:
    text = changed(('ignores = ["deleted"]\n', "\n"), ('class = "feedback exception"', 'class = "choice"'))
    assert names(text) == [("L3", "thumbs"), ("L5", "thumbs"), ("L14", "thumbs")]


# -- a file that cannot be decided ------------------------------------------------------------------

UNKNOWN = ('purpose = "service"', 'purpose = "servise"')


@pytest.mark.parametrize("name", ["L7", "L9", "L11", "L14", "L15", "L16"])
def test_a_file_that_cannot_be_built_is_not_asked_for_what_needs_deciding(name: str) -> None:
    assert names(changed(UNKNOWN, accepted(name)), previous=document(FIRST), page="") == [("", "base")]


@pytest.mark.parametrize("name", ["L3", "L6", "L10", "L13"])
def test_a_file_that_cannot_be_built_is_still_told_of_an_acceptance_of_nothing(name: str) -> None:
    found_there = names(changed(UNKNOWN, accepted(name)), others=[document(FIRST)])
    assert found_there == [("", "base"), ("", "")]


@pytest.mark.parametrize(
    ("name", "lint"),
    [("future_data", "L8"), ("stored_data", "L8"), ("started_runs", "L8"), ("finished_models", "L8"),
     ("scopes", "L12"), ("author_required", "L12"), ("review_every", "L12")],
)  # fmt: skip
def test_whatever_is_missing_the_rest_is_linted_all_the_same(name: str, lint: str) -> None:
    text = changed(without(name), ("below = 18", "below = 16"))
    assert names(text) == [("L14", "training"), (lint, "withdrawal" if lint == "L8" else "hold")]


# -- acceptance -------------------------------------------------------------------------------------


def test_acceptances_are_read_to_the_last() -> None:
    last = ("[withdrawal]", accepted("L6", "training")[1])
    text = changed(('needs = "allowed"', 'needs = "unless declined"'), accepted("L1"), last)
    assert [(one.lint, one.severity, one.accepted) for one in lint(text, "small.toml")] == [
        ("L6", "warning", "known and kept"),
        ("", "warning", ""),
    ]


@pytest.mark.parametrize(
    ("name", "beside"),
    [("L7", {"previous": document(FIRST)}), ("L13", {"others": [document(FIRST)]})],
)
def test_an_acceptance_of_a_lint_that_looked_and_found_nothing_is_a_warning(
    name: str, beside: dict[str, object]
) -> None:
    assert only(changed(accepted(name)), **beside).message == f"`{name}` is accepted, but there is no such finding"


# -- consent ----------------------------------------------------------------------------------------


def test_each_of_several_choices_is_asked_for_both_times() -> None:
    text = changed((CHOICE, f'[{CHOICE}, {{ purpose = "voice", needs = "allowed", covers = "now" }}]'))
    assert only(text).message == "`training` asks for `voice` only at the time of the cut"


def test_an_exception_that_asks_for_a_choice_asks_minors_as_well() -> None:
    text = changed(('ignores = ["deleted"]', f'ignores = ["deleted"]\nchoice = {CHOICE}'))
    assert names(text) == [("L14", "thumbs")]


@pytest.mark.parametrize(
    ("veto_age", "ages"),
    [
        ("below = 17", "17"),
        ("below = 16", "16 to 17"),
        ("from = 14, below = 18", "12 to 13"),
        ("from = 13, below = 18", "12"),
    ],
)
def test_the_ages_that_are_let_in_are_named(veto_age: str, ages: str) -> None:
    message = only(changed(("below = 18", veto_age))).message
    assert (
        message == f"`training` lets people aged {ages} into cuts for training on their own choice (plan free or pro)"
    )


def test_minors_whom_a_veto_passes_over_in_one_mode_are_found() -> None:
    assert names(changed(("below = 18 }", 'below = 18 }, mode = "normal"'))) == [("L14", "training")]


def test_a_grant_that_never_starts_lets_no_minor_in() -> None:
    text = changed(
        grant(purpose="training", rank="choice", anchor="choice withdrawn", more=f"choice = {CHOICE}"),
        ("below = 18", "below = 12"),
    )
    assert ("L14", "training") in names(text)
    assert ("L14", "extra") not in names(text)


# -- lengths ----------------------------------------------------------------------------------------


def test_criteria_are_found_behind_a_grant_with_a_length_and_as_a_default_to_pick_from() -> None:
    assert names(changed(('use_for = "P5Y"', 'use_for = "indefinite"'))) == [("L10", "training")]
    picked = '{ default = "indefinite", person_may_pick = ["P3M"] }'
    assert names(changed(('use_for = "P5Y"', f"use_for = {picked}"))) == [("L10", "training")]
    picked = '{ default = "P3M", person_may_pick = ["indefinite"] }'
    assert names(changed(('use_for = "P5Y"', f"use_for = {picked}"))) == []


def two(floor: str, ceiling: str, *, floor_when: str = "", ceiling_when: str = "", anchor: str = "created") -> str:
    """Write the small policy with a floor and a ceiling of a class of their own."""
    rule = (
        '[[grant]]\nid = "ID"\nsays = "one of two"\nsource = "none"\nclass = "contract"\npurpose = "service"\n'
        'when = { WHEN }\nanchor = "ANCHOR"\nuse_for = USE\nbound = "BOUND"\nerase_after = "ERASE"\n\n'
    )
    both = ""
    rows = (("floor", "at least", floor, floor_when, "created"), ("ceiling", "up to", ceiling, ceiling_when, anchor))
    for name, bound, length, when, start in rows:
        use, _, after = length.partition(" + ")
        filled = rule.replace("ID", name).replace("BOUND", bound).replace("WHEN", when).replace("ANCHOR", start)
        use = use if use.startswith("{") else f'"{use}"'
        both += filled.replace("USE", use).replace("ERASE", after or "at once")
    return changed(("[[exception]]", f"{both}[[exception]]"))


@pytest.mark.parametrize(
    ("floor", "ceiling", "outlasts"),
    [
        ("P1M", "P1M", False),
        ("P1M", "P31D", False),
        ("P1M", "P30D", True),
        ("P28D", "P1M", False),
        ("P29D", "P1M", True),
        ("P29D", "P1M1D", False),
        ("P365D", "P1Y", False),
        ("P366D", "P1Y", True),
        ("P393D", "P13M", False),
        ("P394D", "P13M", True),
        ("P1D", "PT24H", False),
        ("P2D", "PT24H", True),
        ("PT24H", "P1D", False),
        ("PT86401S", "P1D", True),
        ("P1M + P2M", "P2M", True),
        ("P1D + P2D", "P2D", True),
        ("PT1H + PT2H", "PT2H", True),
        ("P1M", "P1D + P30D", False),
        ('{ default = "P1M", person_may_pick = ["P3M"] }', "P2M", True),
        ('{ default = "P1M", person_may_pick = ["indefinite"] }', "P2M", True),
        ("P1M", '{ default = "P2M", person_may_pick = ["indefinite"] }', False),
        ("P1M", '{ default = "indefinite", person_may_pick = ["P3D"] }', False),
    ],
)
def test_months_are_as_long_as_they_may_be_in_a_floor_and_as_short_in_a_ceiling(
    floor: str, ceiling: str, *, outlasts: bool
) -> None:
    rivals = [(name, rule) for name, rule in names(two(floor, ceiling)) if name == "L11"]
    assert rivals == ([("L11", "floor")] if outlasts else [])


def test_a_floor_and_a_ceiling_that_never_meet_are_no_rivals() -> None:
    assert names(two("P1Y", "P1M")) == [("L11", "floor")]
    assert names(two("P1Y", "P1M", floor_when='mode = "private"', ceiling_when='mode = "normal"')) == []
    free = two("P1Y", "P1M", floor_when='plan = ["free"]', ceiling_when='mode = "private"')
    assert names(free) == [("L11", "floor")]
    old, new = veto("shut", 'plan = ["free"], mode = "private"', '["service"]')
    assert names(free.replace(old, new)) == []


def test_a_floor_and_a_ceiling_that_run_from_different_times_may_always_cross() -> None:
    assert names(two("P1M", "P9Y", anchor="last turn")) == [("L11", "floor")]


def test_a_withdrawal_is_no_rival_of_a_floor_that_needs_no_choice() -> None:
    assert names(changed(grant(bound="at least", rank="withdrawal"))) == []


# -- who is forgotten, what is idle -----------------------------------------------------------------


def test_a_group_that_no_rule_speaks_of_is_named_without_a_segment() -> None:
    text = changed(
        ('consumer = ["free", "pro"]', 'consumer = ["free", "pro"]\nbusiness = ["team"]'), kept('plan = ["consumer"]')
    )
    assert only(text).message == "no rule says what happens to plain parts of people in `business`"


@pytest.mark.parametrize(
    ("when", "segment"),
    [
        ('plan = ["free"]', "plan max or pro"),
        ('part = "since effective"', "recorded before the effective date"),
        ('part = "before effective"', "recorded since the effective date"),
        ("age = { below = 18 }", "age 18 or older"),
        ("age = { from = 16 }", "age under 16"),
        ("signed_in = false", "signed in"),
        ('region = { not = ["EEA", "CH"] }', "region CH or EEA"),
        ('role = { not = ["student", "teacher", "nurse"] }', "role nurse, student or teacher"),
    ],
)
def test_whoever_is_forgotten_is_named(when: str, segment: str) -> None:
    text = changed(kept(when), ('consumer = ["free", "pro"]', 'consumer = ["free", "max", "pro"]'))
    segments = [row[-1].partition(" with ")[2] for row in found(text) if row[0] == "L9"]
    assert segments[0] == segment


def test_an_exception_speaks_of_people_too() -> None:
    private = 'id = "thumbs"\nwhen = { mode = "private" }'
    text = changed(NORMAL, ('id = "thumbs"', private), ('anchor = "feedback"', 'anchor = "created"'))
    assert names(text) == []


def test_a_veto_on_every_cut_does_not_say_whether_a_part_is_kept() -> None:
    always = ('anchor = "feedback"', 'anchor = "created"')
    assert names(changed(NORMAL, always)) == []
    text = changed(NORMAL, always, veto("private", 'mode = "private"', '["training", "feedback"]'))
    assert names(text) == [("L9", "consumer")]


def test_an_idle_exception_is_found_where_it_stands() -> None:
    finding = only(changed(('anchor = "feedback"', 'anchor = "choice given"')))
    assert (finding.lint, finding.rule, finding.path) == ("L16", "thumbs", ("exception", 0, "anchor"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([('["service", "training"]', '["mail", "ads"]')],
         "`deleted` caps nothing: no grant of ads or mail is subject to it"),
        ([veto("ads", 'mode = "private"', '["mail", "ads"]')],
         "`ads` removes nothing: no grant of ads or mail is subject to it"),
    ],
)  # fmt: skip
def test_an_idle_rule_names_all_its_purposes(changes: list[tuple[str, str]], message: str) -> None:
    mail = ("[copies]", ADS[1].replace("ads", "mail", 1))
    assert only(changed(ADS, mail, *changes)).message == message


def test_a_rule_that_waits_for_something_not_to_happen_is_not_idle() -> None:
    assert names(changed(grant(when='absent = ["feedback"]'))) == []


def test_no_rule_is_idle_because_a_policy_names_no_plans() -> None:
    assert names(changed(('consumer = ["free", "pro"]\n', ""), ('plan = ["consumer"], ', ""))) == []


# -- between versions -------------------------------------------------------------------------------


def widened(text: str, previous: str = FIRST) -> list[str]:
    rows = [row[-1] for row in found(text, previous=document(previous)) if row[0] == "L7"]
    return [row.partition("for example ")[2].removesuffix(")") for row in rows]


@pytest.mark.parametrize(("length", "examples"), [("PT1H", []), ("PT2H", []), ("PT3H", ["plan free, not answered"])])
def test_a_use_that_is_over_an_hour_after_the_change_opens_nothing(length: str, examples: list[str]) -> None:
    assert widened(changed(grant(purpose="ads", use_for=length), ADS)) == examples


def test_a_use_without_an_end_opens_old_data() -> None:
    endless = grant(purpose="ads", use_for="indefinite", more='owner = "counsel"\nreview = 2027-01-01')
    assert widened(changed(endless, ADS)) == ["plan free, not answered"]


def test_a_version_that_was_not_announced_counts_the_choices_from_before_it() -> None:
    text = changed(("announced = 2026-02-01T00:00:00Z\n", ""), ("below = 18", "below = 16"))
    assert widened(text) == ["plan free and 16 to 17, allowed before"]


def test_parts_of_those_who_declined_are_opened_by_a_grant_that_does_not_ask() -> None:
    before = FIRST.replace('needs = "allowed"', 'needs = "unless declined"')
    assert widened(changed(('choice = { purpose = "training", needs = "allowed" }\n', "")), before) == [
        "plan free, declined"
    ]


def test_old_parts_of_each_kind_that_a_rule_names_are_tried() -> None:
    assert widened(changed(grant(purpose="ads", when='data = ["voice"]'), ADS)) == ["plan free and voice, not answered"]
    scores = changed((', data = { not = ["score"] } }', " }"))
    assert widened(scores) == ["plan free and score, allowed before"]


def test_a_plan_that_is_new_has_no_old_parts() -> None:
    plans = ('consumer = ["free", "pro"]', 'consumer = ["free", "pro", "max"]')
    assert widened(changed(plans, ADS, grant(purpose="ads", when='plan = ["max"]'))) == []


def test_other_versions_are_compared_to_the_last() -> None:
    stranger = document(changed(('provider = "acme"', 'provider = "other"')))
    rival = document(changed(('version = "2"', 'version = "2b"')))
    assert names(SMALL, others=[stranger, rival]) == [("L13", "")]


@pytest.mark.parametrize("page", ["<!-- nothing -->", "<html hidden><p>All of it.</p>", "<html/>"])
def test_a_page_that_shows_nothing_says_nothing(page: str) -> None:
    assert page_text(page).strip() == ""
    assert sentences_of(page) == []
