"""Which page of the console is for whom; that looking changes nothing; that names are written, never run."""

import json
import re
from urllib.parse import quote

import pytest
from tests.unit.interfaces.api.server import START
from tests.unit.interfaces.web.console.conftest import HOSTILE, SUBJECT, Console
from tests.unit.interfaces.web.visitors import Visitor

from assent.interfaces.web.console.addresses import ALL
from assent.services.erase.derived.connector import acknowledge
from assent.services.erase.registry import add
from assent.services.figures.radius import RadiusWorld, plan_radius
from assent.store.records import STAFF_ROLES, Cut, CutRow, Page, Run, RunStart, Weights
from assent.store.sql.erasure import intend_replaced

OFFICE, WORKS = {"officer", "auditor"}, {"officer", "engineer", "auditor"}
WORKERS, OFFICER, SAFETY, REVIEWER = {"officer", "engineer"}, {"officer"}, {"safety", "auditor"}, {"safety"}

READ = {
    "/console": set(STAFF_ROLES),
    "/console/campaigns": OFFICE,
    "/console/campaigns/{campaign}": OFFICE,
    "/console/campaigns/{campaign}/funnel.svg": OFFICE,
    "/console/campaigns/{campaign}/notice": OFFICE,
    "/console/campaigns/{campaign}/preview": OFFICE,
    "/console/campaigns/{campaign}/{step}": OFFICER,
    "/console/policy": WORKS,
    "/console/policy/diff": WORKS,
    "/console/policy/version/{digest}": WORKS,
    "/console/policy/try/{digest}": WORKS,
    "/console/plans": WORKS,
    "/console/plans/{plan}": WORKS,
    "/console/approvals": WORKS,
    "/console/approvals/{approval}": WORKS,
    "/console/erasing": WORKS,
    "/console/sweeps/{sweep}": WORKS,
    "/console/connectors": WORKS,
    "/console/connectors/{system}": WORKS,
    "/console/forecast": WORKS,
    "/console/forecast.svg": WORKS,
    "/console/conversations/{conversation:path}": set(STAFF_ROLES),
    "/console/holds": OFFICE,
    "/console/holds/new/{scope}": OFFICER,
    "/console/holds/{hold}": OFFICE,
    "/console/requests": OFFICE,
    "/console/requests/{request}": OFFICE,
    "/console/people": OFFICE,
    "/console/people/{subject:path}": OFFICE,
    "/console/flags": SAFETY,
    "/console/flags/{flag}": SAFETY,
    "/console/flags/{flag}/redacted": REVIEWER,
    "/console/flags/{flag}/text": REVIEWER,
    "/console/cuts": WORKS,
    "/console/cuts/{name}/{number}": WORKS,
    "/console/cuts/{name}/{number}/lineage.svg": WORKS,
    "/console/cuts/{name}/{number}/from/{other}": WORKS,
    "/console/runs": WORKS,
    "/console/runs/{run}": WORKS,
    "/console/ledger": WORKS,
    "/console/receipts": OFFICE,
    "/console/receipts/{choice:path}": OFFICE,
    "/console/staff": OFFICE,
    "/console/looks": OFFICE,
    "/console/evidence": OFFICE,
    "/console/evidence/{archive}": OFFICE,
}
SENT = {
    "/console/campaigns/{campaign}/{step}": OFFICER,
    "/console/policy/try": WORKERS,
    "/console/plans": WORKERS,
    "/console/plans/{plan}/ask": WORKERS,
    "/console/plans/{plan}/approve": WORKERS,
    "/console/plans/{plan}/carry-out": WORKERS,
    "/console/approvals": WORKERS,
    "/console/approvals/{approval}": WORKERS,
    "/console/forecast": WORKERS,
    "/console/holds/new/{scope}": OFFICER,
    "/console/holds/{hold}/ask": OFFICER,
    "/console/holds/{hold}/release": OFFICER,
    "/console/matters/{matter:path}/close": OFFICER,
    "/console/requests/{request}/fulfil": OFFICER,
    "/console/requests/{request}/deny": OFFICER,
    "/console/flags/{flag}/uphold": REVIEWER,
    "/console/flags/{flag}/reverse": REVIEWER,
    "/console/cuts/{name}/{number}/freshness": WORKERS,
    "/console/cuts/{name}/{number}/files": WORKERS,
    "/console/ledger/audit": WORKERS,
}
SENSITIVE = {
    "/console/requests/{request}": "request",
    "/console/people/{subject:path}": "subject",
    "/console/flags/{flag}/redacted": "flag",
    "/console/flags/{flag}/text": "flag",
    "/console/evidence/{archive}": "archive",
}
"""The whole table, written down a second time: a page that is missing here fails."""


