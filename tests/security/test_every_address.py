"""Every address of the site, also one that is added tomorrow: nobody, the wrong person and the wrong role are refused.

The tests run over the table of addresses itself. A page that is added is in it, or it is not served.
"""

import json
from collections.abc import Callable

import pytest

from assent.interfaces.web.addresses import MODULES
from assent.interfaces.web.audience import ANYBODY, ELEMENT, PERSON, SIGNED_IN
from assent.interfaces.web.pages import Entry
from assent.store.records import STAFF_ROLES
from tests.security.house import House, Visitor, filled, named

ENTRIES = [entry for pages in MODULES for entry in pages]
CLOSED = [entry for entry in ENTRIES if entry.audience is not ANYBODY]
FORMS = [entry for entry in CLOSED if entry.method == "POST" and entry.audience is not ELEMENT]

each = pytest.mark.parametrize("entry", ENTRIES, ids=named)
each_closed = pytest.mark.parametrize("entry", CLOSED, ids=named)
each_form = pytest.mark.parametrize("entry", FORMS, ids=named)


def of(patient: House, entry: Entry) -> Visitor:
    """Return somebody for whom the address is."""
    if entry.audience is ELEMENT:
        return patient.element()
    if entry.audience.kind == "staff":
        return patient.staff(min(entry.audience.roles) if entry.audience.roles else "officer")
    return patient.person()


def strangers(patient: House, entry: Entry) -> list[Visitor | None]:
    """Return everybody for whom the address is not."""
    everybody = [patient.person(), patient.element(), *map(patient.staff, STAFF_ROLES)]
    kinds, roles = {entry.audience.kind, entry.audience.other}, entry.audience.roles
    return [None, *(one for one in everybody if one.kind not in kinds or (roles and one.role not in roles))]


def test_there_are_addresses_of_every_kind() -> None:
    assert len(ENTRIES) > 40
    assert {entry.audience.kind for entry in ENTRIES} == {None, "person", "staff", "element"}
    assert len({(entry.method, entry.path) for entry in ENTRIES}) == len(ENTRIES)


@each_closed
def test_whoever_it_is_not_for_is_refused_and_written_down(patient: House, entry: Entry) -> None:
    for stranger in strangers(patient, entry):
        before = len(patient.refusals())
        send: Callable[..., object] = patient.get if entry.method == "GET" else patient.post
        answer = send(filled(entry), visitor=stranger)
        assert answer.status_code in {303, 401, 403}, (stranger, answer.text)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in?next=")
        (line,) = patient.refusals()[before:]
        assert (line["refused"], line["route"]) == ("audience", entry.path)
        assert "set-cookie" not in answer.headers


@each_form
def test_a_form_without_the_proof_of_the_session_does_nothing(patient: House, entry: Entry) -> None:
    visitor, other = of(patient, entry), patient.person("p-99")
    for proof in ({}, {"csrf": ""}, {"csrf": other.csrf}, {"csrf": visitor.token}, {"csrf": "ü"}):
        before = len(patient.refusals())
        answer = patient.post(filled(entry), {"csrf": "", **proof}, visitor)
        assert answer.status_code == 403, answer.text
        assert patient.refusals()[before]["refused"] == "form"


CROSS = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "origin": "https://other.privacy.test"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "https://privacy.test.evil.example"},
    {"origin": "http://privacy.test"},
    {"origin": "https://privacy.test:444"},
    {"origin": "null"},
    {},
]


@each_form
def test_a_form_of_another_site_does_nothing_even_with_the_proof(patient: House, entry: Entry) -> None:
    visitor = of(patient, entry)
    for headers in CROSS:
        answer = patient.ask("POST", filled(entry), visitor, {"csrf": visitor.csrf}, headers=headers)
        assert answer.status_code == 403, (headers, answer.text)
    assert {line["refused"] for line in patient.refusals()} == {"form"}


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one.open_form and one.audience is ANYBODY], ids=named)
def test_a_way_in_takes_no_form_of_a_site_that_is_not_the_product(patient: House, entry: Entry) -> None:
    for headers in [one for one in CROSS if one not in ({}, {"sec-fetch-site": "none"})]:
        answer = patient.ask("POST", filled(entry), None, {}, headers=headers)
        assert (answer.status_code, patient.refusals()[-1]["refused"]) == (403, "form"), headers


