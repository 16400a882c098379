"""What a person is told: what an act ends, when bytes end, what comes back, and what is not reached."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from choose_world import Counter
from provider import DAY, NEW, T0, day, part, provider, talk

from assent.domain.choices import project_target
from assent.services.choose.effects import Effects, effects_of, in_words
from assent.services.choose.link import link_device
from assent.services.choose.standing import standings
from assent.store.records import Choice, Cut, CutRow

NOW = day(20)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with provider(tmp_path / "home", NEW) as acme:
        acme.person()
        acme.person("phone")
        acme.keep(
            talk("before", "s1", T0 - DAY),
            talk("one", "s1", day(5)),
            talk("two", "s1", day(15)),
            talk("thesis", "s1", day(10), project="thesis"),
            talk("other", "s2", day(5)),
        )
        yield Counter(acme)


def considered(counter: Counter, act: str, **more: object) -> Effects:
    choice = Choice("x", "s1", "training", act, NOW, "sha256:n", "web", "web", NOW, **more)
    return effects_of(counter.store, counter.acme.versions, choice, NOW)


def test_withdrawing_ends_use_and_says_when_the_bytes_end(counter: Counter) -> None:
    counter.say("allow")
    effects = counter.say("withdraw", now=NOW).effects
    assert [says for says in effects.ends if "5 years" in says]
    assert effects.begins == ()
    assert (effects.conversations, effects.looked_at, effects.stopped, effects.revived) == (4, 4, 3, 0)
    # the three that had 5 years now end 30 days after the withdrawal
    assert (effects.moved, effects.earliest, effects.latest) == (3, day(50), day(50))
    assert effects.taking_back._asdict() == {
        "future_data": "not used",
        "stored_data": "not used",
        "started_runs": "continue",
        "finished_models": "unchanged",
    }
    words = "\n".join(in_words(effects))
    assert "conversations that are not used any more: 3\n" in words
    assert "a training run that has already started goes on; finished models stay as they are" in words
    assert "training sets" not in words


def test_the_answer_is_the_same_before_and_after_the_act_is_recorded(counter: Counter) -> None:
    counter.say("allow")
    preview = considered(counter, "withdraw")
    outcome = counter.say("withdraw", now=NOW)
    assert outcome.effects == preview
    assert effects_of(counter.store, counter.acme.versions, outcome.choice, NOW) == preview


def test_cuts_that_already_hold_parts_are_named_one_by_one_and_not_undone(counter: Counter) -> None:
    counter.say("allow")
    for number, held in ((1, "one"), (2, "two"), (3, "other")):
        cut = Cut("spring", number, f"sha256:{number}", day(16 + number), f"cut-{number}")
        now = CutRow(f"test:{held}", "m", "s2" if held == "other" else "s1")
        counter.store.record_cut(cut, [now], counter.store.members("spring", number - 1))
    effects = considered(counter, "withdraw")
    assert [cut.number for cut in effects.cuts] == [1, 2]
    assert in_words(effects)[-4:-1] == [
        "not undone: training sets that already hold your conversations",
        "  spring 1, made 2026-01-18",
        "  spring 2, made 2026-01-19",
    ]
    locked = considered(counter, "decline", scope="conversation", target="test:two")
    assert [cut.number for cut in locked.cuts] == [2]
    assert considered(counter, "allow").cuts == []


def test_a_lock_touches_one_conversation_and_a_project_its_own(counter: Counter) -> None:
    counter.say("allow")
    lock = considered(counter, "decline", scope="conversation", target="test:one")
    assert (lock.conversations, lock.stopped, lock.moved, lock.earliest, lock.latest) == (1, 1, 1, day(50), day(50))
    project = considered(counter, "decline", scope="project", target=project_target("thesis"))
    assert (project.conversations, project.stopped, project.latest) == (1, 1, day(50))
    assert in_words(project)[0].startswith("ends now: ")
    nothing = considered(counter, "decline", scope="project", target=project_target("elsewhere"))
    assert (nothing.conversations, nothing.stopped, nothing.moved) == (0, 0, 0)


def test_what_is_somebody_elses_is_not_touched(counter: Counter) -> None:
    counter.say("allow")
    effects = considered(counter, "decline", scope="conversation", target="test:other")
    assert (effects.conversations, effects.stopped, effects.cuts) == (0, 0, [])


def test_a_new_grant_revives_what_the_policy_says_it_revives(counter: Counter) -> None:
    counter.say("allow")
    counter.say("withdraw", now=day(18))
    (policy,) = counter.acme.versions
    found = {}
    for revives in (True, False):
        counter.acme.texts = [(replace(policy, revives=revives), "")]
        found[revives] = considered(counter, "allow")
    assert (found[True].revived, found[False].revived) == (3, 0)
    assert found[True].begins == found[False].begins != ()
    assert found[True].moved == 3
    assert "conversations from before that are used again: 3" in in_words(found[True])
    assert found[True].taking_back is None


def test_what_was_never_allowed_cannot_be_ended(counter: Counter) -> None:
    effects = considered(counter, "decline")
    assert (effects.ends, effects.stopped, effects.moved, effects.taking_back) == ((), 0, 0, None)
    assert in_words(effects) == []


def test_a_long_history_is_counted_as_far_as_it_is_looked_at_and_says_so(counter: Counter) -> None:
    counter.say("allow")
    choice = Choice("x", "s1", "training", "withdraw", NOW, "", "web", "web", NOW)
    effects = effects_of(counter.store, counter.acme.versions, choice, NOW, look_at=2)
    assert (effects.conversations, effects.looked_at, effects.stopped) == (4, 2, 2)
    assert "counted over the newest 2 of 4 conversations" in in_words(effects)


def test_conversations_of_a_linked_device_count_for_refusals(counter: Counter) -> None:
    counter.say("allow", "phone")
    counter.acme.keep(talk("anonymous", "phone", day(6)))
    assert considered(counter, "decline").stopped == 0
    link_device(counter.store, counter.log, "phone", "s1", now=day(7))
    effects = considered(counter, "decline")
    assert (effects.conversations, effects.stopped) == (5, 1)
    assert considered(counter, "allow").revived == 0


# -- standings ---------------------------------------------------------------------------------------


def test_standings_say_what_holds_since_when_and_on_whose_word(counter: Counter) -> None:
    def seen(now: object = NOW, **more: object) -> list[tuple[object, ...]]:
        found = standings(counter.store, counter.acme.versions, "s1", now, **more)
        return [(one.scope, one.status, one.source, one.since) for one in found]

    (policy,) = counter.acme.versions
    deadline = day(15)
    counter.acme.texts = [(replace(policy, silence_refuses_from=deadline), "")]
    assert seen(deadline - DAY) == [("everything", "unasked", "none", None)]
    assert seen(deadline - DAY, asked=["training"]) == [("everything", "asked", "none", None)]
    assert seen() == [("everything", "lapsed", "none", deadline)]
    counter.say("allow")
    counter.say("allow", now=day(1))
    counter.say("decline", now=day(2), scope="conversation", target="test:one")
    counter.say("decline", now=day(3), scope="project", target=project_target("thesis"))
    counter.say("defer", now=day(4), scope="project", target=project_target("elsewhere"))
    counter.say("allow", now=day(5))
    assert seen() == [
        ("everything", "allowed", "person", T0),
        ("project", "declined", "person", day(3)),
        ("conversation", "declined", "person", day(2)),
    ]
    assert seen(day(2))[-1] == ("conversation", "declined", "person", day(2))
    assert len(seen(day(1))) == 1
    counter.say("withdraw", now=day(6))
    assert [status for _, status, _, _ in seen()] == ["withdrawn"] * 3


def test_a_default_and_a_signal_are_named_as_what_they_are(counter: Counter) -> None:
    (policy,) = counter.acme.versions
    grants = tuple(
        replace(grant, choices=tuple(replace(rule, by_default=True) for rule in grant.choices))
        for grant in policy.grants
    )
    by_default = [replace(policy, grants=grants, silence_refuses_from=None)]
    (one,) = standings(counter.store, by_default, "s1", NOW)
    assert (one.status, one.source) == ("unasked", "default")
    counter.store.add_choice(Choice("g", "s1", "training", "decline", day(1), "", "web", "signal gpc", day(1)))
    (one,) = standings(counter.store, by_default, "s1", NOW)
    assert (one.status, one.source) == ("declined", "signal")


# -- devices -----------------------------------------------------------------------------------------


def acts(counter: Counter, subject: str) -> list[tuple[str, str, str]]:
    return [(one.act, one.scope, one.recorded_by) for one in counter.store.choices(subject)]


def test_a_refusal_on_a_device_goes_along_and_an_allow_does_not(counter: Counter) -> None:
    for n, device in enumerate(("no", "yes", "asked", "both")):
        counter.acme.person(device)
        counter.acme.person(f"{device} account")
        for k, act in enumerate(
            {"no": ["decline"], "yes": ["allow"], "asked": ["defer"], "both": ["allow", "withdraw"]}[device]
        ):
            counter.say(act, device, now=day(n + k / 10))
        link_device(counter.store, counter.log, device, f"{device} account", now=day(10))
    assert {device: acts(counter, f"{device} account") for device in ("no", "yes", "asked", "both")} == {
        "no": [("decline", "everything", "device link")],
        "yes": [],
        "asked": [],
        "both": [("decline", "everything", "device link")],
    }
    (one,) = standings(counter.store, counter.acme.versions, "no account", NOW)
    assert (one.status, one.source) == ("declined", "device link")
    assert counter.store.unlogged(9) == []


def test_where_the_account_has_decided_the_device_decides_nothing(counter: Counter) -> None:
    counter.say("allow", "s1")
    counter.say("decline", "phone", now=day(1))
    counter.say("decline", "phone", now=day(1), scope="project", target=project_target("thesis"))
    assert len(link_device(counter.store, counter.log, "phone", "s1", now=day(2))) == 1
    assert acts(counter, "s1")[1:] == [("decline", "project", "device link")]


def test_linking_again_changes_nothing_and_elsewhere_is_refused(counter: Counter) -> None:
    counter.say("decline", "phone")
    first = link_device(counter.store, counter.log, "phone", "s1", now=day(1))
    assert (len(first), link_device(counter.store, counter.log, "phone", "s1", now=day(2))) == (1, [])
    before = counter.written()
    for device, account in (("phone", "s2"), ("s1", "s2"), ("tablet", "phone"), ("s1", "s1")):
        with pytest.raises(Exception, match=r"linked to another|a device of somebody"):
            link_device(counter.store, counter.log, device, account, now=day(3))
    assert counter.written() == before
    assert counter.store.device_link("phone").at == day(1)


def test_the_conversations_of_a_device_obey_what_the_account_refused_earlier_and_later(counter: Counter) -> None:
    counter.acme.keep(talk("anonymous", "phone", day(6), part("m", at=day(6))))

    def eligible() -> tuple[str, ...]:
        return counter.acme.decided(NOW)["test:anonymous#m"].eligible

    counter.say("decline", "s1", now=day(5))
    counter.say("allow", "phone", now=day(1))
    assert eligible() == ("training",)
    link_device(counter.store, counter.log, "phone", "s1", now=day(7))
    assert eligible() == ()
    counter.say("allow", "s1", now=day(8))
    assert eligible() == ()
