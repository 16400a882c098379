"""What a person with very many conversations looks at: lists that are not counted, projects, and taking all back."""

from datetime import timedelta

import pytest
from tests.conformance.store.samples import T0, talk

from assent.domain.conversation import Conversation
from assent.store.port import Store
from assent.store.records import ConversationFilter, Page, RightsAgent, RightsRequest

MINE = ConversationFilter(subject="s1")


def talks(count: int = 30) -> list[Conversation]:
    return [
        talk(
            f"c{n:02}",
            title=f"{'Soup' if n % 10 == 0 else 'Letter'} {n}",
            project="lighthouse" if n % 3 == 0 else "",
            last_turn_at=None if n == 29 else T0 - timedelta(hours=n),
        )
        for n in range(count)
    ]


@pytest.fixture
def full(store: Store) -> Store:
    store.intake(talks(), plan="pro", recorded_at=T0)
    return store


def walk(store: Store, which: ConversationFilter, limit: int, look_at: int) -> list[str]:
    found, after = [], None
    for _ in range(100):
        page = store.find_conversations(which, Page(limit, after), look_at=look_at)
        found += [entry.id for entry in page.items]
        after = page.after
        if after is None:
            return found
    raise AssertionError


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_list_that_is_not_counted_has_the_same_order(full: Store, limit: int) -> None:
    counted = [entry.id for entry in full.conversations(MINE, Page(100)).items]
    assert walk(full, MINE, limit, look_at=5) == counted
    assert len(counted) == 30


@pytest.mark.parametrize(("look_at", "limit"), [(1, 1), (4, 2), (30, 1), (1_000, 100)])
def test_a_search_finds_everything_however_little_it_looks_at_once(full: Store, look_at: int, limit: int) -> None:
    which = ConversationFilter(subject="s1", title="sOUp")
    assert walk(full, which, limit, look_at) == ["test:c00", "test:c10", "test:c20"]


def test_a_search_that_ended_early_says_so(full: Store) -> None:
    which = ConversationFilter(subject="s1", title="soup 20")
    first = full.find_conversations(which, Page(10), look_at=5)
    assert (first.items, first.cut_short) == ((), True)
    whole = full.find_conversations(which, Page(10), look_at=100)
    assert ([entry.id for entry in whole.items], whole.cut_short, whole.after) == (["test:c20"], False, None)


def test_projects_are_counted_by_name(full: Store) -> None:
    (project,) = full.projects_of("s1", 10)
    assert (project.name, project.conversations, project.last_turn_at) == ("lighthouse", 10, T0)
    assert full.projects_of("s2", 10) == []
    full.intake([talk("d", project="attic")], plan="pro", recorded_at=T0)
    assert [one.name for one in full.projects_of("s1", 10)] == ["attic", "lighthouse"]
    assert [one.name for one in full.projects_of("s1", 1)] == ["attic"]


def test_a_deletion_of_everything_is_taken_back_and_what_was_deleted_before_stays_deleted(full: Store) -> None:
    full.request_deletion("test:c03", T0)
    later = T0 + timedelta(hours=1)
    full.request_deletion_of_all("s1", later)
    which = ConversationFilter(subject="s1", deleted_since=later)
    assert full.conversations(which, Page(1)).total == 29
    assert full.withdraw_deletion_of_all("s1", later) == 29
    assert [entry.id for entry in full.conversations(ConversationFilter(deleted=True), Page(9)).items] == ["test:c03"]
    assert all(fact.deleted_at is None for fact in full.facts_of("test:c04"))
    assert full.withdraw_deletion_of_all("s1", later) == 0


def test_requests_are_listed_by_person(store: Store) -> None:
    store.put_agent(RightsAgent("person", "people", "", T0))
    for name, subject in (("r1", "s1"), ("r2", "s2"), ("r3", "s1")):
        made = RightsRequest(name, "person", None, "access", None, subject, "", "open", None, None, None, T0, T0, T0)
        assert store.add_request(made)
    assert [one.id for one in store.requests(Page(9), subject="s1").items] == ["r3", "r1"]
