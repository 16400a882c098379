"""The contract of the pages' rows: sessions, one-time tokens, staff, looks, kept figures."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from tests.conformance.store.samples import T0, day

from assent.domain.errors import NotFound, Refused
from assent.store.port import Store
from assent.store.records import Figure, Look, Page, Session, StaffMember

SESSION = Session("d1", "person", "s1", "", "", "", T0, day(1))
ADA = StaffMember("ada@example.org", "officer", T0, "the command line")
LOOK = Look(T0, "ada@example.org", "officer", "/console/people/{subject}", "s1", "request 12")


def test_a_session_is_found_by_its_digest_until_it_ends(store: Store) -> None:
    store.add_session(SESSION)
    assert store.session("d1") == SESSION
    assert store.session("s1") is None
    assert store.end_session("d1")
    assert not store.end_session("d1")
    assert store.session("d1") is None


def test_a_token_opens_one_session(store: Store) -> None:
    store.add_session(SESSION)
    with pytest.raises(Refused):
        store.add_session(replace(SESSION, who="s2"))
    assert store.session("d1") == SESSION


def test_the_sessions_of_one_person_are_ended_together_by_kind(store: Store) -> None:
    later = replace(SESSION, digest="d2", began_at=day(1), ends_at=day(2))
    element, other = replace(SESSION, digest="d3", kind="element"), replace(SESSION, digest="d4", who="s2")
    for one in (SESSION, later, element, other):
        store.add_session(one)
    assert [one.digest for one in store.sessions_of("s1")] == ["d2", "d1", "d3"]
    assert store.end_sessions_of("s1", ("person",)) == 2
    assert store.sessions_of("s1") == [element]
    assert store.sessions_of("s2") == [other]


def test_what_is_over_is_forgotten(store: Store) -> None:
    store.add_session(SESSION)
    store.add_session(replace(SESSION, digest="d2", ends_at=day(3)))
    assert store.spend("t1", day(1))
    assert store.spend("t2", day(3))
    assert store.forget_sessions(day(2)) == 2
    assert store.session("d1") is None
    assert store.session("d2") is not None
    assert not store.spend("t2", day(3))


def test_a_one_time_token_is_spent_once(store: Store) -> None:
    assert store.spend("t1", day(1))
    assert not store.spend("t1", day(1))
    assert not store.spend("t1", day(9))


def test_staff_are_kept_by_name_and_leave_with_their_sessions(store: Store) -> None:
    store.put_staff(ADA)
    store.put_staff(replace(ADA, role="auditor"))
    store.put_staff(replace(ADA, name="abe@example.org"))
    store.add_session(replace(SESSION, kind="staff", who=ADA.name))
    store.add_session(replace(SESSION, digest="d2", kind="invitation", who=ADA.name))
    store.add_session(replace(SESSION, digest="d3", who=ADA.name))
    assert store.staff_member(ADA.name) == replace(ADA, role="auditor")
    assert [one.name for one in store.staff()] == ["abe@example.org", "ada@example.org"]
    store.drop_staff(ADA.name)
    assert store.staff_member(ADA.name) is None
    assert [one.digest for one in store.sessions_of(ADA.name)] == ["d3"]
    with pytest.raises(NotFound):
        store.drop_staff(ADA.name)


def test_looks_are_listed_newest_first_and_never_change(store: Store) -> None:
    second = replace(LOOK, at=day(1), about="s2")
    for one in (LOOK, second):
        store.log_look(one)
    assert store.looks(Page()).items == (second, LOOK)
    assert store.looks(Page(), about="s1").items == (LOOK,)
    assert store.looks(Page(), by="nobody").items == ()
    assert store.last_look(LOOK.by, LOOK.page, "s1") == LOOK
    assert store.last_look(LOOK.by, "/other", "s1") is None
    engine = store._database.engine
    for statement in ("UPDATE look SET reason = 'x'", "DELETE FROM look"):
        with pytest.raises(DatabaseError, match="written down"), engine.begin() as connection:
            connection.execute(text(statement))


def test_the_newest_figure_counts(store: Store) -> None:
    figure = Figure("forecast", day(1), '{"later": 3}')
    store.keep_figure(figure)
    store.keep_figure(replace(figure, at=T0, document="{}"))
    assert store.figure("forecast") == figure
    store.keep_figure(replace(figure, at=day(2), document="{}"))
    assert store.figure("forecast") == replace(figure, at=day(2), document="{}")
    assert store.figure("other") is None
