"""Each lint: a small file it speaks about, with place and words, and the nearest file it leaves alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from assent.policy.decide import decide
from assent.policy.document import Document
from assent.policy.lint import LINTS, STRUCTURAL, Beside, lint, lint_document
from assent.policy.lints.finding import Finding
from assent.policy.parse import PolicyProblems, parse_policy, read_shape
from assent.policy.segments import axes, choice_purposes, conditions, facts_in, reachable

HERE = Path(__file__).parent
SMALL = (HERE / "small.toml").read_text("utf-8")
FILES = sorted((HERE.parents[2] / "policies").glob("*/*.toml"))
GRANT = """
[[grant]]
id = "extra"
says = "One more reason to keep"
source = "none"
class = "{rank}"
purpose = "{purpose}"
when = {{ {when} }}
anchor = "{anchor}"
use_for = "{use_for}"
bound = "{bound}"
erase_after = "at once"
{more}

[[exception]]"""


ADS = ("[copies]", 'ads = { says = "showing ads", cut = false }\n[copies]')


def changed(*changes: tuple[str, str]) -> str:
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def grant(**parts: str) -> tuple[str, str]:
    """Add a grant to the small policy, as a change."""
    usual = {"rank": "default", "purpose": "service", "when": "", "anchor": "created", "use_for": "P1Y"}
    return "[[exception]]", GRANT.format(**{**usual, "bound": "up to", "more": "", **parts})


def veto(name: str, when: str, removes: str) -> tuple[str, str]:
    rule = f'[[veto]]\nid = "{name}"\nsays = "no use"\nsource = "none"\nclass = "mode"\nwhen = {{ {when} }}\n'
    return "[withdrawal]", f"{rule}removes = {removes}\n\n[withdrawal]"


def accepted(lint: str, rule: str = "", reason: str = "known and kept") -> tuple[str, str]:
    named = f'rule = "{rule}"\n' if rule else ""
    return "[withdrawal]", f'[[accepted]]\nlint = "{lint}"\n{named}reason = "{reason}"\n\n[withdrawal]'


def document(text: str) -> Document:
    return read_shape(text, "small.toml")[0]


def said(findings: list[Finding]) -> list[tuple[str, str, str, str, str]]:
    return [(f.lint, f.severity, f.rule, f"{f.place.line}:{f.place.column}", f.message) for f in findings]


def found(text: str, **beside: object) -> list[tuple[str, str, str, str, str]]:
    return said(lint(text, "small.toml", Beside(**beside)))


def names(text: str, **beside: object) -> list[tuple[str, str]]:
    return [(name, rule) for name, _, rule, _, _ in found(text, **beside)]


def test_a_good_policy_has_no_findings() -> None:
    assert found(SMALL) == []


ALONE = [
    # what is changed, then the finding: lint, severity, rule, place and message
    ([('anchor = "feedback"\n', "\n")], "L1", "error", "thumbs", "86:3", "the duration has no anchor"),
    (
        [('bound = "up to"\n', "\n")],
        "L2", "error", "base", "62:3", "the duration says neither `up to` nor `at least`",
    ),
    (
        [(', needs = "allowed" }', ', needs = "allowed", covers = "part" }')],
        "L3", "error", "training", "84:1", "`training` asks for `training` only when the part was made",
    ),
    (
        [(', needs = "allowed" }', ', needs = "allowed", covers = "now" }')],
        "L3", "error", "training", "84:1", "`training` asks for `training` only at the time of the cut",
    ),
    (
        [('choice = { purpose = "training", needs = "allowed" }', "")],
        "L3", "error", "training", "73:3", "`training` lets parts into cuts for training without a choice",
    ),
    (
        [('stored_data = "not used"', 'stored_data = "still used"')],
        "L3", "error", "training", "84:1", "`training` asks for `training` only when the part was made",
    ),
    (
        [('erase_after = "P7D"\n', "\n")],
        "L4", "error", "thumbs", "86:3", "the grant does not say when the bytes are gone",
    ),
    (
        [('ignores = ["deleted"]\n', "\n")],
        "L5", "error", "thumbs", "86:3", "the exception does not say what it ignores",
    ),
    (
        [('needs = "allowed"', 'needs = "unless declined"')],
        "L6", "error", "training", "84:34",
        "`training` takes silence for consent: it needs no act, only that nobody declined",
    ),
    (
        [('started_runs = "continue"\n', "\n")],
        "L8", "error", "withdrawal", "116:2", "the withdrawal does not say what happens to started runs",
    ),
    (
        [('purpose = "service"\nanchor', 'purpose = "service"\nwhen = { mode = "normal" }\nanchor')],
        "L9", "error", "consumer", "52:1",
        "no rule says what happens to plain parts of people in `consumer` with mode private",
    ),
    (
        [('use_for = "P30D"\nbound = "up to"\n', 'use_for = "indefinite"\n\n')],
        "L10", "warning", "base", "62:3",
        "`base` keeps by criteria only: no length is set, and no owner and no review either",
    ),
    (
        [('bound = "up to"\nerase_after = "P7D"', 'bound = "at least"\nerase_after = "P7D"'),
         ('class = "deletion"', 'class = "feedback exception"'), ('["service", "training"]', '["feedback"]'),
         ('ignores = ["deleted"]', 'ignores = ["minor"]')],
        "L11", "error", "thumbs", "94:1",
        "`thumbs` (at least) can outlast `deleted` (at most), and both are of one class",
    ),
    (
        [('scopes = ["person", "conversation"]\n', "\n")],
        "L12", "error", "hold", "124:2", "holds are accepted without `scopes`",
    ),
    (
        [("below = 18", "below = 16")],
        "L14", "error", "training", "73:3",
        "`training` lets people aged 16 to 17 into cuts for training on their own choice (plan free or pro)",
    ),
    (
        [('["service", "training"]', '["ads"]'), ADS],
        "L16", "error", "deleted", "99:3", "`deleted` caps nothing: no grant of ads is subject to it",
    ),
    (
        [veto("idle", 'data = ["score"]', '["training"]')],
        "L16", "error", "idle", "121:1", "`idle` can never meet a grant that it would take away",
    ),
    (
        [ADS, veto("ads", 'mode = "private"', '["ads"]')],
        "L16", "error", "ads", "117:3", "`ads` removes nothing: no grant of ads is subject to it",
    ),
    (
        [grant(when='happened = ["flagged"], absent = ["flagged"]')],
        "L16", "error", "extra", "93:1", "`extra` can never apply: its `when` contradicts itself or its anchor",
    ),
    (
        [grant(anchor="reviewed", when='absent = ["reviewed"]')],
        "L16", "error", "extra", "93:1", "`extra` can never apply: its `when` contradicts itself or its anchor",
    ),
    (
        [grant(anchor="choice given")],
        "L16", "error", "extra", "94:1", "`extra` runs from a choice and asks for none, so it never starts",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "name", "severity", "rule", "place", "message"),
    [pytest.param(*row, id=f"{row[1]}-{n}") for n, row in enumerate(ALONE)],
)
def test_a_lint_speaks_alone(
    changes: list[tuple[str, str]], name: str | None, severity: str, rule: str, place: str, message: str
) -> None:
    want = [(name, severity, rule, place, message)] if name else []
    assert found(changed(*changes)) == want


def test_every_finding_says_what_to_do() -> None:
    for changes, *_ in ALONE:
        assert all(finding.fix for finding in lint(changed(*changes), "small.toml"))


def test_a_rule_that_a_veto_always_takes_away_is_idle() -> None:
    text = changed(grant(when='mode = "private"'), veto("shut", 'mode = "private"', '["service"]'))
    assert ("L16", "extra") in names(text)
    assert any("whenever its `when` holds, `shut` takes it away" in row[-1] for row in found(text))


def test_a_group_that_a_rule_excludes_is_not_met() -> None:
    both = grant(when='plan = ["free"]')
    assert names(changed(both, veto("pro", 'plan = { not = ["free"] }', '["training"]'))) == []
    assert names(changed(grant(when='plan = { not = ["consumer"] }'))) == [("L16", "extra")]


def test_criteria_with_an_owner_are_still_a_warning() -> None:
    text = changed(
        ('use_for = "P30D"\nbound = "up to"\n', 'use_for = "indefinite"\nowner = "counsel"\nreview = 2027-01-01\n')
    )
    assert [row[-1] for row in found(text)] == ["`base` keeps by criteria only: no length is set"]


@pytest.mark.parametrize(
    ("floor", "ceiling", "outlasts"),
    [
        ("P30D", "P30D", False),
        ("P28D", "P1M", False),
        ("P30D", "P1M", True),
        ("P2Y", "P1Y", True),
        ("P1Y", "P13M", False),
    ],
)
def test_a_floor_outlasts_a_ceiling_only_if_some_month_makes_it_longer(
    floor: str, ceiling: str, outlasts: bool
) -> None:
    text = changed(
        grant(use_for=floor, bound="at least", anchor="last turn"), ('use_for = "P30D"', f'use_for = "{ceiling}"')
    )
    assert names(text) == ([("L11", "extra")] if outlasts else [])


def test_a_floor_of_another_class_names_its_winner() -> None:
    strong = grant(bound="at least", use_for="P9Y", rank="statutory retention")
    assert names(changed(strong)) == []
    assert names(changed(strong, ('class = "default"', 'class = "statutory retention"'))) == [("L11", "extra")]


def test_a_withdrawal_may_be_the_ceiling() -> None:
    text = changed(
        ('bound = "up to"\nerase_after = "at once"\nchoice', 'bound = "at least"\nerase_after = "at once"\nchoice')
    )
    assert names(text) == []
    assert names(text.replace('class = "choice"', 'class = "withdrawal"')) == [("L11", "training")]


def test_exceptions_that_are_published_as_surviving_need_no_choice() -> None:
    assert names(changed(('class = "feedback exception"', 'class = "safety exception"'))) == []
    other = changed(('class = "feedback exception"', 'class = "choice"'))
    assert names(other) == [("L3", "thumbs"), ("L14", "thumbs")]


def test_a_guardian_may_answer_for_a_minor() -> None:
    text = changed(("below = 18", "below = 12"))
    assert names(text) == [("L14", "training")]
    assert "aged 12 to 17" in found(text)[0][-1]
    asked = text.replace('needs = "allowed" }', 'needs = "allowed" }\nguardian_grant = true')
    assert names(asked) == []


def test_each_segment_without_a_rule_is_named_once() -> None:
    text = changed(
        ('purpose = "service"\nanchor', 'purpose = "service"\nwhen = { plan = ["free"], mode = "normal" }\nanchor')
    )
    assert [row[-1].partition("`consumer` with ")[2] for row in found(text)] == [
        "mode private",
        "plan pro",
    ]


def test_regions_ages_and_sign_in_make_segments_too() -> None:
    text = changed(
        (
            'purpose = "service"\nanchor',
            'purpose = "service"\nwhen = { region = ["EEA", "CH"], age = { from = 16 }, signed_in = true }\nanchor',
        )
    )
    assert [row[-1].partition("`consumer` with ")[2] for row in found(text)] == [
        "any other region",
        "not signed in",
        "age under 16",
    ]


def test_a_veto_on_keeping_says_what_happens_and_a_veto_on_training_does_not() -> None:
    normal = ('purpose = "service"\nanchor', 'purpose = "service"\nwhen = { mode = "normal" }\nanchor')
    assert names(changed(normal, veto("private", 'mode = "private"', '["training"]'))) == [("L9", "consumer")]
    kept = ('purpose = "service"\nanchor', 'purpose = "service"\nanchor')
    assert names(changed(kept, veto("private", 'mode = "private"', '["service"]'))) == []


def test_one_of_several_choices_that_needs_an_act_is_enough_against_silence() -> None:
    listed = '[{ purpose = "training", needs = "unless declined" }, { purpose = "voice", needs = "NEEDS" }]'
    old = '{ purpose = "training", needs = "allowed" }'
    assert names(changed((old, listed.replace("NEEDS", "allowed")))) == []
    assert names(changed((old, listed.replace("NEEDS", "unless declined")))) == [("L6", "training")]


def test_silence_as_permission_does_not_even_load() -> None:
    with pytest.raises(PolicyProblems, match="L6: `treat_as_allow`"):
        lint(changed(('no_answer = "decline"', 'no_answer = "treat_as_allow"')), "small.toml")


def test_a_file_that_cannot_be_built_is_linted_all_the_same() -> None:
    text = changed(
        ('anchor = "retention anchor"\n', "\n"),
        ('bound = "up to"\nerase_after = "at once"\nchoice', 'erase_after = "at once"\nchoice'),
        ('needs = "allowed"', 'needs = "unless declined"'),
        ('ignores = ["deleted"]\n', "\n"),
        ('started_runs = "continue"\n', "\n"),
        ('review_every = "P90D"\n', "\n"),
        ("below = 18", "below = 17"),
    )
    expected = [("L1", "base"), ("L2", "training"), ("L14", "training"), ("L6", "training"), ("L5", "thumbs")]
    assert names(text) == [*expected, ("L8", "withdrawal"), ("L12", "hold")]


def test_names_that_are_not_declared_are_findings_without_a_number() -> None:
    text = changed(('purpose = "service"', 'purpose = "servise"'), ("below = 18", "below = 16"))
    assert found(text) == [
        ("", "error", "base", "62:3", "`servise` is not a purpose of this policy"),
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_rule_that_is_not_idle_decides_in_the_situation_found_for_it(file: Path) -> None:
    """The search behind L9, L14 and L16 agrees with the reference evaluator."""
    policy = parse_policy(file.read_text("utf-8"), file.name)
    acts = {purpose: ["allow"] for purpose in choice_purposes([policy])}
    for rule in policy.grants:
        if rule.anchor in ("choice withdrawn", "case closed"):
            continue  # needs acts or a release that a situation does not hold
        situation = reachable(policy, rule)
        assert situation is not None, rule.id
        facts, at = facts_in(situation, policy.effective, acts)
        if rule.when.tests and all(test.key != "plan" for test in rule.when.tests):
            facts = replace(facts, plan=min(policy.plans))
        known = {key for when in conditions(policy) for key in (test.key for test in when.tests)}
        missing = {key: axes([policy])[key][0].value for key in known if getattr(facts, key) is None}
        decision = decide(replace(facts, **missing), policy, at)
        assert rule.id in {reason.rule for reason in decision.reasons}, rule.id


# -- between versions -------------------------------------------------------------------------------

FIRST = changed(
    ('version = "2"', 'version = "1"'),
    ("announced = 2026-02-01T00:00:00Z\n", ""),
    ("effective = 2026-03-01", "effective = 2025-03-01"),
    ('supersedes = "acme/1"\n', ""),
    ('status = "in force"', 'status = "superseded"'),
    ('needs = "allowed" }', 'needs = "allowed" }\ncopies = ["back end"]'),
)


def test_the_same_terms_widen_nothing() -> None:
    assert names(SMALL, previous=document(FIRST)) == []


@pytest.mark.parametrize(
    ("changes", "rule", "example"),
    [
        ([('needs = "allowed"', 'needs = "unless declined"')], "training", "plan free, not answered"),
        ([("below = 18", "below = 16")], "training", "plan free and 16 to 17, allowed before"),
        ([grant(purpose="ads", rank="default", more='choice = { purpose = "training", needs = "allowed" }'),
          ADS], "extra", "plan free, allowed before"),
        ([grant(purpose="ads"), ADS],
         "extra", "plan free, not answered"),
        ([grant(purpose="feedback", rank="safety exception", anchor="flagged",
                more='choice = { purpose = "feedback", needs = "unless declined" }')],
         "extra", "plan free, not answered"),
    ],
)  # fmt: skip
def test_a_version_that_opens_old_data_is_found(changes: list[tuple[str, str]], rule: str, example: str) -> None:
    widened = [row for row in found(changed(*changes), previous=document(FIRST)) if row[0] == "L7"]
    assert [row[2] for row in widened] == [rule]
    assert "opens parts recorded under `acme/1`" in widened[0][-1]
    assert f"for example {example}" in widened[0][-1]


@pytest.mark.parametrize(
    "changes",
    [
        [('when = { plan = ["consumer"]', 'when = { part = "since effective", plan = ["consumer"]'),
         ('needs = "allowed"', 'needs = "unless declined"')],
        [grant(purpose="ads", more='choice = { purpose = "ads", needs = "allowed" }'),
         ADS],
        [('use_for = "P5Y"', 'use_for = "P9Y"')],
        [('use_for = "P30D"', 'use_for = "P9Y"')],
    ],
)  # fmt: skip
def test_a_version_that_asks_again_or_looks_forward_only_is_not(changes: list[tuple[str, str]]) -> None:
    assert "L7" not in [row[0] for row in found(changed(*changes), previous=document(FIRST))]


def test_two_versions_of_one_instant_are_both_current() -> None:
    other = document(changed(('version = "2"', 'version = "2b"')))
    [(name, severity, _, place, message)] = found(SMALL, others=[other])
    assert (name, severity, place) == ("L13", "error", "5:1")
    assert message == "this version and `acme/2b` take effect at the same instant for plan free"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([('version = "2"', 'version = "3"'), ("effective = 2026-03-01", "effective = 2026-04-01")],
         "this version and `acme/3` both say that they are in force for plan free"),
        ([("P5Y", "P6Y")], "`acme/2` names two different texts for plan free"),
        ([], None),
        ([('version = "2"', 'version = "3"'), ('supersedes = "acme/1"', 'supersedes = "acme/2"')], None),
        ([('version = "2"', 'version = "1"'), ('supersedes = "acme/1"', 'supersedes = "acme/0"')], None),
        ([('provider = "acme"', 'provider = "other"')], None),
        ([('version = "2"', 'version = "3"'), ('["free", "pro"]', '["team"]')], None),
        ([('version = "2"', 'version = "3"'), ("effective = 2026-03-01", "effective = 2026-04-01"),
          ('status = "in force"', 'status = "announced"')], None),
    ],
)  # fmt: skip
def test_versions_side_by_side(changes: list[tuple[str, str]], message: str | None) -> None:
    rows = found(SMALL, others=[document(changed(*changes))])
    assert [(row[0], row[-1]) for row in rows] == ([("L13", message)] if message else [])


def test_supersession_is_followed_through_the_files_given() -> None:
    third = changed(('version = "2"', 'version = "3"'), ('supersedes = "acme/1"', 'supersedes = "acme/2"'))
    first = document(changed(('version = "2"', 'version = "1"'), ('supersedes = "acme/1"\n', "")))
    assert names(third, others=[first]) == [("L13", "")]
    assert names(third, others=[first, document(SMALL)]) == []


def test_versions_that_supersede_each_other_end() -> None:
    loop = document(changed(('version = "2"', 'version = "1"'), ('supersedes = "acme/1"', 'supersedes = "acme/1"')))
    other = changed(('version = "2"', 'version = "3"'), ('supersedes = "acme/1"', 'supersedes = "acme/9"'))
    assert names(other, others=[loop]) == [("L13", "")]


# -- acceptance -------------------------------------------------------------------------------------


def test_an_accepted_error_is_a_warning_with_its_reason() -> None:
    text = changed(
        ('needs = "allowed"', 'needs = "unless declined"'), accepted("L6", "training", "this is how it works")
    )
    [finding] = lint(text, "small.toml")
    assert (finding.lint, finding.severity, finding.accepted) == ("L6", "warning", "this is how it works")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (accepted("L6", "training"), "`L6` is accepted for `training`, but there is no such finding"),
        (accepted("L9"), "`L9` is accepted, but there is no such finding"),
        (accepted("L1"), "`L1` cannot be accepted: without it nothing can be decided"),
    ],
)
def test_an_acceptance_of_nothing_is_a_warning(change: tuple[str, str], message: str) -> None:
    assert found(changed(change)) == [
        ("", "warning", change[1].split('rule = "')[1].split('"')[0] if "rule" in change[1] else "", "116:3", message)
    ]


@pytest.mark.parametrize("name", ["L7", "L13", "L15"])
def test_an_acceptance_of_a_lint_that_had_nothing_to_look_at_is_not(name: str) -> None:
    assert found(changed(accepted(name))) == []


def test_an_acceptance_for_another_rule_changes_nothing() -> None:
    text = changed(('needs = "allowed"', 'needs = "unless declined"'), accepted("L6", "base"))
    assert [(f.lint, f.severity) for f in lint(text, "small.toml")] == [("L6", "error"), ("", "warning")]


def test_what_keeps_a_file_from_loading_stays_an_error() -> None:
    text = changed(('bound = "up to"\n', "\n"), accepted("L2", "base"))
    assert [(f.lint, f.severity) for f in lint(text, "small.toml")] == [("L2", "error"), ("", "warning")]


# -- the table of lints -----------------------------------------------------------------------------


def test_every_lint_is_tested_and_described() -> None:
    page = (HERE.parents[2] / "docs" / "reference" / "lints.md").read_text("utf-8")
    assert list(LINTS) == [f"L{n}" for n in range(1, 17)]
    assert [name for name in LINTS if f"\n| {name} | " not in page] == []
    loads = {name for name in LINTS if "does not load" in page.split(f"\n| {name} | ")[1].split("\n")[0]}
    assert loads == STRUCTURAL


def test_a_document_can_be_linted_without_a_file() -> None:
    assert lint_document(document(SMALL)) == []
