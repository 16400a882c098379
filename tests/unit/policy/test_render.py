"""A policy in plain words: every rule is said, with its numbers, and equal documents give equal texts."""

import time
from datetime import datetime, timedelta, timezone
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pytest

from assent.policy.lint import Beside, lint
from assent.policy.parse import parse_document, read_shape
from assent.policy.render import render, value_words

HERE = Path(__file__).parent
SMALL = (HERE / "small.toml").read_text("utf-8")
WORDY = (HERE / "wordy.toml").read_text("utf-8")
FILES = sorted((HERE.parents[2] / "policies").glob("*/*.toml"))


def texts(*changes: tuple[str, str]) -> dict[str, str]:
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return {statement.id: statement.text for statement in render(parse_document(text, "small.toml"))}


SAID = {
    "about": "Acme chat, in force 1 March 2026: in force from 2026-03-01T00:00:00Z, or from the day a person"
    " acknowledges it, if that is earlier.",
    "purpose.training": "Use for training means training models. Parts may be taken into data sets for it.",
    "purpose.service": "Use for service means showing people their conversations.",
    "consumer.base": "On plans free and pro, parts are kept for service up to 30 days from the last turn of the"
    " person and gone at once after that: Chats are kept up to 30 days after your last turn.",
    "consumer.training": "On plans free and pro, parts of any kind but score are kept for training up to 5 years from"
    " the last turn of the person and gone at once after that, only if the person allowed `training` at the time of"
    " the part, and as long as that stands: Chats that you allow for training are kept up to 5 years.",
    "consumer.thumbs": "On plans free and pro, parts are kept for feedback up to 2 years from the feedback and gone"
    " within 7 days after that: What you send as feedback is kept up to 2 years. This goes on in spite of `deleted`.",
    "consumer.minor": "On plans free and pro, parts of people under 18 are never used for training: Chats of people"
    " under 18 never train.",
    "event.deleted": "When the person asks for deletion, use for service and training ends at once and the bytes are"
    " gone within 30 days: You deleted this chat: it is gone within 30 days.",
    "withdrawal.future_data": "After a permission is taken back, what is said after that is not used.",
    "withdrawal.stored_data": "After a permission is taken back, what was stored before is not used in any new run.",
    "withdrawal.started_runs": "After a permission is taken back, runs that already started continue with the data.",
    "withdrawal.finished_models": "After a permission is taken back, models that are finished stay as they are.",
    "withdrawal.retention": "After a permission is taken back, what was kept on that permission alone is gone within"
    " 30 days.",
    "silence": "Who has not answered by the deadline counts as having declined (deadline 2026-04-01T00:00:00Z).",
    "silence.never": "Not answering never permits anything.",
    "hold": "A legal hold keeps data longer and permits no other use: Data is kept longer where a court orders it;"
    " each hold is looked at again every 90 days.",
    "open.flag_reversed": "The published text leaves open what happens when a flag turns out to be wrong; here it is:"
    " base clock.",
}


@pytest.mark.parametrize("name", SAID)
def test_a_statement(name: str) -> None:
    assert texts()[name] == SAID[name]


