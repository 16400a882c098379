"""Every event reaches every endpoint that wants it, or the attempts are given up in the open."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from tests.stores import new_store
from tests.unit.services.events.receiver import Receiver, receiving
from tests.vaults import vault_in

from assent.domain.errors import NotFound
from assent.services.events.deliver import PAUSES, Delivered, Desk, deliver
from assent.services.events.envelope import new_secret
from assent.services.events.sending import HttpSender
from assent.store.records import Endpoint, Event, Page
from assent.store.sqlite import SqliteStore

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])

SECRET = new_secret(bytes(range(32)))


class Clock:
    def __init__(self) -> None:
        # receivers compare the timestamp with their own clock
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = new_store(tmp_path / "store.db")
    yield store
    store.close()


@pytest.fixture
def receiver(socket_enabled: None) -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def desk() -> Desk:
    return Desk(
        HttpSender(lambda _host, _port: ["127.0.0.1"], inner_allowed=True), lambda _: (SECRET,), "log.example/a"
    )


def endpoint(receiver: Receiver, clock: Clock, *types: str, name: str = "one") -> Endpoint:
    return Endpoint(name, receiver.url, types, "one.secret", clock())


def event(number: int, clock: Clock, kind: str = "assent.choice.recorded") -> Event:
    return Event(f"e{number}", kind, "subject-x", json.dumps({"n": number}), clock())


def test_an_event_is_delivered_once_and_signed(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    store.add_event(event(1, clock))
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1)
    assert deliver(store, desk(), clock, limit=10) == Delivered()
    [(headers, body)] = receiver.requests
    assert Webhook(SECRET).verify(body, headers)["data"] == {"n": 1}


def test_an_endpoint_gets_only_the_types_it_wants(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(endpoint(receiver, clock, "assent.campaign.closed"))
    store.add_event(event(1, clock))
    store.add_event(event(2, clock, "assent.campaign.closed"))
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1)
    assert json.loads(receiver.requests[0][1])["id"] == "e2"


@pytest.mark.fault("system that is slow")
def test_failed_attempts_wait_longer_and_longer_and_are_given_up_in_the_end(
    store: SqliteStore, receiver: Receiver, clock: Clock
) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    receiver.answers = [(500, {})] * (len(PAUSES) + 1)
    for pause in PAUSES:
        assert deliver(store, desk(), clock, limit=10) == Delivered(put_off=1)
        clock.now += pause - timedelta(seconds=1)
        assert deliver(store, desk(), clock, limit=10) == Delivered()
        clock.now += timedelta(seconds=1)
    assert deliver(store, desk(), clock, limit=10) == Delivered(given_up=1)
    clock.now += timedelta(days=30)
    assert deliver(store, desk(), clock, limit=10) == Delivered()
    assert len(receiver.requests) == len(PAUSES) + 1


def test_what_was_given_up_can_be_replayed(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1)
    store.replay_event("e1", "one", clock())
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1)
    assert [json.loads(body)["id"] for _, body in receiver.requests] == ["e1", "e1"]
    with pytest.raises(NotFound):
        store.replay_event("e2", "one", clock())


def test_a_receiver_may_ask_for_more_time(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    receiver.answers = [(503, {"retry-after": "600"}), (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})]
    deliver(store, desk(), clock, limit=10)
    clock.now += timedelta(seconds=599)
    assert deliver(store, desk(), clock, limit=10) == Delivered()
    clock.now += timedelta(seconds=1)
    assert deliver(store, desk(), clock, limit=10) == Delivered(put_off=1)
    clock.now += PAUSES[1]
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1)


def test_a_receiver_that_says_gone_hears_nothing_more(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    for number in range(3):
        store.add_event(event(number, clock))
    receiver.answers = [(410, {})]
    assert deliver(store, desk(), clock, limit=10) == Delivered(given_up=1)
    assert deliver(store, desk(), clock, limit=10) == Delivered()
    assert len(receiver.requests) == 1
    assert next(iter(store.endpoints())).disabled_at == clock()


@pytest.mark.fault("system that is slow")
def test_one_bad_endpoint_does_not_hold_up_another(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    store.put_endpoint(Endpoint("bad", "http://localhost:1/none", (), "bad.secret", clock()))
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    assert deliver(store, desk(), clock, limit=10) == Delivered(taken=1, put_off=1)


def test_a_missing_secret_is_a_problem_and_sends_nothing(store: SqliteStore, receiver: Receiver, clock: Clock) -> None:
    def missing(name: str) -> tuple[str, ...]:
        raise NotFound(f"there is no secret `{name}`", "make it")

    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    assert deliver(store, Desk(desk().send, missing, "o"), clock, limit=10) == Delivered(put_off=1)
    assert receiver.requests == []
    assert store.events(Page(10)).total == 1


def test_a_copy_of_the_store_repeats_events_under_their_ids(
    store: SqliteStore, receiver: Receiver, clock: Clock, tmp_path: Path
) -> None:
    store.put_endpoint(endpoint(receiver, clock))
    store.add_event(event(1, clock))
    store.close()
    shutil.copy(tmp_path / "store.db", tmp_path / "before.db")
    for name in ("store.db", "before.db"):
        again = SqliteStore.open(tmp_path / name, vault_in(tmp_path))
        assert deliver(again, desk(), clock, limit=10) == Delivered(taken=1)
        again.close()
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == ["e1", "e1"]
