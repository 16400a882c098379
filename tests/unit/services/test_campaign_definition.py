"""A campaign file: what it means, and what is refused with line and remedy."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.campaign_world import (
    BLOCKING,
    DAY,
    DEADLINE,
    SIGN_UP,
    START,
    TEXT,
    campaign,
    day,
    policy_document,
    text,
)

from assent.domain.durations import Duration
from assent.services.campaign.definition import CampaignProblems, campaign_of, policy_named
from assent.services.campaign.document import json_schema
from assent.store.records import Audience


def problems(changes: dict[str, str], no_answer: str = "decline") -> list[tuple[int | None, str, str]]:
    with pytest.raises(CampaignProblems) as told:
        campaign_of(text(changes), "spring.toml", policy_document(no_answer))
    assert all(problem.place.file == "spring.toml" for problem in told.value.problems)
    return [(problem.place.line, problem.message, problem.fix) for problem in told.value.problems]


def line_of(words: str, changes: dict[str, str]) -> int:
    return next(n for n, line in enumerate(text(changes).splitlines(), 1) if words in line)


def test_a_file_is_read_with_groups_expanded_and_instants_in_utc() -> None:
    made = campaign({"2026-03-01T09:00:00Z": "2026-03-01T10:00:00+01:00"})
    assert made.audience == Audience(plans=("free", "pro"), age_from=18)
    assert (made.start, made.deadline) == (START, DEADLINE)
    assert made.start.tzinfo is UTC
    assert (made.max_defers, made.cool_down) == (2, Duration(days=7))
    assert made.layouts == (("side-by-side", 1), ("stacked", 1))
    assert policy_named(TEXT, "spring.toml") == "acme/2"


def test_the_digest_names_the_meaning_and_not_the_layout_of_the_file() -> None:
    assert campaign({"[defers]": "# a comment\n\n[defers]"}).digest == campaign().digest
    assert campaign({"max = 2": "max = 1"}).digest != campaign().digest


def test_regions_are_countries_and_groups() -> None:
    within = campaign({"ages =": 'regions = ["EEA", "GB"]\nages ='}).audience
    assert {"DE", "NO", "GB"} <= set(within.regions)
    assert not within.outside
    beyond = campaign({"ages =": 'regions = { not = ["EU"] }\nages ='}).audience
    assert "DE" in beyond.outside
    assert not beyond.regions


@pytest.mark.parametrize(
    ("changes", "place", "message", "fix"),
    [
        ({'id = "spring"': 'id = "Spring!"'}, "id =", "`id` is not a short name", "use lower-case"),
        ({'id = "spring"\n': ""}, "[campaign]", "`id` is missing", "add `id = ...`"),
        ({"reminders =": "remainders ="}, "remainders", "`remainders` is not known here", "did you mean `reminders`?"),
        ({"2026-04-01T00:00:00Z": "2026-04-01T00:00:00"}, "deadline", "has no zone", "add `Z`"),
        ({"2026-04-01T00:00:00Z": '"April"'}, "deadline", "`deadline` is not an instant", "with a zone"),
        ({"2026-04-01T00:00:00Z": "2026-02-01T00:00:00Z"}, "deadline", "`deadline` is not after `start`", "time"),
        ({'"decline"': '"allow"'}, "no_answer", "silence is never consent", "`decline` or `block`"),
        ({'"decline"': '"old terms continue"'}, "no_answer", "silence is never consent", "`decline` or `block`"),
        ({'"decline"': '"decline"\nescape = ["export"]'}, "escape", "means nothing", "remove it"),
        ({'["P10D", "P2D"]': '["P40D"]'}, "reminders", "lies before `start`", "shorter"),
        ({'["P10D", "P2D"]': '["P2D", "P2D"]'}, "reminders", "is there twice", "once"),
        ({'["P10D", "P2D"]': '["P0D"]'}, "reminders", "`P0D` is zero", "longer than zero"),
        ({'["training"]': '["dreams"]'}, "purposes", "no grant of `acme/2` asks for `dreams`", "use one of training"),
        ({'["training"]': '["training", "training"]'}, "purposes", "is there twice", "once"),
        ({'["training"]': "[]"}, "purposes", "`purposes` is empty", "at least one"),
        ({'"acme/2"': '"acme/3"'}, "policy", "`acme/3` is not the policy `acme/2`", "name the policy"),
        ({'["consumer"]': '["gold"]'}, "plans", "`gold` is not a plan", "consumer, free, pro"),
        ({"{ from = 18 }": "{ from = 18, below = 18 }"}, "ages", "nobody has these ages", "greater"),
        ({"ages = { from = 18 }\n": ""}, "[audience]", "`ages` is missing", "add"),
        ({"{ from = 18 }": "{ from = 0 }"}, "ages", "`from` is too small", "use 1 or more"),
        ({"ages =": 'regions = ["Europe"]\nages ='}, "regions", "neither a country nor a group", "`DE`"),
        ({"max = 2": "max = 3"}, "max", "lets people put it off `2` times", "use 2 or less"),
        ({'"P7D"': '"P6D"'}, "cool_down", "leaves people alone for `P7D`", "use P7D or more"),
        ({"stacked = 1\nside-by-side = 1": "stacked = 0"}, "[layouts]", "no layout has a weight", "above zero"),
        ({"stacked = 1": "stacked = -1"}, "stacked", "`stacked` is too small", "use 0 or more"),
        ({"threshold = 10": "threshold = 90"}, "threshold", "`threshold` is too large", "use 50 or less"),
        ({"answers = 30": "answers = 2"}, "answers", "`answers` is too small", "use 30 or more"),
        ({"[alarm]": '[sign_up]\ndeadline = "before first use"\n[alarm]'}, 'deadline = "b', "no time to stay", "P14D"),
        ({"[alarm]\nthreshold = 10\nanswers = 30\n": ""}, "assent", "`alarm` is missing", "add `[alarm]`"),
        ({"threshold = 10": "threshold = ="}, "threshold", "this is not TOML", "correct the syntax"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_remedy(
    changes: dict[str, str], place: str, message: str, fix: str
) -> None:
    found = problems(changes)
    assert len(found) == 1, found
    line, said, remedy = found[0]
    assert line == line_of(place, changes)
    assert message in said
    assert fix in remedy


def test_a_business_plan_is_refused_by_its_name_and_by_its_group() -> None:
    document = policy_document()
    business = document.model_copy(update={"plans": {**document.plans, "business": ["team"]}})
    for plan in ("team", "business"):
        with pytest.raises(CampaignProblems, match=f"`{plan}` is a business plan") as told:
            campaign_of(text({'["consumer"]': f'["consumer", "{plan}"]'}), "spring.toml", business)
        assert told.value.fix == "name consumer plans only"


def test_block_names_a_way_out_and_is_what_the_policy_says() -> None:
    assert campaign(BLOCKING).escape == ("export", "read only")
    without = {'"decline"': '"block"'}
    [(line, message, fix)] = problems(without, "block")
    assert (line, message) == (line_of("no_answer", without), "`block` names no way out")
    assert "nobody is locked out of their own data" in fix
    [(_, message, _)] = problems(BLOCKING)
    assert message == "the policy says `decline` for people who do not answer"


def test_all_problems_of_a_file_are_shown_in_file_order() -> None:
    found = problems({"max = 2": "max = 3", '["training"]': '["dreams"]', '"P7D"': '"P1D"'})
    assert len(found) == 3
    assert [line for line, *_ in found] == sorted(line for line, *_ in found)


def test_new_people_have_a_deadline_of_their_own() -> None:
    made = campaign(SIGN_UP)
    assert made.deadline_of(START - DAY) == DEADLINE
    assert made.deadline_of(None) == DEADLINE
    assert made.deadline_of(day(3)) == day(17)
    assert campaign().deadline_of(day(3)) == DEADLINE
    at_once = campaign(BLOCKING | {"[alarm]": '[sign_up]\ndeadline = "before first use"\n[alarm]'})
    assert at_once.deadline_of(day(3)) == day(3)


def test_it_closes_by_itself_after_the_grace_unless_it_blocks_or_new_people_come() -> None:
    assert campaign().closes_at == DEADLINE
    assert campaign({"reminders": 'grace = "P3D"\nreminders'}).closes_at == DEADLINE + 3 * DAY
    assert campaign(BLOCKING).closes_at is None
    assert campaign(SIGN_UP).closes_at is None


def test_the_schema_for_editors_is_the_published_one() -> None:
    published = Path(__file__).parents[3] / "spec" / "campaign.schema.json"
    assert json.loads(published.read_text("utf-8")) == json_schema()


@given(st.text(max_size=300))
def test_no_text_at_all_breaks_the_reader(words: str) -> None:
    try:
        campaign_of(TEXT + words, "spring.toml", policy_document())
    except CampaignProblems as told:
        fixes = [problem.fix for problem in told.problems]
    else:
        fixes = ["it was a comment, or nothing"]
    assert all(fixes)


@given(st.datetimes(datetime(2026, 3, 2), datetime(2030, 1, 1)))  # noqa: DTZ001 - the zone is added as text
def test_a_deadline_is_taken_as_written(at: datetime) -> None:
    written = at.isoformat() + "+02:00"
    made = campaign({"2026-04-01T00:00:00Z": written, 'reminders = ["P10D", "P2D"]\n': ""})
    assert made.deadline == datetime.fromisoformat(written)
