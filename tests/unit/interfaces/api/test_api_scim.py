"""The provider's directory over SCIM 2.0: people come and go, plans follow, history stays."""

import json
from typing import Any

import httpx
import pytest
from tests.conformance.store.samples import talk
from tests.unit.interfaces.api.server import Api

from assent.services.directory import keep
from assent.store.records import Account, ConversationFilter, Page

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MEDIA_TYPE = "application/scim+json"
ANA = {"schemas": [USER], "userName": "Ana@Example.org", "externalId": "p-1", "userType": "pro", "active": True,
       "emails": [{"value": "ana@example.org", "type": "work", "primary": True}]}  # fmt: skip


def scim(
    api: Api, method: str, path: str, body: Any = None, *, role: str | None = "directory", **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named.setdefault("content-type", MEDIA_TYPE)
    answer = api.call(method, f"/scim/v2{path}", role=role, content=content, headers=named)
    if answer.content:
        assert answer.headers["content-type"] == MEDIA_TYPE
    return answer


def made(api: Api, **more: Any) -> dict[str, Any]:
    answer = scim(api, "POST", "/Users", {**ANA, **more})
    assert answer.status_code == 201
    return answer.json()


def patched(api: Api, name: str, *operations: dict[str, Any], **headers: str) -> httpx.Response:
    return scim(api, "PATCH", f"/Users/{name}", {"schemas": [PATCH], "Operations": list(operations)}, **headers)


def found(api: Api, **query: Any) -> dict[str, Any]:
    answer = scim(api, "GET", f"/Users?{httpx.QueryParams(query)}")
    assert answer.status_code == 200
    return answer.json()


# -- accounts follow ---------------------------------------------------------------------------------------------------


def test_a_new_person_has_an_account_with_the_plan(api: Api) -> None:
    answer = scim(api, "POST", "/Users", ANA)
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["meta"]["location"]
    assert answer.headers["etag"] == answer.json()["meta"]["version"]
    assert api.world.store.account("p-1") == Account("p-1", plan="pro")


def test_without_an_external_id_the_user_name_is_the_subject(api: Api) -> None:
    made(api, externalId=None)
    assert api.world.store.account("Ana@Example.org") == Account("Ana@Example.org", plan="pro")


def test_what_is_known_of_an_account_otherwise_stays(api: Api) -> None:
    api.world.store.put_accounts([Account("p-1", plan="free", region="DE", age=44, signed_in=True)])
    made(api)
    assert api.world.store.account("p-1") == Account("p-1", plan="pro", region="DE", age=44, signed_in=True)


def test_a_move_to_a_business_plan_is_dated_once(api: Api) -> None:
    name = made(api)["id"]
    patched(api, name, {"op": "replace", "path": "userType", "value": "team"})
    moved = api.clock.at
    api.clock.pass_by(days=1)
    patched(api, name, {"op": "replace", "path": "userType", "value": "enterprise"})
    assert api.world.store.account("p-1") == Account("p-1", plan="enterprise", moved_to_business_at=moved)


def test_a_plan_that_the_directory_does_not_tell_is_unknown(api: Api) -> None:
    name = made(api)["id"]
    patched(api, name, {"op": "remove", "path": "userType"})
    assert api.world.store.account("p-1").plan is None


@pytest.mark.parametrize("way", ["inactive", "replaced", "removed"])
def test_whoever_is_inactive_or_removed_has_a_closed_account_and_all_history(api: Api, way: str) -> None:
    api.world.store.intake([talk("one", subject="p-1")], plan="pro", recorded_at=api.clock.at)
    name = made(api)["id"]
    if way == "inactive":
        assert patched(api, name, {"op": "replace", "value": {"active": False}}).json()["active"] is False
    elif way == "replaced":
        assert scim(api, "PUT", f"/Users/{name}", {**ANA, "active": False}).status_code == 200
    else:
        assert scim(api, "DELETE", f"/Users/{name}").status_code == 204
    assert api.world.store.account("p-1").closed_at == api.clock.at
    page = api.world.store.conversations(ConversationFilter(subject="p-1"), Page())
    assert page.total == 1


def test_a_closed_account_stays_closed_whatever_the_directory_says_later(api: Api) -> None:
    name = made(api)["id"]
    patched(api, name, {"op": "replace", "path": "active", "value": False})
    closed = api.clock.at
    api.clock.pass_by(days=1)
    assert patched(api, name, {"op": "replace", "path": "active", "value": True}).status_code == 200
    assert api.world.store.account("p-1").closed_at == closed


def test_a_removed_person_is_forgotten_by_the_directory(api: Api) -> None:
    name = made(api)["id"]
    scim(api, "DELETE", f"/Users/{name}")
    assert scim(api, "GET", f"/Users/{name}").status_code == 404
    assert api.world.store.entries_known_as(["email:ana@example.org", "ana@example.org"]) == []


def test_only_what_is_needed_is_kept(api: Api) -> None:
    told = made(api, displayName="Ana A", password="hunter2", addresses=[{"locality": "Ulm"}], nickName="A")
    kept = api.world.store.entry(told["id"]).document
    for text in (json.dumps(told), kept):
        assert not any(word in text for word in ("Ana A", "hunter2", "Ulm", "nickName"))


# -- finding -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(api: Api) -> Api:
    for n in range(5):
        made(api, userName=f"n{n}", externalId=f"p-{n}", userType="free" if n % 2 else "pro", emails=[])
        api.clock.pass_by(seconds=1)
    return api


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ('userName eq "N3"', ["n3"]),
        (f'{USER}:userName eq "n3"', ["n3"]),
        ('externalId eq "p-2"', ["n2"]),
        ('externalId eq "P-2"', []),
        ('userType eq "free"', ["n1", "n3"]),
        ('userType eq "free" and userName ne "n1"', ["n3"]),
        ("emails pr", []),
        ('userName sw "n" and not (userType eq "pro")', ["n1", "n3"]),
        ('id eq "nobody"', []),
    ],
)
def test_a_filter_finds_those_it_asks_for(crowd: Api, filter_: str, names: list[str]) -> None:
    page = found(crowd, filter=filter_)
    assert [user["userName"] for user in page.get("Resources", [])] == names
    assert page["totalResults"] == len(names)


