"""The contract of what others ask and are told: agents, rights requests, directory entries, events, deliveries."""

from dataclasses import replace

import pytest
from tests.conformance.store.samples import T0, day

from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import DirectoryEntry, Endpoint, Event, Page, RightsAgent, RightsRequest

AGENT = RightsAgent("CR", "An agent", "a2V5", T0)
REQUEST = RightsRequest(
    id="q1", agent="CR", agent_request=None, exercise="deletion", regime="ccpa", subject=None, claims='{"email": "é"}',
    status="in_progress", reason=None, details=None, callback=None, received_at=T0, expected_by=day(45), changed_at=T0,
)  # fmt: skip
ENTRY = DirectoryEntry("e1", "Ana@Example.org", "p-1", "{}", T0, T0, ("email:ana@example.org", "external:p-1"))
HERE = Endpoint("here", "https://example.org/hook", (), "here.key", T0)
EVENT = Event("v1", "choice.recorded", "c1", "{}", T0)


# -- rights ------------------------------------------------------------------------------------------------------------


def test_an_agent_is_found_by_id_and_by_its_last_token(store: Store) -> None:
    store.put_agent(AGENT)
    store.put_agent(replace(AGENT, token="t1", asked_at=day(1)))
    store.put_agent(replace(AGENT, token="t2", asked_at=day(2)))
    store.put_agent(replace(AGENT, id="AB"))
    assert store.agent("CR") == replace(AGENT, token="t2", asked_at=day(2))
    assert store.agent_with_token("t2") == store.agent("CR")
    assert store.agent_with_token("t1") is None
    assert store.agent("nobody") is None
    assert [agent.id for agent in store.agents()] == ["AB", "CR"]


def test_a_request_is_kept_once_and_changes_from_the_status_it_had(store: Store) -> None:
    store.put_agent(AGENT)
    assert store.add_request(REQUEST)
    assert not store.add_request(replace(REQUEST, exercise="access"))
    assert store.request("q1") == REQUEST
    ended = replace(REQUEST, status="fulfilled", claims="", changed_at=day(1))
    assert not store.change_request(ended, was="open")
    assert store.change_request(ended, was="in_progress")
    assert not store.change_request(replace(ended, status="denied"), was="in_progress")
    assert store.request("q1") == ended
    assert store.request("q2") is None


def test_requests_are_listed_the_newest_first(store: Store) -> None:
    store.put_agent(AGENT)
    store.put_agent(replace(AGENT, id="AB"))
    for n, status in enumerate(["in_progress", "denied", "in_progress"]):
        store.add_request(replace(REQUEST, id=f"q{n}", status=status, received_at=day(n)))
    store.add_request(replace(REQUEST, id="q9", agent="AB"))
    assert [one.id for one in store.requests(Page()).items] == ["q2", "q1", "q9", "q0"]
    assert [one.id for one in store.requests(Page(), status="denied").items] == ["q1"]
    assert [one.id for one in store.requests(Page(), agent="AB").items] == ["q9"]
    first = store.requests(Page(limit=3))
    assert first.total == 4
    assert [one.id for one in store.requests(Page(limit=3, after=first.after)).items] == ["q0"]


def test_whom_to_tell_of_a_change_is_found_when_it_is_due(store: Store) -> None:
    store.put_agent(AGENT)
    for n, call_at in enumerate([day(2), None, day(1)]):
        store.add_request(replace(REQUEST, id=f"q{n}", call_at=call_at))
    assert [one.id for one in store.due_calls(day(2), 9)] == ["q2", "q0"]
    assert [one.id for one in store.due_calls(day(2), 1)] == ["q2"]
    assert store.due_calls(T0, 9) == []
    store.record_call("q2", told=T0, next_at=None, calls=0)
    store.record_call("q0", told=T0, next_at=day(5), calls=1)
    assert store.due_calls(day(4), 9) == []
    assert store.due_calls(day(5), 9) == [replace(REQUEST, id="q0", call_at=day(5), calls=1)]


def test_an_attempt_to_tell_of_an_older_change_settles_nothing(store: Store) -> None:
    store.put_agent(AGENT)
    store.add_request(replace(REQUEST, call_at=T0))
    store.change_request(replace(REQUEST, changed_at=day(1), call_at=day(1)), was="in_progress")
    store.record_call("q1", told=T0, next_at=None, calls=0)
    assert [one.id for one in store.due_calls(day(1), 9)] == ["q1"]


# -- directory ---------------------------------------------------------------------------------------------------------


def test_an_entry_follows_the_version_it_was_made_from(store: Store) -> None:
    assert store.put_entry(ENTRY)
    assert not store.put_entry(replace(ENTRY, document="[]"))
    second = replace(ENTRY, document="[2]", changed_at=day(1), handles=("email:b@example.org",))
    assert not store.put_entry(second, was=day(3))
    assert store.put_entry(second, was=T0)
    assert store.entry("e1") == second
    assert not store.put_entry(replace(ENTRY, id="e2", name="other"), was=T0)
    assert store.entry("e2") is None