def filled_in(path: str, console: Console) -> str:
    """Put names into an address."""
    names = {
        "campaign": console.campaign, "step": "close", "hold": console.hold, "scope": "person", "flag": console.flag,
        "conversation": console.conversation, "subject": SUBJECT, "request": console.request, "archive": "evidence.zip",
        "digest": console.wiring.policies[-1].digest, "matter": HOSTILE, "plan": "0" * 12, "approval": "none",
        "sweep": "1", "name": "none", "number": "1", "other": "1", "choice": "none", "run": "none",
        "system": "chat",
    }  # fmt: skip
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: quote(names[found[1]], safe=""), path)


def entries() -> list[tuple[str, str, frozenset[str], str]]:
    return [(one.method, one.path, one.audience.roles, one.sensitive) for pages in ALL for one in pages]


def test_the_table_of_this_test_is_the_table_of_the_console() -> None:
    assert {path: set(roles) for method, path, roles, _ in entries() if method == "GET"} == READ
    assert {path: set(roles) for method, path, roles, _ in entries() if method == "POST"} == SENT
    assert {path: name for _, path, _, name in entries() if name} == SENSITIVE


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_each_role_opens_its_pages_and_no_other(shared: Console, role: str) -> None:
    console = shared
    visitor = console.place.staff(role)
    for path, roles in READ.items():
        console.place.clock.pass_by(minutes=1)
        status = visitor.get(filled_in(path, console)).status_code
        assert (status == 403) is (role not in roles), (path, status)
        assert status < 500, path


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_each_role_sends_its_forms_and_no_other(shared: Console, role: str) -> None:
    console = shared
    visitor = console.place.staff(role)
    for path, roles in SENT.items():
        console.place.clock.pass_by(minutes=1)
        status = visitor.post(filled_in(path, console)).status_code
        assert (status == 403) is (role not in roles), (path, status)
        assert status < 500, path


def test_nobody_and_persons_open_nothing(shared: Console) -> None:
    console = shared
    nobody, person = console.place.nobody(), console.place.person(SUBJECT)
    for path in READ:
        console.place.clock.pass_by(minutes=1)
        address = filled_in(path, console)
        assert nobody.get(address).status_code == 303
        assert person.get(address).status_code == 403


def test_a_form_without_the_proof_of_its_page_does_nothing(console: Console) -> None:
    officer = console.place.staff("officer")
    address = f"/console/holds/{console.hold}/ask"
    sent = {"reason": "settled"}
    forged = officer.call("POST", address, data=sent, headers={"sec_fetch_site": "same-origin"})
    foreign = officer.post(address, sent, sec_fetch_site="cross-site")
    assert (forged.status_code, foreign.status_code) == (403, 403)
    assert not console.place.world.store.approvals(Page(1)).items


def test_looking_changes_nothing(console: Console) -> None:
    store, place = console.place.world.store, console.place
    made_plan(console)
    visitors = [place.staff(role) for role in STAFF_ROLES]
    before = snapshot(console)
    for path in READ:
        for visitor in visitors:
            place.clock.pass_by(seconds=20)
            visitor.get(filled_in(path, console))
    assert snapshot(console) == before
    assert not store.looks(Page(1)).items


def snapshot(console: Console) -> list[object]:
    """Read what pages could have changed."""
    store = console.place.world.store
    page = Page(100)
    return [
        store.counts(),
        list(store.holds()),
        store.approvals(page),
        store.plans(page),
        store.sweeps(page),
        store.flags(page),
        store.requests(page),
        store.campaign_events(console.campaign),
        dict(store.safeguards()),
        store.accesses(page),
        store.staged(),
        store.rounds(page),
        [store.figure(name) for name in ("outlook", "audit of the ledger")],
    ]


def test_hostile_names_are_written_and_never_run(console: Console) -> None:
    for role in STAFF_ROLES:
        visitor = console.place.staff(role)
        for path, roles in READ.items():
            if role not in roles:
                continue
            console.place.clock.pass_by(minutes=1)
            address = filled_in(path, console)
            answer = opened(visitor, address)
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "<script>alert" not in answer.text, address
                assert 'onload=x"' not in answer.text, address
    officer = console.place.staff("officer")
    assert "&lt;script&gt;alert(1)" in officer.get(f"/console/campaigns/{console.campaign}").text


