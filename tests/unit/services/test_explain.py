"""An explanation says of every part what the reference decides, and imagines other answers without recording one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from provider import DAY, NEW, OLD, T0, Provider, crowd, day, part, provider, talk

from assent.domain.errors import NotFound
from assent.services.explain import Explanation, explain_conversation, what_if

SPRING = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "home") as made:
        made.person()
        yield made


def explain(made: Provider, name: str, at: datetime) -> Explanation:
    return explain_conversation(made.store, made.versions, name, at)


def test_an_unknown_conversation_is_not_found_and_not_quoted(acme: Provider) -> None:
    with pytest.raises(NotFound) as caught:
        explain(acme, "test:MARKER", T0)
    assert "MARKER" not in str(caught.value)
    assert "assent explain --all" in caught.value.fix


def test_parts_with_one_answer_stand_together_the_largest_group_first(acme: Provider) -> None:
    acme.choose("allow", T0 - DAY)
    connector = [part(f"c{number}", origin="connector", speaker="tool") for number in range(2)]
    acme.keep(talk("a", "s1", T0, part("q"), connector[0], part("q2"), connector[1], part("q3")))
    found = explain(acme, "test:a", day(1))
    assert [[p.id for p in group.parts] for group in found.groups] == [["q", "q2", "q3"], ["c0", "c1"]]
    assert [group.decision.eligible for group in found.groups] == [("training",), ()]
    assert {reason.rule for reason in found.groups[1].decision.reasons} >= {"connector-payload"}
    assert (found.entry.id, found.at) == ("test:a", day(1))


@pytest.mark.parametrize("names", [(NEW,), (OLD, NEW)], ids=" ".join)
def test_every_part_gets_the_answer_of_the_reference(tmp_path: Path, names: tuple[str, ...]) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with provider(tmp_path / "home", *names) as made:
        crowd(made, at, people=30, seed=3)
        decided = made.decided(at)
        several = 0
        for entry in made.entries():
            groups = explain(made, entry.id, at).groups
            said = {f"{entry.id}#{p.id}": group.decision for group in groups for p in group.parts}
            assert {name: told._replace(part=name) for name, told in said.items()} == {
                name: decision for name, decision in decided.items() if name.startswith(f"{entry.id}#")
            }
            assert sum(len(group.parts) for group in groups) == len(said) == entry.parts
            assert len({group.decision._replace(part="") for group in map(hashable, groups)}) == len(groups)
            several += len(groups) > 1
        assert several


def hashable(group: object) -> object:
    decision = group.decision
    return type(group)(group.parts, decision._replace(use_until=tuple(decision.use_until.items())))


def test_words_come_from_the_policy_and_name_dates(acme: Provider) -> None:
    acme.keep(talk("a"))
    acme.choose("decline", T0)
    (group,) = explain(acme, "test:a", day(1)).groups
    assert [reason.text for reason in group.decision.reasons] == [
        "Conversations are kept up to 30 days after your last turn (until 2026-01-31T12:00:00Z)"
    ]
    acme.hold("h", "s1", day(1))
    (held,) = explain(acme, "test:a", day(1)).groups
    assert held.decision.held
    assert "a legal hold forbids erasure; the data is set apart for legal use only" in [
        reason.text for reason in held.decision.reasons
    ]


def test_the_date_that_a_released_hold_sets_is_explained(acme: Provider) -> None:
    acme.keep(talk("a"))
    acme.hold("h", "s1", day(10))
    acme.store.release_hold("h", at=day(90), by="desk")
    (group,) = explain(acme, "test:a", day(100)).groups
    assert group.decision.erase_by == day(90)
    assert "hold" in {reason.rule for reason in group.decision.reasons}


def test_what_if_counts_conversations_under_answers_nobody_gave(acme: Provider) -> None:
    acme.choose("decline", day(3))
    acme.keep(talk("old"), talk("young", "s1", day(45)), talk("private", "s1", day(45), mode="private"))
    acme.keep(talk("other", "s2"))
    counts = what_if(acme.store, acme.versions, "s1", day(50))
    assert counts == {
        "as it stands": (0, 1, 2),
        "had you not allowed it": (0, 1, 2),
        "had you allowed it all along": (2, 0, 3),
    }
    assert acme.store.counts().choices == 1
    assert what_if(acme.store, acme.versions, "nobody", day(50)) == dict.fromkeys(counts, (0, 0, 0))


def test_what_if_looks_at_every_page(acme: Provider) -> None:
    acme.keep(*(talk(f"c{number}") for number in range(201)))
    assert what_if(acme.store, acme.versions, "s1", day(50))["had you allowed it all along"] == (201, 0, 201)


def test_what_if_decides_by_the_versions_of_the_time(tmp_path: Path) -> None:
    with provider(tmp_path / "home", OLD, NEW) as made:
        made.person()
        made.keep(talk("spring", "s1", SPRING), talk("now", "s1", T0))
        counts = what_if(made.store, made.versions, "s1", day(1))
        assert counts["had you allowed it all along"] == (1, 1, 1)
