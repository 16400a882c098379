"""What every visit passes, tried on pages of this test: whom a page is for, whose form it is, how often, and why."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response
from tests.unit.interfaces.web.visitors import Place, Visitor, place_on

from assent.domain.errors import Invalid, NotFound, Refused
from assent.interfaces.web import addresses
from assent.interfaces.web.audience import ANYBODY, ELEMENT, PERSON, staff
from assent.interfaces.web.pages import Pages
from assent.interfaces.web.visit import Visit, own_path
from assent.services.session.sessions import csrf_of, end

pages = Pages()
PROBLEMS = {"invalid": (Invalid, 422), "missing": (NotFound, 404), "refused": (Refused, 409)}


@pages.get("/me/probe", PERSON)
def mine(visit: Visit) -> Response:
    return PlainTextResponse(f"{visit.subject} {visit.guardian}")


@pages.post("/me/probe", PERSON)
def do(visit: Visit) -> Response:
    return PlainTextResponse(",".join(visit.several("ticked")))


@pages.get("/me/probe/{problem}", PERSON)
def fail(visit: Visit) -> Response:
    kind, _ = PROBLEMS[visit.path["problem"]]
    raise kind("something is wrong with `<b>`", "do something else")


@pages.get("/console/probe", staff("officer", "auditor"))
def ours(visit: Visit) -> Response:
    return PlainTextResponse(f"{visit.name} {visit.role}")


@pages.get("/console/probe/{subject}", staff("officer", "auditor"), sensitive="subject")
def private(visit: Visit) -> Response:
    return PlainTextResponse(f"about {visit.path['subject']}")


@pages.post("/notice/probe", ELEMENT)
def element(visit: Visit) -> Response:
    return PlainTextResponse(visit.subject)


@pages.post("/sign-in/probe", ANYBODY, open_form=True)
def way_in(_visit: Visit) -> Response:
    return PlainTextResponse("in")


@pytest.fixture
def probed(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(addresses, "MODULES", (*addresses.MODULES, pages))
    return place_on(place.world, place.clock)


def refusals(place: Place) -> list[str]:
    return [line["refused"] for line in map(json.loads, place.said) if "refused" in line]


def test_a_person_sees_their_own_page(probed: Place) -> None:
    found = probed.person("s-17", guardian="g-2").get("/me/probe")
    assert (found.status_code, found.text) == (200, "s-17 g-2")


def test_whoever_is_not_signed_in_is_asked_to_come_from_the_product(probed: Place) -> None:
    found = probed.nobody().get("/me/probe")
    assert found.status_code == 401
    assert refusals(probed) == ["audience"]


def test_staff_are_sent_to_sign_in_and_come_back(probed: Place) -> None:
    found = probed.nobody().get("/console/probe?after=3")
    assert (found.status_code, found.headers["location"]) == (303, "/sign-in?next=%2Fconsole%2Fprobe%3Fafter%3D3")


@pytest.mark.parametrize("role", ["engineer", "safety"])
def test_another_role_is_refused_and_recorded(probed: Place, role: str) -> None:
    assert probed.staff(role).get("/console/probe").status_code == 403
    assert refusals(probed) == ["audience"]


def test_staff_see_nothing_of_a_person_and_a_person_nothing_of_staff(probed: Place) -> None:
    assert probed.staff("officer").get("/me/probe").status_code == 403
    assert probed.person("s-17").get("/console/probe").status_code == 403
    assert probed.staff("auditor", "ada@assent.test").get("/console/probe").text == "ada@assent.test auditor"


def test_a_session_that_is_over_or_ended_opens_nothing(probed: Place) -> None:
    visitor = probed.person("s-17")
    probed.clock.pass_by(minutes=59)
    assert visitor.get("/me/probe").status_code == 200
    probed.clock.pass_by(minutes=1)
    assert visitor.get("/me/probe").status_code == 401
    other = probed.person("s-17")
    end(probed.world.store, other.token)
    assert other.get("/me/probe").status_code == 401


def test_a_form_of_ours_is_taken(probed: Place) -> None:
    found = probed.person("s-17").post("/me/probe", [("ticked", "a"), ("ticked", "b")])
    assert (found.status_code, found.text) == (200, "a,b")


def foreign_forms(visitor: Visitor, other: Visitor) -> list[dict[str, object]]:
    good = csrf_of(visitor.token)
    same = {"sec-fetch-site": "same-origin"}
    return [
        {"data": {}, "headers": same},
        {"data": {"csrf": ""}, "headers": same},
        {"data": {"csrf": csrf_of(other.token)}, "headers": same},
        {"data": {"csrf": good}, "headers": {"sec-fetch-site": "cross-site"}},
        {"data": {"csrf": good}, "headers": {"sec-fetch-site": "same-site"}},
        {"data": {"csrf": good}, "headers": {"origin": "https://evil.test"}},
        {"data": {"csrf": good}, "headers": {"origin": "null"}},
        {"data": {"csrf": good}, "headers": {}},
        {"content": f'{{"csrf": "{good}"}}', "headers": {**same, "content-type": "application/json"}},
    ]


def test_a_form_from_elsewhere_is_refused(probed: Place) -> None:
    visitor, other = probed.person("s-17"), probed.person("s-17")
    for form in foreign_forms(visitor, other):
        assert visitor.call("POST", "/me/probe", **form).status_code == 403, form["headers"]
    assert set(refusals(probed)) == {"form"}


def test_a_browser_that_only_names_the_origin_is_believed(probed: Place) -> None:
    visitor = probed.person("s-17")
    form = {"data": {"csrf": csrf_of(visitor.token)}, "headers": {"origin": "https://assent.test"}}
    assert visitor.call("POST", "/me/probe", **form).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "https://chat.test"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.test"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({}, 200),
    ],
)
def test_a_way_in_is_open_to_our_pages_and_the_product(probed: Place, headers: dict[str, str], status: int) -> None:
    assert probed.nobody().call("POST", "/sign-in/probe", headers=headers).status_code == status


def test_the_element_speaks_with_a_bearer_session_to_the_pages_that_may_hold_it(probed: Place) -> None:
    token = probed.token("element", "s-17")
    for origin, allowed in (("https://chat.test", "https://chat.test"), ("https://evil.test", None)):
        headers = {"authorization": f"Bearer {token}", "origin": origin}
        found = probed.nobody().call("POST", "/notice/probe", headers=headers)
        assert (found.text, found.headers.get("access-control-allow-origin")) == ("s-17", allowed)
        asked = probed.nobody().call("OPTIONS", "/notice/probe", headers={"origin": origin})
        assert asked.status_code == (204 if allowed else 405)


def test_a_cookie_is_no_bearer_session_and_the_other_way_round(probed: Place) -> None:
    assert probed.person("s-17").call("POST", "/notice/probe").status_code == 401
    bearer = {"authorization": f"Bearer {probed.token('person', 's-17')}"}
    assert probed.nobody().call("POST", "/notice/probe", headers=bearer).status_code == 401
    assert probed.nobody().get("/me/probe", **bearer).status_code == 401


def test_who_knocks_too_often_waits(probed: Place) -> None:
    visitor = probed.nobody()
    answers = [visitor.call("POST", "/sign-in/probe").status_code for _ in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert visitor.call("POST", "/sign-in/probe").headers["retry-after"] == "6"
    probed.clock.pass_by(seconds=6)
    assert visitor.call("POST", "/sign-in/probe").status_code == 200


def test_a_sensitive_page_asks_why_and_writes_it_down(probed: Place) -> None:
    visitor = probed.staff("officer", "ada@assent.test")
    first = visitor.get("/console/probe/s-17")
    assert "Why do you look?" in first.text
    assert "about s-17" not in first.text
    said = {"page": "/console/probe/{subject}", "about": "s-17", "back": "/console/probe/s-17", "because": "case 4"}
    assert visitor.post("/console/reason", {**said, "because": " "}).status_code == 422
    assert visitor.post("/console/reason", said).headers["location"] == "/console/probe/s-17"
    assert visitor.get("/console/probe/s-17").text == "about s-17"
    assert "Why do you look?" in visitor.get("/console/probe/s-18").text
    look = probed.world.store.last_look("ada@assent.test", "/console/probe/{subject}", "s-17")
    assert look is not None
    assert (look.role, look.reason) == ("officer", "case 4")
    probed.clock.pass_by(minutes=31)
    assert "Why do you look?" in visitor.get("/console/probe/s-17").text


def test_a_reason_given_in_one_session_is_none_in_the_next(probed: Place) -> None:
    said = {"page": "/console/probe/{subject}", "about": "s-17", "back": "/console", "because": "case 4"}
    probed.staff("officer", "ada@assent.test").post("/console/reason", said)
    probed.clock.pass_by(minutes=1)
    assert "Why do you look?" in probed.staff("officer", "ada@assent.test").get("/console/probe/s-17").text


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_an_error_is_a_page_with_what_to_do_next(probed: Place, name: str) -> None:
    found = probed.person("s-17").get(f"/me/probe/{name}")
    assert found.status_code == PROBLEMS[name][1]
    assert "Something is wrong with `&lt;b&gt;`." in found.text
    assert "Do something else." in found.text


def test_every_answer_tells_the_browser_what_it_may_do(probed: Place) -> None:
    for path in ("/me/probe", "/me/nothing", "/static/assent.css", "/static/../site.py"):
        headers = probed.nobody().get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/me?x=1", "/me?x=1"),
        ("//evil.test", "/"),
        ("https://evil.test", "/"),
        ("/\\evil.test", "/"),
        ("\\\\evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/me\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
        ("me", "/"),
        ("/ //evil.test", "/"),
    ],
)
def test_no_redirect_leads_elsewhere(text: str, path: str) -> None:
    assert own_path(text) == path


def test_a_form_that_changes_something_cannot_be_given_to_who_only_reads() -> None:
    with pytest.raises(ValueError, match="/console/x"):
        Pages().post("/console/x", staff())
    with pytest.raises(ValueError, match="/me/x"):
        Pages().post("/me/x", ANYBODY)


def test_every_file_of_the_site_is_served_under_its_name(place: Place) -> None:
    folder = Path(addresses.__file__).parent / "static"
    for file in folder.iterdir():
        found = place.nobody().get(f"/static/{file.name}")
        assert (found.status_code, found.content) == (200, file.read_bytes())


def test_a_file_is_kept_for_ever_under_its_digest_and_shortly_under_its_name(place: Place) -> None:
    there = place.nobody()
    plain = there.get("/static/assent.css")
    digest = sha256(plain.content).hexdigest()[:16]
    assert (plain.headers["cache-control"], plain.headers["etag"]) == ("public, max-age=300", f'"{digest}"')
    again = there.get("/static/assent.css", if_none_match=plain.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    for_ever = there.get(f"/static/{digest}/assent.css")
    assert (for_ever.content, for_ever.headers["cache-control"]) == (
        plain.content,
        "public, max-age=31536000, immutable",
    )
    # a page of yesterday's version still finds a style, but nobody keeps it under yesterday's address
    other = there.get(f"/static/{'0' * 16}/assent.css")
    assert (other.content, other.headers["cache-control"]) == (plain.content, "no-store")
    assert there.get(f"/static/{digest}/nothing.css").status_code == 404


def test_every_page_loads_its_files_under_their_digests(place: Place) -> None:
    page = place.nobody().get("/sign-in").text
    loads = re.findall(r'"(/static/[^"]+)"', page)
    assert len(loads) == 2
    for address in loads:
        assert "immutable" in place.nobody().get(address).headers["cache-control"]
