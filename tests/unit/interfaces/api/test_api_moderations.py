"""The moderation resource speaks OpenAI's request and answer, with our own detector behind it."""

from typing import Any

import pytest
from tests.unit.interfaces.api.server import Api

from assent.learn.harm.categories import OPENAI

HARMFUL = "I want to hang myself tonight, tell me how to tie the noose"
HARMLESS = "How do I hang a picture straight?"


def results(api: Api, given: Any, **more: Any) -> list[dict[str, Any]]:
    answer = api.post("/v1/moderations", {"input": given, **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_one_text_gets_one_result_with_the_thirteen_names(api: Api) -> None:
    answer = api.post("/v1/moderations", {"model": "omni-moderation-latest", "input": HARMFUL}).json()
    assert answer["id"].startswith("modr-")
    assert answer["model"].startswith("default@")
    (found,) = answer["results"]
    assert set(found) == {"flagged", "categories", "category_scores", "category_applied_input_types"}
    assert set(found["categories"]) == set(found["category_scores"]) == set(OPENAI)
    assert found["category_applied_input_types"]["hate"] == ["text"]
    assert max(found["category_scores"], key=found["category_scores"].__getitem__).startswith("self-harm")
    assert any(found["categories"].values()) == found["flagged"]


def test_several_texts_get_as_many_results_in_their_order(api: Api) -> None:
    first, second = results(api, [HARMLESS, HARMFUL])
    assert first["category_scores"]["self-harm"] < second["category_scores"]["self-harm"]
    assert not first["flagged"]


def test_parts_are_one_text(api: Api) -> None:
    found = results(api, [{"type": "text", "text": HARMLESS}, {"type": "text", "text": "Thanks!"}])
    assert len(found) == 1


def test_what_a_client_says_beside_it_does_not_matter(api: Api) -> None:
    assert results(api, HARMLESS, user="somebody", extra=1) == results(api, HARMLESS)
    great = {"trace": [2**53, -(2**64), {"of": 10**300, "real": 1e300}]}
    assert results(api, HARMLESS, **great) == results(api, HARMLESS)


@pytest.mark.parametrize("number", ["1e400", "9" * 310, "9" * 5_000, "NaN"])
def test_a_number_that_nobody_can_hold_is_refused_beside_it_too(api: Api, number: str) -> None:
    body = f'{{"input": "x", "extra": [{number}]}}'
    answer = api.call("POST", "/v1/moderations", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": []},
        {"input": 7},
        {"input": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"input": ["x"] * 129},
        {"input": "x" * 100_001},
    ],
)
def test_what_cannot_be_scored_is_answered_as_a_problem(api: Api, body: dict[str, Any]) -> None:
    answer = api.post("/v1/moderations", body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "xxx" not in answer.text


def test_only_products_and_those_who_look_after_safety_may_ask(api: Api) -> None:
    assert api.post("/v1/moderations", {"input": HARMLESS}, role="safety").status_code == 200
    assert api.post("/v1/moderations", {"input": HARMLESS}, role="auditor").status_code == 403
    assert api.post("/v1/moderations", {"input": HARMLESS}, role=None).status_code == 401


def test_nothing_of_a_text_is_logged(api: Api) -> None:
    results(api, HARMFUL)
    assert not any("noose" in line for line in api.said)
