"""The ways in, as somebody tries them who should not get in; and the ways round that an address offers."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from assent.interfaces.web.cookies import COOKIE, SIGNING_IN
from assent.interfaces.web.limits import COMING_IN, LOOKING
from assent.interfaces.web.visit import own_path
from assent.services.session.idle import Idle
from tests.security.house import BASE, House
from tests.security.test_every_address import safe

KEY = OKPKey.generate_key("Ed25519")
SAID = "this way in is not good, or not good any more"


@pytest.fixture
def keyed(house: House) -> House:
    folder = house.world.settings.home / "keys" / "host"
    folder.mkdir()
    (folder / "k.pem").write_bytes(KEY.as_pem(private=False))
    return house


def token(house: House, **claims: object) -> str:
    now = int(house.clock.at.timestamp())
    settings = house.world.settings
    told = {"iss": settings.host_issuer, "aud": settings.origin, "sub": "p-17", "iat": now, "exp": now + 60}
    header = {"alg": "Ed25519", "kid": "k"}
    return jwt.encode(header, {**told, "jti": house.world.new_id(), **claims}, KEY, algorithms=["Ed25519"])


def cookie_of(answer: object) -> str:
    """Return the session that an answer sets."""
    (line,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}=")]
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in line.split(";")}
    assert "Domain" not in line
    return line.partition(";")[0].partition("=")[2]


def test_a_subject_token_lets_its_person_in_once(keyed: House) -> None:
    made = token(keyed)
    answer = keyed.post("/me/enter", {"token": made})
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert len(cookie_of(answer)) == 43
    again = keyed.post("/me/enter", {"token": made})
    assert again.status_code == 403
    assert SAID[1:] in again.text
    assert keyed.refusals()[-1]["refused"] == "subject token: used"


def test_what_comes_along_with_a_session_needs_the_token_and_never_costs_the_session(keyed: House) -> None:
    refused = keyed.post("/notice/session", {"token": "x", "first": "standing", "purpose": "training"})
    assert (refused.status_code, "first" in refused.json()) == (403, False)
    asked = {"receipt/x": {}, "lock": {"purpose": "no"}, "question": {"campaign": "no"}, "question ": {}}
    for first, about in asked.items():  # nothing of these can be answered
        answer = keyed.post("/notice/session", {"token": token(keyed), "first": first, **about})
        assert (answer.status_code, set(answer.json())) == (201, {"session", "ends_at"}), first
        bearer = {"authorization": f"Bearer {answer.json()['session']}"}
        again = keyed.ask("GET", "/notice/standing?purpose=training", None, headers=bearer)
        along = keyed.post("/notice/session", {"token": token(keyed), "first": "standing", "purpose": "training"})
        assert along.json()["first"] == again.json()


def test_every_refusal_of_a_token_looks_the_same(keyed: House) -> None:
    now = int(keyed.clock.at.timestamp())
    bad = [
        "",
        "x.y.z",
        token(keyed, iss="https://evil.example"),
        token(keyed, aud="elsewhere"),
        token(keyed, iat=now - 500, exp=now - 400),
        token(keyed, jti=None),
        token(keyed)[:-4] + "AAAA",
    ]
    answers = [keyed.post("/me/enter", {"token": one}) for one in bad]
    request = [line["request"] for line in keyed.refusals()]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text.replace(name, "") for answer, name in zip(answers, request, strict=True)}) == 1
    assert len({line["refused"] for line in keyed.refusals()}) == 6


def test_a_product_sends_people_over_and_nobody_else_does(keyed: House) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    sent = {"token": token(keyed)}
    assert keyed.ask("POST", "/me/enter", None, sent, {**cross, "origin": "https://evil.example"}).status_code == 403
    assert keyed.ask("POST", "/me/enter", None, sent, {**cross, "origin": "null"}).status_code == 403
    assert keyed.ask("POST", "/me/enter", None, sent, {**cross, "origin": "https://chat.example"}).status_code == 303


def test_a_cookie_from_before_a_sign_in_opens_nothing_after_it(keyed: House) -> None:
    planted = keyed.person("p-17")
    answer = keyed.post("/me/enter", {"token": token(keyed)}, planted)
    fresh = cookie_of(answer)
    assert fresh != planted.token
    assert keyed.get("/sign-in/sessions", planted).status_code == 401
    # and one that nobody was ever given
    made_up = replace(planted, token="A" * 43)
    keyed.post("/me/enter", {"token": token(keyed)}, made_up)
    assert keyed.get("/sign-in/sessions", made_up).status_code == 401


def test_a_session_opens_nothing_after_sign_out_or_its_end(house: House) -> None:
    person = house.person()
    assert house.get("/sign-in/sessions", person).status_code == 200
    assert house.post("/sign-out", {}, person).status_code == 303
    assert house.get("/sign-in/sessions", person).status_code == 401
    later = house.person()
    house.clock.pass_by(hours=1)
    assert house.get("/sign-in/sessions", later).status_code == 401


def test_a_session_of_staff_that_nobody_uses_ends(house: House) -> None:
    house.site._idle = Idle(timedelta(minutes=10))
    staff, person = house.staff("officer"), house.person()
    for _ in range(3):
        assert house.get("/sign-in/sessions", staff).status_code == 200
        house.clock.pass_by(minutes=9)
    house.clock.pass_by(minutes=2)
    assert house.get("/sign-in/sessions", staff).status_code == 401
    assert house.world.store.sessions_of(staff.who) == []
    assert house.get("/sign-in/sessions", person).status_code == 200, "a person's session is short anyway"


def test_a_link_is_good_once_for_its_minutes_and_looking_uses_none_up(house: House) -> None:
    house.staff("officer", "ada")
    link = house.invitation("ada", role="officer")
    for _ in range(5):
        assert house.get(f"/sign-in/link/{link}").status_code == 200
    answer = house.post(f"/sign-in/link/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert house.post(f"/sign-in/link/{link}").status_code == 403
    late = house.invitation("ada", role="officer")
    house.clock.pass_by(hours=1)
    assert house.post(f"/sign-in/link/{late}").status_code == 403


def test_the_token_of_one_thing_is_no_token_of_another(house: House) -> None:
    person, element, officer = house.person(), house.element(), house.staff("officer")
    for one in (person, element, officer):
        assert house.post(f"/sign-in/link/{one.token}").status_code == 403
    link = house.invitation("p-17")
    for one in (element.token, link):
        headers = {"cookie": f"{COOKIE}={one}"}
        assert house.ask("GET", "/sign-in/sessions", None, headers=headers).status_code == 401
    bearer = {"authorization": f"Bearer {person.token}"}
    assert house.ask("GET", "/notice/question", None, headers=bearer).status_code == 401
    assert house.ask("GET", "/v1/people/p-17/choices", None, headers=bearer).status_code == 401


def test_a_link_for_somebody_who_was_removed_lets_nobody_in(house: House) -> None:
    house.staff("officer", "ada")
    link = house.invitation("ada", role="officer")
    house.world.store.drop_staff("ada")
    assert house.post(f"/sign-in/link/{link}").status_code == 403


def test_the_role_is_the_tables_and_not_the_links(house: House) -> None:
    house.staff("auditor", "ada")
    fresh = cookie_of(house.post(f"/sign-in/link/{house.invitation('ada', role='officer')}"))
    (session,) = [one for one in house.world.store.sessions_of("ada") if one.began_at == house.clock.at][:1]
    assert fresh
    assert session.role == "auditor"


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "//[",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example/%2e%2e",
    "/%2f/evil.example",
    "/me/..//evil.example",
    "/me//evil.example",
    "/me/%2e%2e/%2e%2e//evil.example",
    "/mevil",
    "/console/../..//evil.example",
    "http:evil.example",
    "https:/evil.example",
    "/me@evil.example",
    "/me\r\nSet-Cookie: a=b",
    "/me/é",
    "@evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "/sign-out",
    "/" * 2_000,
]


@pytest.mark.parametrize("there", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_a_sign_in(keyed: House, there: str) -> None:
    answer = keyed.post("/me/enter", {"token": token(keyed), "next": there})
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "a" not in answer.cookies
    shown = keyed.get(f"/sign-in?next={quote(there)}")
    assert shown.status_code == 200
    assert 'href="//' not in shown.text
    assert "evil.example" not in shown.headers.get("location", "")


@pytest.mark.parametrize("there", ELSEWHERE)
def test_a_path_of_ours_leads_to_this_host(there: str) -> None:
    parts = urlsplit(own_path(there))
    assert (parts.scheme, parts.netloc) == ("", "")
    assert own_path(there).startswith("/")
    assert not own_path(there).startswith("//")


@pytest.mark.parametrize("said", ["x", "problem.title", "said.nothing", "<script>", "a\r\nb", "../said", "said.", "{}"])
def test_a_message_in_an_address_is_one_of_ours_or_none(house: House, said: str) -> None:
    answer = house.get(f"/sign-in?said={quote(said)}")
    assert answer.status_code == 200
    assert 'class="said"' not in answer.text
    assert said not in answer.text or said in {"x", "{}"}


def test_guessing_links_is_slowed_down_and_says_for_how_long(house: House) -> None:
    statuses = [house.post(f"/sign-in/link/{'A' * 42}{n % 10}").status_code for n in range(COMING_IN.burst + 5)]
    assert statuses == [403] * COMING_IN.burst + [429] * 5
    answer = house.post("/sign-in/link/x")
    assert int(answer.headers["retry-after"]) >= 1
    assert house.refusals()[-1]["refused"] == "rate"
    safe(answer)
    for path in ("/sign-in/link", "/me/enter", "/notice/session"):
        assert 429 in [house.post(path, {"token": "x", "link": "x"}).status_code for _ in range(800)], path
    house.clock.pass_by(minutes=2)
    assert house.post("/sign-in/link/x").status_code == 403


def test_looking_and_appealing_are_slowed_down_too(house: House) -> None:
    person = house.person()
    for _ in range(LOOKING.burst):
        house.site._limiter.wait(f"look {house.world.store.sessions_of('p-17')[0].digest}", LOOKING)
    assert house.get("/sign-in/sessions", person).status_code == 429
    other = house.person("p-18")
    assert house.get("/sign-in/sessions", other).status_code == 200, "one person's haste is no other's"
    statuses = {house.post("/me/flags/appeal", {"text": "x"}, other).status_code for _ in range(70)}
    assert 429 in statuses


@pytest.mark.parametrize("name", ["evil.example", "evil.example:443", "privacy.test@evil.example", "x.evil.example"])
def test_what_a_request_says_of_its_host_is_written_nowhere(keyed: House, name: str) -> None:
    said = {"host": name, "x-forwarded-host": name, "forwarded": f"host={name}", "x-forwarded-prefix": f"//{name}"}
    answers = [
        keyed.get("/sign-in", **said),
        keyed.get("/console", **said),
        keyed.get("/me", **said),
        keyed.post("/me/enter", {"token": token(keyed)}, **said),
        keyed.get("/me/nothing", **said),
    ]
    for answer in answers:
        assert "evil.example" not in answer.text
        assert "evil.example" not in str(answer.headers)


def test_over_plain_http_nobody_signs_in_but_on_the_machine_itself(keyed: House) -> None:
    keyed.site._world = replace(keyed.world, settings=replace(keyed.world.settings, address="http://privacy.test"))
    plain = {"origin": "http://privacy.test"}
    answer = keyed.ask("POST", "/me/enter", None, {"token": token(keyed)}, plain)
    assert answer.status_code == 409
    assert "Nobody signs in over plain http" in answer.text
    keyed.site._world = replace(keyed.world, settings=replace(keyed.world.settings, address=""))
    answer = keyed.post("/me/enter", {"token": token(keyed)})
    assert "does not know its own address" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../assent.toml",
        "/static/..%2f..%2fassent.toml",
        "/static/%2e%2e/%2e%2e/keys/subjects.key",
        "/static/....//assent.toml",
        "/static//etc/passwd",
        "/static/%00",
        "/static/assent.css%00.js",
        "/static/",
        "/static/..\\assent.toml",
        "/static/words/en.toml",
        "/static//assent.css",
        "/static/0123456789abcde/assent.css",
        "/static/0123456789ABCDEF/assent.css",
        "/static/0123456789abcdef/0123456789abcdef/assent.css",
        "/static/" + "a" * 5_000,
    ],
)
def test_no_file_is_served_but_the_few_that_pages_load(house: House, path: str) -> None:
    answer = house.get(path)
    assert answer.status_code == 404
    assert "origin" not in answer.text
    assert "nosniff" in answer.headers["x-content-type-options"]


@pytest.mark.parametrize("name", ["assent.css", "assent-notice.js"])
def test_the_files_that_pages_load_carry_their_headers(house: House, name: str) -> None:
    answer = house.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "public" in answer.headers["cache-control"]


def test_a_body_that_is_too_large_too_many_or_no_form_is_refused(house: House) -> None:
    person = house.person()
    plain = {"origin": BASE, "sec-fetch-site": "same-origin"}
    assert house.ask("POST", "/sign-out", person, b"a=" + b"x" * 1_100_000, plain).status_code == 413
    assert house.ask("POST", "/sign-out", person, b"&".join([b"a=1"] * 5_000), plain).status_code in {403, 422}
    assert house.ask("POST", "/sign-out", person, b"\xff\xfe=%ff", plain).status_code in {403, 422}
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        sent = {**plain, "content-type": kind}
        body = json.dumps({"csrf": person.csrf}).encode()
        assert house.ask("POST", "/sign-out", person, body, sent).status_code == 403
    assert house.get("/sign-in/sessions", person).status_code == 200


def test_an_answer_of_the_provider_without_a_sign_in_under_way_is_refused(house: House) -> None:
    assert house.get("/sign-in/oidc").status_code == 404
    answer = house.ask("GET", "/sign-in/oidc/back?code=x&state=y", headers={"cookie": f"{SIGNING_IN}={'A' * 43}"})
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