PAGE = {
    "what this is": [
        ("about", ("policy", "title"), "Acme for everybody: in force from 2026-06-01T00:00:00Z."),
        ("summary", ("policy", "summary"), "Who may train on what, and for how long?"),
    ],
    "what the uses mean": [
        ("purpose.service", ("purposes", "service"), "Use for service means showing people their conversations."),
        ("purpose.training", ("purposes", "training"),
         "Use for training means training models! Parts may be taken into data sets for it."),
        ("purpose.safety", ("purposes", "safety"), "Use for safety means keeping people safe."),
    ],
    "consumer: what is kept and used": [
        ("consumer.base", ("grant", 0),
         ("On plans free, pro and max, parts are kept for service without a set end, from the time it was recorded:"
          " Chats stay for as long as the account does. Not erased by this policy: the visible history and files that"
          " people took with them.")),
        ("consumer.training", ("grant", 2),
         ("On plans pro and max, parts of kind text, voice or file, that did not come from tool or file are kept for"
          " training up to 3 months from the choice that allowed it (the person may pick 3 months, 1 year 6 months or"
          " no set end) and gone at once after that, unless the person declined `training` at the time of use and"
          " unless the person declined `voice` at the time of the part, for minors only if a guardian allows it: Chats"
          " train models where people let them. De-identification: anonymous.")),
        ("consumer.mixed", ("grant", 3),
         ("On plan free, parts of people whose role is not student or teacher, of people 14 or older, unless it was"
          " flagged, unless feedback was sent are kept for training up to 2 years from the day this policy took effect"
          " or was acknowledged, the earlier of both and gone within 7 days after that, only if the person allowed"
          " `training` at the time of the part and unless the person declined `voice` at the time of the part: Chats"
          " of the young train models where they let them.")),
    ],
    "consumer: what survives an opt-out or an event": [
        ("consumer.flags", ("exception", 0),
         ("On plans free, pro and max, parts of people outside EU or CH, once it was flagged, once a person reviewed"
          " it are kept for safety up to 7 years from the time it was flagged and gone at once after that: What was"
          " flagged is looked into. This goes on in spite of `deleted`, `moved` and `minor`. De-identification:"
          " re-identifiable for enforcement.")),
    ],
    "consumer: what never happens": [
        ("consumer.minor", ("veto", 0),
         ("On plan free, parts of people under 13 are never used for training or safety: Chats of children are not"
          " used, are they?")),
        ("consumer.private", ("veto", 1),
         ("On plans free, pro and max, parts in private mode, of people not signed in are never used for training:"
          " Private chats are not used.")),
    ],
    "business: what is kept and used": [
        ("business.base", ("grant", 0),
         ("On plan team, parts are kept for service without a set end, from the time it was recorded: Chats stay for"
          " as long as the account does. Not erased by this policy: the visible history and files that people took"
          " with them.")),
        ("business.archive", ("grant", 1),
         ("On plan team, parts from any surface but chat or coding, of people signed in, recorded before the"
          " effective date are kept for service at least 1 year from the end of the account and gone within 1 month"
          " after that: Archives stay for at least a year.")),
    ],
    "business: what survives an opt-out or an event": [
        ("business.flags", ("exception", 0),
         ("On plan team, parts of people outside EU or CH, once it was flagged, once a person reviewed it are kept"
          " for safety up to 7 years from the time it was flagged and gone at once after that: What was flagged is"
          " looked into. This goes on in spite of `deleted`, `moved` and `minor`. De-identification: re-identifiable"
          " for enforcement.")),
    ],
    "business: what never happens": [
        ("business.minor", ("veto", 0),
         ("On plan team, parts of people under 13 are never used for training or safety: Chats of children are not"
          " used, are they?")),
    ],
    "what events end": [
        ("event.deleted", ("cap", 0),
         ("When the person asks for deletion, use for service, training and safety ends within 2 days and the bytes"
          " are gone within 30 days: You deleted this chat.")),
        ("event.moved", ("cap", 1),
         ("When the account moves to a business plan, use for training ends at once and the bytes are gone at once:"
          " Your account moved: what it held goes!")),
        ("event.closed", ("cap", 2),
         ("When the account is closed, use for training and safety ends within 1 month and the retention goes on:"
          " Your account was closed.")),
    ],
    "what taking a permission back undoes": [
        ("withdrawal.future_data", ("withdrawal", "future_data"),
         "After a permission is taken back, what is said after that is not used."),
        ("withdrawal.stored_data", ("withdrawal", "stored_data"),
         "After a permission is taken back, what was stored before is still used."),
        ("withdrawal.started_runs", ("withdrawal", "started_runs"),
         "After a permission is taken back, runs that already started are stopped."),
        ("withdrawal.finished_models", ("withdrawal", "finished_models"),
         "After a permission is taken back, models that are finished are trained again without the data."),
        ("withdrawal.retention", ("parameters", "retention_on_withdrawal"),
         "After a permission is taken back, what was kept on that permission alone is gone at once."),
    ],
    "what silence means": [
        ("silence", ("parameters", "no_answer"), "Who has not answered by the deadline must choose before going on."),
        ("silence.training", ("grant", 2),
         "Without any answer, parts may be used for training until the person declines (`training`)."),
    ],
    "what a legal hold does": [
        ("hold", ("hold",),
         ("A legal hold keeps data longer and permits no other use: Data is kept longer where a court orders it; each"
          " hold is looked at again every 1 year.")),
    ],
    "what the published text leaves open": [
        ("open.resume_scope", ("parameters", "resume_scope"),
         "The published text leaves open what a choice covers when a conversation is resumed; here it is: new turns."),
        ("open.retention_on_withdrawal", ("parameters", "retention_on_withdrawal"),
         ("The published text leaves open when the bytes are gone after a permission was taken back; here it is: at"
          " once.")),
        ("open.regrant_revives_earlier_data", ("parameters", "regrant_revives_earlier_data"),
         "The published text leaves open whether allowing again brings earlier data back into use; here it is: yes."),
        ("open.no_answer", ("parameters", "no_answer"),
         "The published text leaves open what happens to people who do not answer; here it is: block."),
        ("open.max_defers", ("parameters", "max_defers"),
         "The published text leaves open how often the answer may be put off; here it is: 0."),
        ("open.defer_cooldown", ("parameters", "defer_cooldown"),
         "The published text leaves open how long nobody is asked again after putting it off; here it is: 1 month."),
        ("open.branch_or_edit_is_resume", ("parameters", "branch_or_edit_is_resume"),
         "The published text leaves open whether editing or branching counts as resuming; here it is: no."),
    ],
}  # fmt: skip