PAGE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
DIRECTIVES = {
    "default-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}


def safe(answer: object) -> None:
    """Hold an answer against the table of headers."""
    for name, value in PAGE_HEADERS.items():
        assert answer.headers.get(name) == value, name
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    if answer.headers.get("content-type", "").startswith("text/html"):
        styles = policy.pop("style-src").split()
        # a sheet that a page brings along is named by its digest, or it is not applied
        assert styles[0] == "'self'"
        assert all(one.startswith("'sha256-") for one in styles[1:])
        assert policy == DIRECTIVES
        assert " style=" not in answer.text
        assert answer.text.count("<style") == len(styles) - 1
        assert "onclick" not in answer.text
        assert "<script>" not in answer.text
    assert "permissions-policy" in answer.headers
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


@each
def test_every_answer_carries_the_headers(patient: House, entry: Entry) -> None:
    visitor = None if entry.audience is ANYBODY else of(patient, entry)
    answer = patient.get(filled(entry), visitor) if entry.method == "GET" else patient.post(filled(entry), {}, visitor)
    assert answer.status_code < 500, answer.text
    safe(answer)
    for stranger in (None, patient.person("p-99")):
        safe(patient.get(filled(entry), stranger))


@pytest.mark.parametrize("path", ["/me/nothing", "/console/nothing", "/sign-in/nothing/at/all", "/notice/nothing"])
def test_an_address_that_is_not_there_carries_them_too(patient: House, path: str) -> None:
    answer = patient.get(path)
    assert answer.status_code == 404
    safe(answer)


@each
def test_other_methods_do_nothing(patient: House, entry: Entry) -> None:
    visitor = None if entry.audience is ANYBODY else of(patient, entry)
    known = {one.method for one in ENTRIES if one.path == entry.path}
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "X", *({"GET", "POST"} - known)):
        answer = patient.ask(method, filled(entry), visitor, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code in {403, 404, 405, 422}, (method, answer.status_code)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one.method == "GET"], ids=named)
def test_head_answers_like_get_and_sends_nothing(patient: House, entry: Entry) -> None:
    visitor = None if entry.audience is ANYBODY else of(patient, entry)
    got = patient.get(filled(entry), visitor)
    headed = patient.ask("HEAD", filled(entry), visitor, headers={"sec-fetch-site": "same-origin"})
    assert (headed.status_code, headed.content) == (got.status_code, b"")


@each
def test_no_line_of_the_record_holds_a_subject_a_token_or_what_was_asked(patient: House, entry: Entry) -> None:
    visitor = patient.person("somebody-private") if entry.audience in (PERSON, SIGNED_IN) else of(patient, entry)
    secret = "whisper-this-to-nobody"
    path = filled(entry, token=secret, subject=secret, conversation=secret, link=secret, choice=secret)
    for answer in (
        patient.get(f"{path}?token={secret}&q={secret}", visitor),
        patient.post(path, {"token": secret, "link": secret, "subject": secret, "reason": secret}, visitor),
    ):
        assert answer.status_code < 500, answer.text
    record = "\n".join(patient.said)
    for private in (secret, "somebody-private", visitor.token, visitor.csrf):
        assert private not in record
    assert all(json.loads(line) for line in patient.said)


def test_pages_take_no_form_that_changes_something_from_an_auditor() -> None:
    assert [named(one) for one in ENTRIES if one.method == "POST" and "auditor" in one.audience.roles] == []


def test_every_form_of_somebody_who_is_signed_in_takes_the_proof() -> None:
    assert [named(one) for one in ENTRIES if one.open_form and one.audience not in (ANYBODY, ELEMENT)] == []