def test_pages_follow_each_other(crowd: Api) -> None:
    pages = [found(crowd, startIndex=start, count=2) for start in (1, 3, 5, 7)]
    assert [[user["userName"] for user in page.get("Resources", [])] for page in pages] == [
        ["n0", "n1"], ["n2", "n3"], ["n4"], []]  # fmt: skip
    assert {page["totalResults"] for page in pages} == {5}
    assert found(crowd, count=0)["totalResults"] == 5
    assert "Resources" not in found(crowd, count=0)
    assert found(crowd, startIndex=-3, count=1)["Resources"][0]["userName"] == "n0"
    assert [
        user["userName"] for user in found(crowd, filter='userType eq "pro"', startIndex=2, count=1)["Resources"]
    ] == ["n2"]


def test_a_search_may_stand_in_the_body(crowd: Api) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'userName eq "n1"'}
    for path in ("/.search", "/Users/.search"):
        assert scim(crowd, "POST", path, body).json()["totalResults"] == 1


def test_a_filter_that_would_look_through_too_many_says_so(crowd: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "LOOKED_THROUGH", 4)
    answer = scim(crowd, "GET", '/Users?filter=userType eq "free"')
    assert (answer.status_code, answer.json()["scimType"]) == (400, "tooMany")
    assert found(crowd, filter='userName eq "n1"')["totalResults"] == 1


def test_attributes_are_picked(crowd: Api) -> None:
    (user,) = found(crowd, filter='userName eq "n1"', attributes="userType")["Resources"]
    assert set(user) == {"schemas", "id", "userType"}
    name = user["id"]
    assert "userType" not in scim(crowd, "GET", f"/Users/{name}?excludedAttributes=userType").json()


# -- versions and conflicts --------------------------------------------------------------------------------------------


def test_a_change_is_made_to_the_version_it_was_meant_for(api: Api) -> None:
    told = made(api)
    old = told["meta"]["version"]
    replace = {"op": "replace", "path": "userType", "value": "free"}
    first = patched(api, told["id"], replace, if_match=old)
    assert first.status_code == 200
    assert first.headers["etag"] != old
    assert patched(api, told["id"], replace, if_match=old).status_code == 412
    assert scim(api, "PUT", f"/Users/{told['id']}", ANA, if_match=old).status_code == 412
    assert scim(api, "DELETE", f"/Users/{told['id']}", if_match=old).status_code == 412
    assert scim(api, "GET", f"/Users/{told['id']}", if_none_match=first.headers["etag"]).status_code == 304
    assert scim(api, "GET", f"/Users/{told['id']}", if_none_match=old).status_code == 200


def test_a_name_or_account_that_is_taken_is_a_conflict(api: Api) -> None:
    made(api)
    for other in ({**ANA, "externalId": "p-2"}, {**ANA, "userName": "ana@example.ORG", "externalId": "p-2"},
                  {**ANA, "userName": "bo"}):  # fmt: skip
        answer = scim(api, "POST", "/Users", other)
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    name = made(api, userName="bo", externalId="p-2")["id"]
    assert patched(api, name, {"op": "replace", "path": "userName", "value": "ANA@example.org"}).status_code == 409
    assert api.world.store.account("p-2") == Account("p-2", plan="pro")