def test_a_policy_with_every_form_of_words_is_said_heading_by_heading() -> None:
    said = render(parse_document(WORDY, "wordy.toml"))
    page = [(part, [(one.id, one.path, one.text) for one in rows]) for part, rows in groupby(said, attrgetter("part"))]
    assert page == list(PAGE.items())


def test_that_silence_permits_nothing_is_said_beside_what_silence_means() -> None:
    (said,) = (one for one in render(parse_document(SMALL, "small.toml")) if one.id == "silence.never")
    assert (said.part, said.path) == ("what silence means", ("parameters", "no_answer"))


def test_what_a_draft_does_not_say_yet_is_said_to_be_missing() -> None:
    text = SMALL.replace('anchor = "retention anchor"\n', "", 1).replace('bound = "up to"\n', "", 1)
    said = {one.id: one.text for one in render(read_shape(text, "draft.toml")[0])}
    assert "parts are kept for service for 30 days from no anchor and gone at once" in said["consumer.base"]


def test_an_instant_is_said_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EAST-9")
    time.tzset()
    try:
        assert value_words(datetime(2026, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-06-01T00:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_only_parameters_that_the_text_leaves_open_are_told_as_such() -> None:
    told = {name.removeprefix("open.") for name in texts() if name.startswith("open.")}
    assert told == {
        "retention_anchor", "retention_on_withdrawal", "regrant_revives_earlier_data", "max_defers", "defer_cooldown",
        "account_moves_to_org", "flag_reversed", "branch_or_edit_is_resume", "shared_chat_participants", "export_copy",
        "plan_change_mid_conversation",
    }  # fmt: skip


WHEN = ', data = { not = ["score"] } }'


@pytest.mark.parametrize(
    ("change", "name", "part"),
    [
        ((WHEN, ', mode = "private" }'), "consumer.training", "parts in private mode are"),
        ((WHEN, ', origin = ["tool", "file"] }'), "consumer.training", "parts that came from tool or file are"),
        ((WHEN, ', origin = { not = ["tool"] } }'), "consumer.training", "parts that did not come from tool are"),
        ((WHEN, ', surface = ["coding"] }'), "consumer.training", "parts from the surface coding are"),
        ((WHEN, ', region = ["EEA", "CH"] }'), "consumer.training", "parts of people in EEA or CH are"),
        ((WHEN, ', region = { not = ["US"] } }'), "consumer.training", "parts of people outside US are"),
        ((WHEN, ', role = ["student"] }'), "consumer.training", "parts of people whose role is student are"),
        ((WHEN, ", age = { from = 14, below = 18 } }"), "consumer.training", "of people 14 or older and under 18 are"),
        ((WHEN, ", signed_in = false }"), "consumer.training", "parts of people not signed in are"),
        ((WHEN, ', part = "since effective" }'), "consumer.training", "parts recorded since the effective date are"),
        ((WHEN, ', happened = ["flagged"], absent = ["reviewed"] }'), "consumer.training",
         "parts once it was flagged, unless a person reviewed it are"),
        (('plan = ["consumer"]', 'plan = { not = ["pro"] }'), "consumer.training", "On plan free, parts"),
        (('use_for = "P5Y"', 'use_for = "indefinite"'), "consumer.training", "without a set end, from the last turn"),
        (('use_for = "P5Y"', 'use_for = { default = "P18M", person_may_pick = ["P3M", "indefinite"] }'),
         "consumer.training", ("up to 1 year 6 months from the last turn of the person (the person may pick 3 months or"
         " no set end)")),
        (('needs = "allowed"', 'needs = "unless declined"'), "silence.training",
         "Without any answer, parts may be used for training until the person declines (`training`)."),
        (('needs = "allowed"', 'needs = "unless declined"'), "consumer.training",
         "unless the person declined `training`"),
        (('needs = "allowed"', 'needs = "allowed", covers = "now"'), "consumer.training", "at the time of use"),
        (('stored_data = "not used"', 'stored_data = "still used"'), "consumer.training",
         "only if the person allowed `training` at the time of the part:"),
        (('stored_data = "not used"', 'stored_data = "still used"'), "withdrawal.stored_data", "is still used."),
        (('{ purpose = "training", needs = "allowed" }',
          '[{ purpose = "training", needs = "allowed" }, { purpose = "voice", needs = "allowed" }]'),
         "consumer.training", ("only if the person allowed `training` at the time of the part, and as long as that"
         " stands and only if the person allowed `voice`")),
        (('erase_after = "P30D"', 'erase_after = "keep"'), "event.deleted", "ends at once and the retention goes on:"),
        (('retention_on_withdrawal = "P30D"', 'retention_on_withdrawal = "keep"'), "withdrawal.retention",
         "keeps its own end."),
        (('no_answer = "decline"', 'no_answer = "block"'), "silence", "must choose before going on"),
        (('no_answer = "decline"', 'no_answer = "old terms continue"'), "silence", "the earlier terms go on"),
        (('ignores = ["deleted"]', 'ignores = ["deleted"]\nde_identification = "de-linked"'), "consumer.thumbs",
         "De-identification: de-linked."),
        (('ignores = ["deleted"]', 'ignores = ["deleted"]\nguardian_grant = true'), "consumer.thumbs",
         ", for minors only if a guardian allows it:"),
    ],
)  # fmt: skip
def test_a_value_is_said(change: tuple[str, str], name: str, part: str) -> None:
    said = texts(change)[name]
    assert part in said
    assert said != SAID.get(name)


def test_a_copy_outside_the_policy_is_admitted() -> None:
    history = ("[[grant]]", 'history = { governed = false, says = "the visible history" }\n\n[[grant]]')
    use = ('erase_after = "at once"', 'erase_after = "at once"\ncopies = ["back end", "history"]')
    assert "Not erased by this policy: the visible history." in texts(history, use)["consumer.base"]


def test_a_rule_for_another_group_is_not_said_for_this_one() -> None:
    said = texts(('consumer = ["free", "pro"]', 'consumer = ["free", "pro"]\nbusiness = ["team"]'))
    assert "business.base" in said
    assert "business.training" not in said


def test_without_a_promise_on_silence_nothing_is_promised() -> None:
    assert "silence.never" not in texts(('needs = "allowed"', 'needs = "unless declined"'))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_rule_of_a_shipped_policy_is_said(file: Path) -> None:
    document = parse_document(file.read_text("utf-8"), file.name)
    statements = render(document)
    ids = [statement.id for statement in statements]
    assert len(ids) == len(set(ids))
    assert statements == render(document)
    rules = {rule.id for rule in (*document.grant, *document.exception, *document.cap, *document.veto)}
    said = {name.removeprefix(f"{group}.") for name in ids for group in (*document.plans, "event")}
    assert rules - said == set()
    assert all(text.text.endswith((".", "!", "?")) for text in statements)


def page(*, drop: str = "") -> str:
    said = [statement.text for statement in render(parse_document(SMALL, "small.toml")) if statement.id != drop]
    body = "\n".join(f"<li>{text.replace('30 days', '<b>30</b>&nbsp;days')}</li>" for text in said)
    return f"<!doctype html><html><head><title>x</title></head><body><ul>{body}</ul></body></html>"


def findings(text: str) -> list[tuple[str, str, str]]:
    return [(f.lint, f.rule, f"{f.place.line}") for f in lint(SMALL, "small.toml", Beside(page=text))]


def test_a_page_that_says_everything_passes_whatever_its_markup() -> None:
    assert findings(page()) == []
    assert findings(page().replace("`", "").replace("`", "’")) == []
    assert findings("\n\n".join(statement.text for statement in render(read_shape(SMALL, "x")[0]))) == []


def test_a_page_that_leaves_something_out_does_not() -> None:
    assert findings(page(drop="consumer.training")) == [("L15", "training", "73")]
    assert findings(page().replace("5 years", "3 years")) == [("L15", "summary", "12"), ("L15", "training", "73")]


def test_what_is_missing_is_quoted_with_the_way_to_mend_it() -> None:
    (finding,) = lint(SMALL, "small.toml", Beside(page=page(drop="consumer.minor")))
    assert finding.message == f"the page does not say: {SAID['consumer.minor']}"
    assert finding.fix == "publish the statement `consumer.minor` word for word (`assent policy show --plain`)"
    assert finding.path == ("veto", 0)


@pytest.mark.parametrize("broken", ["up\n    to\t5 <i>years</i>", "up to 5<br>years", "up to5 years"])
def test_a_page_may_break_its_lines_where_it_likes(broken: str) -> None:
    assert page().count("up to 5 years") == 2
    assert findings(page().replace("up to 5 years", broken)) == []


def test_a_page_is_read_as_it_was_given_whatever_encoding_it_names() -> None:
    """A page that was saved as UTF-8 still names the encoding in which it was sent."""
    text = SMALL.replace("What you send as feedback", "Votre réponse")
    said = "".join(f"<p>{one.text}</p>" for one in render(parse_document(text, "small.toml")))
    saved = f'<html><head><meta charset="iso-8859-1"></head><body>{said}</body></html>'
    assert lint(text, "small.toml", Beside(page=saved)) == []
    assert lint(text, "small.toml", Beside(page=saved.replace("é", "e"))) != []


@pytest.mark.parametrize(
    "hiding", ["<script>{}</script>", "<p hidden>{}</p>", "<!-- {} -->", "<template>{}</template>"]
)
def test_what_nobody_sees_does_not_count(hiding: str) -> None:
    hidden = hiding.format(SAID["consumer.minor"])
    text = page(drop="consumer.minor").replace("</body>", f"{hidden}</body>")
    assert findings(text) == [("L15", "minor", "108")]


def test_an_empty_page_says_nothing() -> None:
    assert len(findings("")) == len(render(parse_document(SMALL, "small.toml")))