def opened(visitor: Visitor, address: str):  # noqa: ANN201 - the answer of the test client
    """Open a page, and where it asks why, say why."""
    answer = visitor.get(address)
    if "Why do you look?" not in answer.text:
        return answer
    asked = dict(re.findall(r'name="(page|about|back)" value="([^"]*)"', answer.text))
    assert visitor.post("/console/reason", {**asked, "because": "a test"}).status_code == 303
    return visitor.get(address)


def made_plan(console: Console) -> str:
    world = console.place.world
    weighing = RadiusWorld(world.store, world.new_columns(), world.policies, world.settings, world.lead)
    return plan_radius(weighing, console.place.clock.at, by="eve").digest[7:19]


def test_a_run_says_what_the_gate_found_and_what_it_made(console: Console) -> None:
    store, visitor = console.place.world.store, console.place.staff("auditor")
    store.record_cut(Cut("spring", 1, "sha256:m", START, "cuts/spring-1", "training", START), [CutRow("c", "p", "ann")])
    gate = {
        "open": True,
        "at": "2026-05-01T00:00:00Z",
        "rows": 4,
        "erased": 1,
        "stale": {},
        "wrong": {},
        "unchecked": [],
    }
    store.plan_run(Run("spring-1-aa", "spring", 1, "sha256:m", "training", HOSTILE, "sha256:c", "1", START), ["d"])
    store.start_run("spring-1-aa", RunStart(START, "[]", 3, 2, 1, json.dumps(gate)))
    store.end_run("spring-1-aa", "finished", START, made=Weights("spring-1-aa", "sha256:w", "w", START))
    shut = gate | {"open": False, "stale": {"withdrawn": 2}}
    store.plan_run(Run("spring-1-bb", "spring", 1, "sha256:m", "training", "mine", "sha256:c", "1", START))
    store.end_run("spring-1-bb", "abandoned", START, reason="it is stale", gate=json.dumps(shut))
    listed = visitor.get("/console/runs").text
    assert listed.index("spring-1-bb") < listed.index("spring-1-aa")
    page = visitor.get("/console/runs/spring-1-aa").text
    assert "3 parts in 2 conversations of 1 people; 1 conversations of the cut were left out" in page
    assert "open</span>" in page
    assert "sha256:w" in page
    assert HOSTILE not in page
    page = visitor.get("/console/runs/spring-1-bb").text
    assert "2 may not be used any more: withdrawn" in page
    assert "Nothing: it did not start." in page
    assert "spring-1-aa" in visitor.get("/console/cuts/spring/1").text
    assert "run spring-1-aa" in visitor.get("/console/cuts/spring/1/lineage.svg").text


def test_a_connected_system_says_what_it_has_not_removed(console: Console) -> None:
    store, visitor = console.place.world.store, console.place.staff("auditor")
    assert "was asked for nothing yet" in visitor.get("/console/connectors").text
    add(store, "chat", now=START)
    with store._database.writing() as connection:
        for slot in (1, 2, 3):
            intend_replaced(connection, [slot], at=START)
    assert "waited for" in visitor.get("/console/connectors").text
    acknowledge(store, 1, "chat", "removed", note="", now=START)
    acknowledge(store, 2, "chat", "pending maintenance", note=f"free pages {HOSTILE}", now=START)
    acknowledge(store, 3, "chat", "pending maintenance", note="a log", now=START)
    listed = visitor.get("/console/connectors").text
    assert "pending maintenance</span>" in listed
    assert re.findall(r'class="number" data-label="[^"]*">(\d+)<', listed) == ["1", "2", "0", "0"]
    page = visitor.get("/console/connectors/chat").text
    assert "Not removed yet: 2" in page
    assert "rollouts, archived ones too" in page
    assert "free pages &lt;script&gt;" in page
    assert HOSTILE not in page
    acknowledge(store, 3, "chat", "not reachable", note="no route", now=START)
    assert "not reachable</span>" in visitor.get("/console/connectors").text
    assert visitor.get("/console/connectors/nowhere").status_code == 404


def test_a_system_whose_file_is_broken_has_a_page_that_says_so(console: Console) -> None:
    visitor = console.place.staff("engineer")
    (console.wiring.settings.home / "connectors" / "chat.toml").write_text('kind = "coding-agents"\nagnt = 3\n')
    for address in ("/console/connectors", "/console/connectors/chat"):
        answer = visitor.get(address)
        assert answer.status_code == 200
        assert "its file cannot be used" in answer.text
    assert "`agent`" in visitor.get("/console/connectors/chat").text