def test_a_name_is_unique_whatever_its_capitals(store: Store) -> None:
    store.put_entry(ENTRY)
    with pytest.raises(Refused):
        store.put_entry(replace(ENTRY, id="e2", name="ANA@example.org"))
    assert store.entries(after=0, limit=10, name="ana@EXAMPLE.org") == ([ENTRY], 1)
    store.put_entry(replace(ENTRY, id="e2", name="bo", handles=()))
    with pytest.raises(Refused):
        store.put_entry(replace(ENTRY, id="e2", name="ana@example.org", changed_at=day(1)), was=T0)


def test_entries_are_listed_in_the_order_of_their_making(store: Store) -> None:
    made = [replace(ENTRY, id=f"e{n}", name=f"n{n}", created_at=day(9 - n), handles=()) for n in range(5)]
    for entry in made:
        store.put_entry(entry)
    assert store.entries(after=0, limit=2) == (made[:2:-1], 5)
    assert store.entries(after=4, limit=9) == ([made[0]], 5)
    assert store.entries(after=0, limit=0) == ([], 5)


def test_an_entry_is_found_by_its_name_and_every_handle(store: Store) -> None:
    store.put_entry(ENTRY)
    store.put_entry(replace(ENTRY, id="e2", name="bo", handles=("email:ana@example.org",)))
    assert {entry.id for entry in store.entries_known_as(["email:ana@example.org"])} == {"e1", "e2"}
    assert [entry.id for entry in store.entries_known_as(["ana@example.org", "external:p-1"])] == ["e1"]
    assert store.entries_known_as(["nobody"]) == []
    assert store.entries_known_as([]) == []


def test_a_dropped_entry_leaves_nothing(store: Store) -> None:
    store.put_entry(ENTRY)
    assert store.drop_entry("e1")
    assert not store.drop_entry("e1")
    assert store.entries_known_as(list(ENTRY.handles)) == []
    assert store.put_entry(replace(ENTRY, id="e2"))


# -- events ------------------------------------------------------------------------------------------------------------


def test_an_event_is_owed_to_every_endpoint_that_wants_it(store: Store) -> None:
    for endpoint in (HERE, replace(HERE, id="picky", types=("sweep.done",)), replace(HERE, id="off", disabled_at=T0)):
        store.put_endpoint(endpoint)
    store.add_event(EVENT)
    store.add_event(replace(EVENT, data="[]"))
    due = store.due_deliveries(T0, 10)
    assert [(one.endpoint, one.event, one.attempts) for one in due] == [(HERE, EVENT, 0)]
    assert store.events(Page()).items == (EVENT,)
    assert store.events(Page(), type="sweep.done").items == ()
    assert [one.id for one in store.endpoints()] == ["here", "off", "picky"]


def test_what_failed_is_due_again_when_it_says_and_what_arrived_never(store: Store) -> None:
    store.put_endpoint(HERE)
    for n in range(3):
        store.add_event(replace(EVENT, id=f"v{n}", at=day(n)))
    first, second, third = store.due_deliveries(day(3), 10)
    assert store.due_deliveries(day(3), 1) == [first]
    assert store.due_deliveries(day(0.5), 10) == [first]
    store.record_delivery(replace(first, attempts=1, next_at=day(5), problem="503"))
    store.record_delivery(replace(second, attempts=1, next_at=None, delivered_at=day(3)))
    assert store.due_deliveries(day(4), 10) == [third]
    assert [one.problem for one in store.due_deliveries(day(5), 10)] == ["", "503"]
    store.replay_event("v1", "here", day(6))
    assert [one.event.id for one in store.due_deliveries(day(6), 10)] == ["v2", "v0", "v1"]


def test_a_disabled_endpoint_is_owed_and_not_due(store: Store) -> None:
    store.put_endpoint(HERE)
    store.add_event(EVENT)
    store.put_endpoint(replace(HERE, disabled_at=day(1)))
    assert store.due_deliveries(day(2), 10) == []
    store.put_endpoint(HERE)
    assert len(store.due_deliveries(day(2), 10)) == 1


def test_only_what_is_there_is_delivered_or_replayed(store: Store) -> None:
    store.put_endpoint(HERE)
    store.add_event(EVENT)
    with pytest.raises(NotFound):
        store.replay_event("nothing", "here", T0)
    with pytest.raises(NotFound):
        store.replay_event("v1", "nowhere", T0)
    (owed,) = store.due_deliveries(T0, 1)
    with pytest.raises(NotFound):
        store.record_delivery(replace(owed, endpoint=replace(HERE, id="nowhere")))
    store.put_endpoint(replace(HERE, id="new"))
    store.replay_event("v1", "new", day(1))
    assert [one.endpoint.id for one in store.due_deliveries(day(1), 9)] == ["here", "new"]


def test_leaves_are_counted_as_told_together_with_their_events(store: Store) -> None:
    store.put_endpoint(HERE)
    assert store.told() == 0
    store.tell([EVENT, replace(EVENT, id="v2")], 3)
    store.tell([EVENT, replace(EVENT, id="v3")], 2)
    assert store.told() == 3
    assert sorted(one.id for one in store.events(Page()).items) == ["v1", "v2", "v3"]
    assert sorted(one.event.id for one in store.due_deliveries(day(1), 10)) == ["v1", "v2", "v3"]