# -- what is refused ---------------------------------------------------------------------------------------------------

HOSTILE = [
    # what is wrong             body                                                              type
    ("not JSON",                b"{",                                                             "invalidSyntax"),
    ("a list",                  b"[]",                                                            "invalidSyntax"),
    ("a member twice",          b'{"userName": "a", "userName": "b"}',                            "invalidSyntax"),
    ("NUL",                     b'{"userName": "\\u0000"}',                                       "invalidSyntax"),
    ("deep nesting",            b'{"a":' * 500 + b"1" + b"}" * 500,                               "invalidSyntax"),
    ("no name",                 json.dumps({"schemas": [USER]}).encode(),                         "invalidValue"),
    ("another schema",          json.dumps({"schemas": [PATCH], "userName": "a"}).encode(),       None),
    ("a number for a name",     json.dumps({**ANA, "userName": 7}).encode(),                      None),
    ("an address that is none", json.dumps({**ANA, "emails": [{"value": "x"}]}).encode(),         None),
    ("two primary addresses",   json.dumps({**ANA, "emails": [{"value": "a@b.de", "primary": True},
                                            {"value": "c@b.de", "primary": True}]}).encode(),     None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_body_that_is_no_user_is_refused_in_the_form_of_scim(api: Api, body: bytes, kind: str | None) -> None:
    answer = scim(api, "POST", "/Users", body)
    assert answer.status_code == 400
    assert answer.json()["schemas"] == [ERROR]
    assert answer.json()["status"] == "400"
    if kind is not None:
        assert answer.json()["scimType"] == kind
    assert found(api)["totalResults"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", '/Users?filter=userName zz "a"', 400),
        ("GET", "/Users?filter=(((((((((((", 400),
        ("GET", "/Users?filter=" + "(" * 1_500, 400),
        ("GET", "/Users?startIndex=x", 400),
        ("GET", "/Users?startIndex=99999999999999999999", 200),
        ("GET", "/Users?filter=" + "not (" * 1_400 + "userName pr" + ")" * 1_400, 400),
        ("GET", "/Users?filter=" + "(" * 950 + "userName pr" + ")" * 950, 200),
        ("GET", "/Users?attributes=" + "a." * 2_000, 400),
        ("GET", "/Users?count=99999999999999999999", 200),
        ("GET", "/Users?attributes=a&excludedAttributes=b", 400),
        ("GET", "/Users/%00", 404),
        ("GET", "/Users/someone", 404),
        ("DELETE", "/Users/someone", 404),
        ("GET", "/Groups", 404),
        ("GET", "/Schemas/nothing", 404),
        ("GET", "/Schemas?filter=x", 403),
        ("POST", "/Bulk", 404),
        ("PATCH", "/Users", 405),
        ("POST", "/Schemas", 405),
    ],
)
def test_what_is_not_there_is_refused_in_the_form_of_scim(api: Api, method: str, path: str, status: int) -> None:
    answer = scim(api, method, path, {} if method in ("POST", "PATCH") else None)
    assert answer.status_code == status
    if status != 200:
        assert (answer.json()["schemas"], answer.json()["status"]) == ([ERROR], str(status))


def test_only_a_directory_comes_in(api: Api) -> None:
    assert scim(api, "GET", "/Users", role=None).status_code == 401
    assert scim(api, "GET", "/Users", role="officer").status_code == 403
    assert api.call("GET", "/v1/echo", role="directory").status_code == 403


def test_a_body_of_another_kind_is_refused(api: Api) -> None:
    assert scim(api, "POST", "/Users", ANA, content_type="text/plain").status_code == 415
    assert scim(api, "POST", "/Users", ANA, content_type="application/json").status_code == 201


def test_a_patch_that_fails_changes_nothing(api: Api) -> None:
    name = made(api)["id"]
    answer = patched(
        api, name,
        {"op": "replace", "path": "userType", "value": "free"}, {"op": "remove", "path": "userName"},
    )  # fmt: skip
    assert answer.status_code == 400
    assert api.world.store.account("p-1").plan == "pro"
    assert patched(api, name, {"op": "shrink", "path": "userType"}).status_code == 400
    assert patched(api, name).status_code == 400


def test_only_what_works_is_advertised(api: Api) -> None:
    told = scim(api, "GET", "/ServiceProviderConfig").json()
    works = {name: part["supported"] for name, part in told.items() if isinstance(part, dict) and "supported" in part}
    assert works == {
        "patch": True, "bulk": False, "filter": True, "changePassword": False, "sort": False, "etag": True}  # fmt: skip
