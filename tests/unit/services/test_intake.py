"""Intake accounts for every record, meets what it met before, and takes no permission that nobody can show."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from provider import ALL, DAY, MICROSECOND, T0, Provider, Told, day, part, provider, talk

from assent.connectors.formats.port import Malformed, Record, Skipped, Source
from assent.domain.choices import project_target
from assent.domain.conversation import Conversation
from assent.domain.errors import Place
from assent.domain.facts import FactsProblem
from assent.services import intake
from assent.services.intake import ImportSummary, Whose, import_accounts, import_choices, import_source
from assent.store.records import Account, ImportNote, IntakeOutcome

NOBODY = Whose()
MARKER = "MARKER-ann@example.com my own words"


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        yield made


def bring(acme: Provider, *records: Record | Exception, whose: Whose = NOBODY, batch: int = 2) -> ImportSummary:
    return import_source(Told(*records), Source(Path("deep/export.zip")), acme.store, whose, now=T0, batch=batch)


def lines(*records: object) -> list[bytes]:
    return [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]


# -- accounting -------------------------------------------------------------------------------------


def test_every_record_is_imported_skipped_or_malformed(acme: Provider) -> None:
    summary = bring(
        acme,
        talk("a", records=3),
        Skipped(Place("x.json", 1), "progress event", 2),
        Malformed(Place("x.json", 7), "not an object"),
        Skipped(Place("x.json", 9), "progress event"),
        Skipped(Place("y.json"), "account data", 1),
        talk("b", records=4),
        Malformed(Place("x.json", 8), "not an object", 5),
        talk("c"),
    )
    assert (summary.imported, summary.skipped, summary.malformed) == (8, 4, 6)
    assert summary.skips() == [("progress event", 3), ("account data", 1)]
    assert summary.problems() == [("x.json:7", "not an object", 1), ("x.json:8", "not an object", 5)]
    assert (summary.conversations, summary.parts) == ({"new": 3}, 6)


def test_the_account_of_an_import_is_kept_in_the_store(acme: Provider) -> None:
    summary = bring(
        acme, talk("a"), Skipped(Place("x", 1), "r"), Skipped(Place("x", 2), "r"), Malformed(Place("x", 3), "p")
    )
    run = acme.store.imports(ALL).items[0]
    assert (run.id, run.format, run.path) == (summary.run, "told", "export.zip")
    assert (run.imported, run.skipped, run.malformed) == (1, 2, 1)
    assert run.finished_at is not None
    notes = acme.store.import_notes(run.id, ALL).items
    assert notes == (ImportNote("", "skipped", "r", 2), ImportNote("x:3", "malformed", "p", 1))


def test_beyond_the_limit_malformed_records_are_counted_by_problem(
    acme: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_NOTES", 3)
    summary = bring(acme, *(Malformed(Place("x", number), "bad") for number in range(10)))
    assert summary.malformed == sum(count for _, _, count in summary.problems()) == 10
    assert [place for place, _, _ in summary.problems()] == ["x:0", "x:1", "x:2", ""]
    assert summary.problems()[-1] == ("", "bad", 7)


def test_conversations_are_written_in_batches_and_none_is_left_over(acme: Provider) -> None:
    sizes: list[int] = []
    kept = acme.store.intake

    class Spy:
        begin_import = staticmethod(acme.store.begin_import)
        finish_import = staticmethod(acme.store.finish_import)

        @staticmethod
        def intake(items: Sequence[Conversation], *, plan: str | None, recorded_at: datetime) -> list[IntakeOutcome]:
            sizes.append(len(items))
            return kept(items, plan=plan, recorded_at=recorded_at)

    def run(count: int, name: str) -> None:
        records = [talk(f"{name}{number}") for number in range(count)]
        import_source(Told(*records), Source(Path("e")), Spy(), NOBODY, now=T0, batch=3)

    run(7, "a")
    run(6, "b")
    run(0, "c")
    assert sizes == [3, 3, 1, 3, 3]
    assert acme.store.counts().conversations == 13


def test_importing_again_changes_nothing(acme: Provider) -> None:
    records = [talk("a"), talk("b", "s2"), Malformed(Place("x", 1), "p")]
    first = bring(acme, *records)
    before = (acme.store.counts(), acme.names(), acme.decided(day(3)))
    again = bring(acme, *records)
    assert (again.imported, again.malformed) == (first.imported, first.malformed)
    assert (again.conversations, again.parts) == ({"unchanged": 2}, 0)
    assert (acme.store.counts(), acme.names(), acme.decided(day(3))) == before


def test_a_conversation_that_went_on_grows(acme: Provider) -> None:
    bring(acme, talk("a"))
    longer = talk("a", "s1", day(5), part("q", "marker-a-q"), part("a", "marker-a-a", speaker="assistant"), part("c"))
    summary = bring(acme, longer)
    assert (summary.conversations, summary.parts) == ({"grown": 1}, 1)
    assert acme.store.conversation("test:a").entry.last_turn_at == day(5)


def test_an_import_that_broke_off_is_completed_by_the_next(acme: Provider) -> None:
    records = [talk(name) for name in "abcde"]
    with pytest.raises(OSError, match="gone"):
        bring(acme, *records[:3], OSError("gone"))
    assert acme.store.imports(ALL).items[0].finished_at is None
    kept = acme.store.counts().conversations
    summary = bring(acme, *records)
    assert summary.conversations == {"unchanged": kept, "new": 5 - kept}
    assert acme.store.counts().conversations == 5


def test_what_was_erased_does_not_come_back(acme: Provider) -> None:
    acme.person()
    bring(acme, talk("a"), talk("b", "s1", day(40)))
    acme.sweep(acme.plan(day(50)).digest, day(50))
    summary = bring(acme, talk("a"), talk("b", "s1", day(40)))
    assert summary.conversations == {"erased before": 1, "unchanged": 1}
    assert acme.store.conversation("test:a") is None


# -- whose ------------------------------------------------------------------------------------------


def test_the_operator_may_say_whose_conversations_these_are(acme: Provider) -> None:
    bring(acme, talk("a", "as the source says"), talk("b", None), whose=Whose(subject="me"))
    bring(acme, talk("c", "as the source says"), talk("d", None))
    assert {entry.id: entry.subject for entry in acme.entries()} == {
        "test:a": "me", "test:b": "me", "test:c": "as the source says", "test:d": None,
    }  # fmt: skip


def test_the_plan_of_the_parts_is_the_one_they_were_written_under(acme: Provider) -> None:
    acme.person(plan="pro")
    bring(acme, talk("a"), whose=Whose(plan="team"))
    bring(acme, talk("b"))
    assert {fact.plan for fact in acme.store.facts_of("test:a")} == {"team"}
    assert {fact.plan for fact in acme.store.facts_of("test:b")} == {"pro"}


def test_describing_a_person_adds_to_what_is_known(acme: Provider) -> None:
    intake.describe_person(acme.store, "me", {"plan": "pro", "age": 41})
    intake.describe_person(acme.store, "me", {"region": "de"})
    assert acme.store.account("me") == Account("me", plan="pro", age=41, region="DE")
    with pytest.raises(FactsProblem, match="key `age`"):
        intake.describe_person(acme.store, "me", {"plan": "free", "age": "old"})
    assert acme.store.account("me").plan == "pro"


# -- accounts ---------------------------------------------------------------------------------------


def test_accounts_are_read_line_by_line(acme: Provider) -> None:
    full = {
        "subject": "a", "plan": "max", "region": "de", "age": "adult", "signed_in": True, "role": "owner",
        "acknowledged_at": "2026-01-01T13:00:00+01:00", "user_duration": "P18M", "closed_at": "2026-01-02T12:00:00Z",
        "moved_to_business_at": "2026-01-03T12:00:00Z",
    }  # fmt: skip
    summary = import_accounts(lines(full, b"  \n", {"subject": "b"}), acme.store)
    assert (summary.taken, summary.problems) == (2, [])
    assert list(acme.store.accounts()) == [
        Account("a", "max", "DE", 18, True, "owner", T0, day(1), day(2), "P1Y6M"),
        Account("b"),
    ]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b"{", ""),
        (b"[1]", ""),
        (b"\xff\xfe{", ""),
        (b"[" * 100_000, ""),
        ({"plan": "pro"}, "subject"),
        ({"subject": 7}, "subject"),
        ({"subject": " "}, "subject"),
        ({"subject": "a", "age": 200}, "age"),
        ({"subject": "a", "age": True}, "age"),
        ({"subject": "a", "closed_at": "2026-01-01"}, "account_closed_at"),
        ({"subject": "a", "data": "text"}, "data"),
        ({"subject": "a", "part": "p"}, "part"),
        ({"subject": "a", "choices": []}, "choices"),
        ({"subject": "a", "signed_in": "yes"}, "signed_in"),
        ({"subject": "a", "region": "Germany"}, "region"),
        ({"subject": "a", "region": "germany!!"}, "region"),
        ({"subject": "a", "region": "UK"}, "region"),
        ({"subject": "a", "region": "DE-BE"}, "region"),
        ({"subject": "a", "region": "\u03a9\u03bc"}, "region"),
    ],
    ids=repr,
)
def test_a_bad_account_is_named_and_the_others_are_taken(acme: Provider, line: object, key: str) -> None:
    summary = import_accounts(lines({"subject": "x"}, b"", line, {"subject": "y"}), acme.store)
    assert summary.taken == 2
    ((number, problem, fix),) = summary.problems
    assert number == 3
    assert f"`{key}`" in problem if key else "not a JSON object" in problem
    assert fix
    assert [account.subject for account in acme.store.accounts()] == ["x", "y"]


def test_a_region_is_a_country_or_what_a_policy_names(acme: Provider) -> None:
    said = ["de", "US", "EU", "eea", "us-ca", "No Training"]
    people = lines(*({"subject": f"p{number}", "region": region} for number, region in enumerate(said)))
    assert import_accounts(people, acme.store).taken == 4
    assert import_accounts(people, acme.store, regions=frozenset({"US-CA", "NO TRAINING"})).problems == []
    assert [account.region for account in acme.store.accounts()] == [region.upper() for region in said]


# -- choices ----------------------------------------------------------------------------------------

SHOWN = f"sha256:{'0f' * 32}"
ALLOW = {
    "subject": "a", "purpose": "training", "act": "allow", "at": "2026-01-01T12:00:00Z",
    "notice": SHOWN, "surface": "web",
}  # fmt: skip


def test_choices_are_appended_once_however_often_the_file_comes(acme: Provider) -> None:
    later = {**ALLOW, "act": "withdraw", "at": "2026-01-02T12:00:00Z"}
    other = {**ALLOW, "purpose": "feedback"}
    for _ in range(2):
        summary = import_choices(lines(later, ALLOW, ALLOW, other, b"\n"), acme.store, acme.log, now=day(9))
        assert (summary.taken, summary.problems) == (4, [])
    found = list(acme.store.choices("a"))
    assert sorted((c.at, c.purpose, c.act) for c in found) == [
        (T0, "feedback", "allow"),
        (T0, "training", "allow"),
        (day(1), "training", "withdraw"),
    ]
    assert {(c.notice, c.surface, c.recorded_by, c.recorded_at) for c in found} == {(SHOWN, "web", "import", day(9))}


def test_every_imported_choice_has_a_leaf(acme: Provider) -> None:
    later = {**ALLOW, "act": "withdraw", "at": "2026-01-02T12:00:00Z"}
    locked = {**ALLOW, "act": "decline", "conversation": "test:a"}
    apart = {**ALLOW, "act": "decline", "project": "thesis"}
    for _ in range(2):
        import_choices(lines(ALLOW, later, locked, apart), acme.store, acme.log, now=day(9), batch=3)
    assert (acme.store.counts().choices, acme.store.staged(), acme.store.unlogged(9)) == (4, 4, [])
    about = {(one.scope, one.target) for one in acme.store.choices("a")}
    assert about == {("everything", None), ("conversation", "test:a"), ("project", project_target("thesis"))}


def test_a_second_import_of_choices_on_another_day_appends_nothing(acme: Provider) -> None:
    import_choices(lines(ALLOW), acme.store, acme.log, now=day(1))
    summary = import_choices(lines(ALLOW, {**ALLOW, "act": "decline"}), acme.store, acme.log, now=day(2))
    assert (summary.taken, acme.store.counts().choices) == (2, 2)


@pytest.mark.parametrize("act", ["decline", "defer", "withdraw"])
def test_only_an_allow_must_quote_what_was_shown(acme: Provider, act: str) -> None:
    bare = {key: ALLOW[key] for key in ("subject", "purpose", "at")}
    assert import_choices(lines({**bare, "act": act}), acme.store, acme.log, now=day(1)).taken == 1
    refused = import_choices(lines({**bare, "act": "allow"}), acme.store, acme.log, now=day(1))
    assert (refused.taken, refused.problems[0][0]) == (0, 1)
    assert [choice.act for choice in acme.store.choices("a")] == [act]


BAD_CHOICES = [
    ({**ALLOW, "notice": ""}, "notice"),
    ({**ALLOW, "surface": ""}, "notice"),
    ({**ALLOW, "notice": None}, "notice"),
    ({key: ALLOW[key] for key in ALLOW if key != "surface"}, "notice"),
    ({**ALLOW, "act": "yes"}, "choices.act"),
    ({**ALLOW, "act": None}, "choices.act"),
    ({**ALLOW, "at": None}, "choices.at"),
    ({**ALLOW, "at": "2026-01-01T12:00:00"}, "choices.at"),
    ({**ALLOW, "at": "soon"}, "choices.at"),
    ({**ALLOW, "purpose": None}, "choices.purpose"),
    ({**ALLOW, "subject": None}, "subject"),
    ({**ALLOW, "subject": ""}, "subject"),
    ({**ALLOW, "by": "admin"}, "by"),
    ({**ALLOW, "project": "p", "conversation": "c"}, "project"),
    ({**ALLOW, "project": 7}, "project"),
    ({**ALLOW, "conversation": " "}, "conversation"),
    (b"allow", ""),
]


@pytest.mark.parametrize(("line", "key"), BAD_CHOICES, ids=repr)
def test_a_bad_choice_is_named_and_records_nothing(acme: Provider, line: object, key: str) -> None:
    good = {**ALLOW, "subject": "b"}
    summary = import_choices(lines(b"\n", line, good), acme.store, acme.log, now=day(1))
    ((number, problem, fix),) = summary.problems
    assert (summary.taken, number) == (1, 2)
    assert f"`{key}" in problem if key else "not a JSON object" in problem
    assert fix
    assert list(acme.store.choices("a")) == []


@pytest.mark.parametrize(
    "shown",
    [{"notice": "  "}, {"notice": True}, {"notice": ["x"]}, {"surface": " "}, {"surface": 1}, {"notice": {"a": 1}}],
    ids=repr,
)
def test_an_allow_quotes_a_notice_that_is_text(acme: Provider, shown: dict[str, object]) -> None:
    summary = import_choices(lines({**ALLOW, **shown}), acme.store, acme.log, now=day(1))
    assert summary.taken == 0
    assert list(acme.store.choices("a")) == []


@pytest.mark.parametrize(
    "notice",
    ["x", "sha256:", "sha256:00", SHOWN[7:], SHOWN.upper(), f"sha256:{SHOWN[7:].upper()}", SHOWN + "0", SHOWN + "\n",
     f"sha512:{SHOWN[7:]}", f" {SHOWN}", f"sha256:{'g' * 64}", "sha256:" + "\u0660" * 64],
    ids=repr,
)  # fmt: skip
def test_an_allow_quotes_the_digest_of_what_was_shown(acme: Provider, notice: str) -> None:
    summary = import_choices(
        lines({**ALLOW, "subject": "b"}, {**ALLOW, "notice": notice}), acme.store, acme.log, now=T0
    )
    ((number, problem, fix),) = summary.problems
    assert (summary.taken, number, problem) == (1, 2, "key `notice`: is not a digest")
    assert fix.startswith("write `sha256:` and the SHA-256, 64 lower-case hexadecimal digits, ")
    assert list(acme.store.choices("a")) == []


@pytest.mark.parametrize("act", ["decline", "defer", "withdraw"])
def test_what_gives_nothing_is_taken_whatever_it_quotes(acme: Provider, act: str) -> None:
    said = {**ALLOW, "act": act, "notice": "the leaflet of May"}
    assert import_choices(lines(said), acme.store, acme.log, now=T0).taken == 1
    assert [choice.act for choice in acme.store.choices("a")] == [act]


def test_an_act_in_the_future_is_refused(acme: Provider) -> None:
    assert (
        import_choices(lines(ALLOW), acme.store, acme.log, now=T0 - MICROSECOND).problems[0][1]
        == "key `at`: lies in the future"
    )
    assert import_choices(lines({**ALLOW, "act": "decline"}), acme.store, acme.log, now=T0 - DAY).taken == 0
    assert import_choices(lines(ALLOW), acme.store, acme.log, now=T0).taken == 1


@pytest.mark.parametrize(
    "line",
    [
        {**ALLOW, "at": MARKER},
        {**ALLOW, "act": MARKER},
        {**ALLOW, "purpose": [MARKER]},
        {**ALLOW, MARKER: 1},
        {**ALLOW, "subject": [MARKER]},
        {**ALLOW, "notice": "", "subject": MARKER},
        MARKER,
    ],
    ids=["at", "act", "purpose", "key", "subject", "no notice", "text"],
)
def test_problems_with_choices_quote_nothing_a_person_wrote(acme: Provider, line: object) -> None:
    summary = import_choices(lines(line), acme.store, acme.log, now=day(1))
    assert len(summary.problems) == 1
    assert MARKER not in repr(summary.problems)


@pytest.mark.parametrize("key", ["closed_at", "user_duration", "acknowledged_at", "age", "signed_in", MARKER])
def test_problems_with_accounts_quote_nothing_a_person_wrote(acme: Provider, key: str) -> None:
    summary = import_accounts(lines({"subject": "a", key: MARKER}), acme.store)
    assert len(summary.problems) == 1
    assert MARKER not in repr(summary.problems)
