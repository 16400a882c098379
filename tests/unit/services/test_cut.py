"""A cut holds what may be used, each row decided twice and proved, and nothing else; and it is all or nothing."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import new as hmac
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cut_world import KEY, NOW, TURN, World, chat, policy, said, small, world
from tests.cut_files import files_of, lines_of, rows_of

from assent.domain.decision import Decision
from assent.domain.errors import AssentError, Invalid, Refused
from assent.domain.facts import Facts, facts_from_record, facts_to_record
from assent.policy.model import Policy
from assent.policy.versions import decide_versions
from assent.services.cut import rows as cut_rows
from assent.services.cut.take import NothingEligible, take
from assent.store.records import Flag, Hold, Page

DAY = timedelta(days=1)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def rows(world: World, directory: str = "out") -> list[dict]:
    return rows_of(world.folder / directory)


def texts(world: World, directory: str = "out") -> list[str]:
    return [row["text"] for row in rows(world, directory)]


def files(folder: Path) -> dict[str, bytes]:
    return files_of(folder)


# -- what is in, what is out, and why ---------------------------------------------------


def test_what_was_allowed_is_written_with_its_decision_and_its_receipt(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    taken = acme.cut()
    question, answer = rows(acme)
    assert (question["text"], question["speaker"], question["origin"]) == ("question of one", "user", "person")
    assert (answer["text"], answer["ordinal"]) == ("answer to one", 1)
    assert question["part"] == "test:one#m1"
    assert question["created_at"] == TURN
    assert {row["receipt"] for row in (question, answer)} == {"choice-of-ann-allow-04-05"}
    assert {row["proof"] for row in (question, answer)} == {"choice"}
    assert question["policy"] == policy().digest
    facts = acme.store.facts_of("test:one")[0]
    assert question["decision"] == cut_rows.decision_id(facts, policy().digest)
    assert question["decision"] != answer["decision"]
    assert taken.manifest["counts"]["written"] == 2


@pytest.mark.parametrize(
    ("reason", "person", "conversation"),
    [
        ("unanswered", {}, {}),
        ("gap", {"allows": True, "plan": "unheard-of"}, {}),
        ("business-plan", {"allows": True, "plan": "team"}, {}),
        ("minor", {"allows": True, "age": 16}, {}),
        ("private-mode", {"allows": True}, {"mode": "private"}),
        ("deleted", {"allows": True}, {"deleted_at": TURN + DAY}),
    ],
)
def test_what_the_policy_keeps_out_is_counted_by_its_reason(
    acme: World, reason: str, person: dict, conversation: dict
) -> None:
    acme.person("bob", **person)
    acme.person("ann", allows=True)
    acme.keep(chat("no", "bob", **conversation), chat("yes", "ann"))
    counts = acme.cut().manifest["counts"]
    assert counts["excluded"] == {reason: 2}
    assert (counts["considered"], counts["eligible"], counts["written"]) == (4, 2, 2)
    assert {row["conversation"] for row in rows(acme)} == {"test:yes"}


def test_what_is_held_stays_out(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("held"), chat("free"))
    acme.store.place_hold(Hold("h", "matter", "conversation", "test:held", TURN, "counsel", "dispute", NOW + DAY))
    assert acme.cut().manifest["counts"]["excluded"] == {"hold": 2}


@pytest.mark.parametrize("mark", cut_rows.OUT)
def test_marked_parts_stay_out_under_their_mark(acme: World, mark: str) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one", "ann", said(1, "a"), said(2, "b", by="assistant", marks=frozenset({mark, "reasoning"}))))
    assert acme.cut().manifest["counts"]["excluded"] == {mark: 1}
    assert texts(acme) == ["a"]


def test_thinking_and_tool_calls_stay_in_and_say_so(acme: World) -> None:
    acme.person("ann", allows=True)
    parts = (
        said(1, "a", name="my private file.txt"),
        said(2, "hm", by="assistant", marks=frozenset({"reasoning"})),
        said(3, "{}", by="assistant", marks=frozenset({"tool-payload"}), name="bash"),
    )
    acme.keep(chat("one", "ann", *parts))
    acme.cut()
    assert [(row["marks"], row["tool"]) for row in rows(acme)] == [
        ([], None),
        (["reasoning"], None),
        (["tool-payload"], "bash"),
    ]


def test_a_business_plan_is_stopped_even_where_the_rules_forgot_it(acme: World) -> None:
    forgetful = small(
        ('consumer = ["free", "pro"]', 'consumer = ["free", "pro"]\nbusiness = ["team"]'),
        ('when = { plan = ["consumer"], data', 'when = { plan = ["consumer", "team"], data'),
    )
    acme.policies = [forgetful]
    acme.person("ann", allows=True)
    acme.person("bob", allows=True, plan="team")
    acme.keep(chat("mine"), chat("ours", "bob"))
    facts = acme.store.facts_of("test:ours")[0]
    assert decide_versions(facts, acme.policies, NOW).eligible == ("training",)
    assert acme.cut().manifest["counts"]["excluded"] == {"business plan": 2}
    assert {row["conversation"] for row in rows(acme)} == {"test:mine"}


# -- proofs -----------------------------------------------------------------------------


def test_every_history_of_answers_is_in_or_out_by_the_answer_in_force(acme: World) -> None:
    """All ways to answer at three times, two before the chat and one after it, against a rule of thumb."""
    moments = (TURN - 9 * DAY, TURN - 5 * DAY, TURN + 5 * DAY)
    expected = {}
    for number, acts in enumerate(product((None, "allow", "decline", "defer", "withdraw"), repeat=3)):
        subject = f"s{number:03}"
        acme.person(subject)
        names = [act and acme.choose(subject, act, at) for act, at in zip(acts, moments, strict=True)]
        acme.keep(chat(subject, subject))
        then = [(act, name) for act, name in zip(acts, names, strict=True) if act not in (None, "defer")]
        before = [pair for pair in then if pair[1] in names[:2]]
        if before and before[-1][0] == "allow" and then[-1][0] == "allow":
            expected[f"test:{subject}"] = before[-1][1]
    counts = acme.cut().manifest["counts"]
    assert {row["conversation"]: row["receipt"] for row in rows(acme)} == expected
    assert 10 < len(expected) < 60
    assert counts["considered"] == 250 == counts["written"] + sum(counts["excluded"].values())
    assert counts["written"] == sum(counts["proofs"].values()) == 2 * len(expected)


def test_a_default_is_no_proof(acme: World) -> None:
    acme.policies = [small(('needs = "allowed"', 'needs = "unless declined"'))]
    acme.person("silent")
    acme.person("ann", allows=True)
    acme.keep(chat("silent", "silent"), chat("ann"))
    assert acme.cut().manifest["counts"]["excluded"] == {"unproven": 2}
    assert {row["receipt"] for row in rows(acme)} == {"choice-of-ann-allow-04-05"}


def test_an_act_for_another_purpose_proves_nothing(acme: World) -> None:
    acme.policies = [small(('needs = "allowed"', 'needs = "unless declined"'))]
    acme.person("ann")
    acme.choose("ann", "allow", TURN - DAY, purpose="ads")
    acme.keep(chat("one"))
    with pytest.raises(NothingEligible) as nothing:
        acme.cut()
    assert nothing.value.excluded == {"unproven": 2}


def test_a_grant_that_needs_two_choices_names_both(acme: World) -> None:
    both = 'choice = [{ purpose = "training", needs = "allowed" }, { purpose = "voice", needs = "unless declined" }]'
    acme.policies = [small(('choice = { purpose = "training", needs = "allowed" }', both))]
    acme.person("ann", allows=True)
    acme.choose("ann", "allow", TURN - DAY, purpose="voice", name="voice-1")
    acme.person("bob", allows=True)
    acme.keep(chat("both"), chat("one", "bob"))
    assert acme.cut().manifest["counts"]["excluded"] == {"unproven": 2}
    assert {row["receipt"] for row in rows(acme)} == {"choice-of-ann-allow-04-05 + voice-1"}


def test_a_part_without_a_person_has_no_proof(acme: World) -> None:
    acme.policies = [
        small(
            ('needs = "allowed"', 'needs = "unless declined"'),
            ("when = { age = { below = 18 } }", 'when = { mode = "private" }'),
        )
    ]
    acme.store.intake([chat("nobody", None)], plan="pro", recorded_at=TURN)
    with pytest.raises(NothingEligible) as nothing:
        acme.cut()
    assert nothing.value.excluded == {"unproven": 2}


def test_a_flag_proves_a_cut_for_safety(acme: World) -> None:
    acme.person("ann")
    acme.keep(chat("flagged"), chat("too"), chat("other"))
    acme.store.add_flag(Flag("f-too", "test:too", TURN, "abuse", "detector", "score"))
    acme.store.add_flag(Flag("f-old", "test:flagged", TURN, "abuse", "detector", "score", reversed_at=None))
    acme.store.reverse_flag("f-old", TURN + DAY)
    acme.store.add_flag(Flag("f-new", "test:flagged", TURN + 2 * DAY, "abuse", "detector", "score"))
    acme.cut(purpose="safety")
    assert {(row["conversation"], row["proof"], row["receipt"]) for row in rows(acme)} == {
        ("test:flagged", "flag", "f-new"),
        ("test:too", "flag", "f-too"),
    }


def test_of_two_flags_of_one_instant_the_one_that_stands_is_named(acme: World) -> None:
    acme.person("ann")
    acme.keep(chat("flagged"))
    for name in ("f-1", "f-2", "f-3"):
        acme.store.add_flag(Flag(name, "test:flagged", TURN, "abuse", "detector", "score"))
    acme.store.reverse_flag("f-1", TURN + DAY)
    acme.store.reverse_flag("f-3", TURN + DAY)
    acme.cut(purpose="safety")
    assert {row["receipt"] for row in rows(acme)} == {"f-2"}


def test_a_proof_is_needed_under_every_version_that_governs(acme: World) -> None:
    earlier = small(
        ('version = "2"', 'version = "1"'),
        ("effective = 2026-03-01T00:00:00Z", "effective = 2026-01-01T00:00:00Z"),
        ("announced = 2026-02-01T00:00:00Z", "announced = 2025-12-01T00:00:00Z"),
        ('{ purpose = "training", needs = "allowed" }', '{ purpose = "old-training", needs = "unless declined" }'),
    )
    acme.policies = [earlier, small()]
    then = TURN.replace(month=2)
    for who in ("ann", "bob"):
        acme.person(who)
        acme.choose(who, "allow", then - DAY)
    acme.choose("bob", "allow", then - DAY, purpose="old-training", name="old-1")
    for who in ("ann", "bob"):
        acme.keep(chat(f"old-{who}", who, said(1, "a", at=then)), chat(f"new-{who}", who))
    counts = acme.cut().manifest["counts"]
    assert counts["excluded"] == {"unproven": 1}
    assert {row["conversation"] for row in rows(acme)} == {"test:old-bob", "test:new-ann", "test:new-bob"}
    assert {row["receipt"] for row in rows(acme)} == {"choice-of-ann-allow-02-09", "choice-of-bob-allow-02-09"}


def test_feedback_proves_a_cut_for_feedback(acme: World) -> None:
    acme.person("ann")
    acme.keep(chat("thumb", feedback_at=TURN + DAY), chat("other"))
    acme.cut(purpose="feedback")
    assert {(row["conversation"], row["proof"], row["receipt"]) for row in rows(acme)} == {
        ("test:thumb", "feedback", "2026-04-11T00:00:00Z")
    }


# -- two evaluators, two instants -------------------------------------------------------


def test_a_part_the_evaluators_disagree_on_stops_the_cut(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"), chat("two"))
    real = cut_rows.decide_versions

    def other_mind(facts: Facts, policies: list[Policy], at: datetime) -> Decision:
        decision = real(facts, policies, at)
        return decision._replace(eligible=()) if facts.part == "test:two#m2" else decision

    monkeypatch.setattr(cut_rows, "decide_versions", other_mind)
    with pytest.raises(AssentError, match="test:two#m2") as problem:
        acme.cut()
    assert problem.value.exit_code == 1
    assert not (acme.folder / "out").exists()
    assert acme.store.cuts(Page()).total == 0


def test_a_decision_can_be_made_again_from_its_facts(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    acme.cut()
    record = json.loads(json.dumps(facts_to_record(acme.store.facts_of("test:one")[0])))
    again = facts_from_record(record)
    decision = decide_versions(again, acme.policies, NOW)
    assert rows(acme)[0]["decision"] == cut_rows.decision_id(again, decision.digest)


def test_what_ended_since_the_instant_of_the_cut_is_not_taken(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.person("bob", allows=True)
    acme.choose("bob", "withdraw", NOW - DAY)
    acme.keep(chat("ann"), chat("bob", "bob"))
    counts = acme.cut(at=NOW - 2 * DAY).manifest["counts"]
    assert counts["excluded"] == {"ended since": 2}
    assert {row["conversation"] for row in rows(acme)} == {"test:ann"}


def test_a_row_names_the_versions_it_was_decided_under(acme: World) -> None:
    acme.policies = [policy("anthropic/2025-09-28"), policy()]
    early = TURN.replace(year=2025, month=10, day=1)
    acme.person("ann")
    acme.choose("ann", "allow", early - DAY)
    acme.keep(chat("early", "ann", said(1, "a", at=early)), chat("late"))
    under = {entry["policy"]: entry for entry in acme.cut().manifest["decided_under"]}
    by_chat = {row["conversation"]: under[row["policy"]]["versions"] for row in rows(acme)}
    old, new = (version.digest for version in acme.policies)
    assert by_chat == {"test:early": [old, new], "test:late": [new]}
    assert sum(entry["parts"] for entry in under.values()) == 3


# -- the folder and the record ----------------------------------------------------------


def test_people_are_named_by_keyed_pseudonyms_and_by_nothing_else(acme: World) -> None:
    acme.person("subject-of-ann", allows=True)
    acme.person("subject-of-bob", allows=True)
    acme.keep(*(chat(f"c{n}", f"subject-of-{who}") for n, who in enumerate(("ann", "bob", "ann"))))
    taken = acme.cut(keep_excluded=True)
    people = {row["conversation"]: row["person"] for row in rows(acme)}
    assert people["test:c0"] == people["test:c2"] == hmac(KEY, b"subject-of-ann", sha256).hexdigest()[:32]
    assert people["test:c1"] != people["test:c0"]
    assert taken.manifest["counts"]["people"] == 2
    for name, content in files(acme.folder / "out").items():
        receipts_apart = content.replace(b"choice-of-subject-of-", b"")
        assert b"subject-of-ann" not in receipts_apart, name
    acme.cut("again", key=bytes(32), afresh=True)
    assert {row["person"] for row in rows(acme, "again")}.isdisjoint(people.values())


def test_the_key_lies_in_the_home_for_its_owner_only(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    acme.cut()
    path = acme.folder / "cuts" / "spring" / "key"
    assert path.read_bytes() == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((acme.folder / "out").stat().st_mode) == 0o700
    assert all(
        KEY not in content and KEY.hex().encode() not in content for content in files(acme.folder / "out").values()
    )


def test_the_manifest_names_every_file_and_its_own_digest_is_recorded(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    taken = acme.cut()
    found = files(acme.folder / "out")
    manifest = json.loads(found["manifest.json"])
    assert manifest == taken.manifest
    assert taken.digest == "sha256:" + sha256(found["manifest.json"]).hexdigest()
    named = {file["name"]: file["sha256"] for file in manifest["files"]}
    assert named == {name: sha256(content).hexdigest() for name, content in found.items() if name != "manifest.json"}
    (cut,) = acme.store.cuts(Page()).items
    assert (cut.name, cut.number, cut.manifest, cut.created_at) == ("spring", 1, taken.digest, NOW)
    assert cut.directory == str(acme.folder / "out")


def test_the_store_knows_who_is_in_which_cut(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.person("bob")
    acme.keep(chat("ann"), chat("bob", "bob"))
    acme.cut()
    assert [cut.number for cut in acme.store.cuts_with_person("ann")] == [1]
    assert [cut.number for cut in acme.store.cuts_with("test:ann")] == [1]
    assert acme.store.cuts_with_person("bob") == []


def test_the_second_cut_of_a_name_is_number_two(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    assert acme.cut("a").manifest["number"] == 1
    assert acme.cut("b", name="summer").manifest["number"] == 1
    assert acme.cut("c").manifest["number"] == 2
    assert sorted(path.name for path in (acme.folder / "cuts").iterdir()) == ["spring", "summer"]


def test_the_same_store_gives_the_same_bytes_however_it_was_filled_and_read(tmp_path: Path) -> None:
    chats = [chat(f"c{n}", f"s{n % 3}") for n in range(7)]
    made = []
    for name, order, batch in (("a", 1, 50_000), ("b", -1, 2)):
        with world(tmp_path / name) as home:
            for n in range(3):
                home.person(f"s{n}", allows=n > 0)
            home.keep(*chats[::order])
            home.cut(keep_excluded=True, batch_rows=batch)
            made.append(files(home.folder / "out"))
    assert made[0] == made[1]
    assert len(made[0]) == 7


def test_parts_that_came_later_stand_with_their_conversation(acme: World) -> None:
    acme.person("ann", allows=True)
    first = chat("one")
    acme.keep(first, chat("two"))
    acme.keep(replace(first, parts=(*first.parts, said(3, "and then?"), said(4, "then this", by="assistant"))))
    acme.cut()
    assert [row["part"].partition("#")[2] for row in rows(acme)] == ["m1", "m2", "m3", "m4", "m1", "m2"]
    first = lines_of(acme.folder / "out")[0]
    assert [message["content"] for message in first["messages"]][2:] == ["and then?", "then this"]


def test_what_was_left_out_can_be_listed_without_content(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.person("bob")
    marked = said(3, "summary", by="assistant", marks=frozenset({"summary"}))
    acme.keep(chat("bob", "bob"), chat("ann", "ann", said(1, "a"), said(2, "b", by="assistant"), marked))
    counts = acme.cut(keep_excluded=True).manifest["counts"]
    table = pq.read_table(acme.folder / "out" / "excluded.parquet")
    assert table.to_pylist() == [
        {"part": "test:bob#m1", "reason": "unanswered"},
        {"part": "test:bob#m2", "reason": "unanswered"},
        {"part": "test:ann#m3", "reason": "summary"},
    ]
    assert counts["excluded"] == {"unanswered": 2, "summary": 1}


def test_a_cut_that_is_interrupted_leaves_nothing(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"), chat("two"))

    @contextmanager
    def impatient(_what: str, total: int) -> Iterator[object]:
        assert total in {0, 4}

        def advance(_amount: int) -> None:
            raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        acme.cut(progress=impatient)
    there = (path.name for path in acme.folder.iterdir())
    assert [name for name in there if not name.startswith(("assent.db", "keys", "vault", "cuts"))] == []
    assert acme.store.cuts(Page()).total == 0
    assert acme.cut().manifest["number"] == 1


def test_when_the_store_refuses_the_record_there_is_no_folder(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))

    def refuse(*_cut: object) -> None:
        raise Refused("no")

    monkeypatch.setattr(acme.store, "record_cut", refuse)
    with pytest.raises(Refused):
        acme.cut()
    assert not (acme.folder / "out").exists()


def test_what_goes_while_the_cut_is_written_is_counted_as_gone(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"), chat("two"))
    real = acme.store.content_of
    monkeypatch.setattr(acme.store, "content_of", lambda keys: {k: v for k, v in real(keys).items() if "two" not in v})
    counts = acme.cut(keep_excluded=True).manifest["counts"]
    assert counts["excluded"] == {"gone": 2}
    assert counts["conversations"] == 1
    assert texts(acme) == ["question of one", "answer to one"]


def test_a_conversation_that_goes_meanwhile_is_counted_as_gone(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"), chat("two"), chat("three"))
    whole, facts = acme.store.conversations_of, acme.store.facts_of_several
    monkeypatch.setattr(acme.store, "conversations_of", lambda names: whole(set(names) - {"test:two"}))
    monkeypatch.setattr(acme.store, "facts_of_several", lambda names: facts(set(names) - {"test:three"}))
    counts = acme.cut(keep_excluded=True).manifest["counts"]
    assert (counts["considered"], counts["written"], counts["excluded"]) == (6, 2, {"gone": 4})
    listed = pq.read_table(acme.folder / "out" / "excluded.parquet")["part"].to_pylist()
    assert listed == ["test:three#m1", "test:three#m2", None, None]


def test_conversations_with_nobody_to_learn_from_are_counted(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"), chat("monologue", "ann", said(1, "hello?")))
    taken = acme.cut()
    assert taken.manifest["messages"] == {
        "conversations": 1,
        "left_out": {"no assistant message": 1},
        "silent_parts": {},
    }
    assert taken.manifest["counts"]["conversations"] == 2


# -- orders that cannot be carried out --------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Spring"}, "not a name"),
        ({"name": "../spring"}, "not a name"),
        ({"name": ".spring"}, "not a name"),
        ({"purpose": "service"}, "no cut may be made for `service`"),
        ({"purpose": 'training" OR TRUE --'}, "no cut may be made"),
        ({"at": NOW + DAY}, "has not come yet"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(acme: World, change: dict, words: str) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    with pytest.raises(Invalid, match=words):
        acme.cut(**change)
    assert not (acme.folder / "out").exists()


def test_nothing_is_ever_overwritten(acme: World) -> None:
    acme.person("ann", allows=True)
    acme.keep(chat("one"))
    (acme.folder / "out").mkdir()
    acme.cut()
    with pytest.raises(Invalid, match="not an empty folder"):
        acme.cut()
    assert acme.store.cuts(Page()).total == 1


def test_nothing_eligible_says_why_by_count(acme: World) -> None:
    acme.person("bob")
    acme.keep(chat("one", "bob"))
    with pytest.raises(NothingEligible) as nothing:
        take(acme.order(), acme.store, acme.columns, acme.policies, acme_progress)
    assert nothing.value.exit_code == 2
    assert nothing.value.excluded == {"unanswered": 2}
    assert not (acme.folder / "out").exists()


@contextmanager
def acme_progress(_what: str, total: int) -> Iterator[object]:
    assert total in {0, 1}
    yield lambda _amount: None
