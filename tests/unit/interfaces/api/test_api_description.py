"""The description of the API holds: it is valid, complete, and the server answers what it says and nothing else.

schemathesis makes requests from the description, good ones and bad ones, and knows nothing about assent.
"""

import contextlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.control import SkipTest
from schemathesis.generation import GenerationMode
from tests.unit.interfaces.api.server import Api

load_all_checks()

STATEFUL = {"use_after_free", "ensure_resource_availability"}
"""Checks of schemathesis' stateful runs; one request at a time gives them nothing to look at."""

BEYOND_A_SCHEMA = ("/otlp/", "/scim/v2/", "/ledger/cosignatures", "/v1/campaigns", "/v1/notices")
"""Addresses that read filters, paths, files or signed notes: no JSON Schema says which texts those are, so a text
that fits the schema may well be refused."""

REFUSED = ["400", "401", "403", "404", "405", "413", "415", "422"]
"""What a bad request may be answered."""

CHECKED = [check for check in CHECKS.get_all() if check.__name__ not in STATEFUL]


@pytest.fixture
def description(api: Api) -> dict[str, Any]:
    return api.call("GET", "/openapi.json", role=None).json()


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, told) for path, methods in description["paths"].items() for method, told in methods.items()]


def test_the_description_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(description).validate()


def test_every_operation_has_a_name_a_tag_a_description_and_its_problems(description: dict[str, Any]) -> None:
    names = [told["operationId"] for _, _, told in operations(description)]
    assert len(names) == len(set(names))
    for path, method, told in operations(description):
        place = f"{method} {path}"
        assert told["tags"], place
        assert told["description"], place
        assert {"400", "413", "503"} <= set(told["responses"]), place
        assert not told.get("security") or "401" in told["responses"], place
        assert "HTTPValidationError" not in json.dumps(told), place


def test_every_operation_with_a_token_names_its_roles(description: dict[str, Any]) -> None:
    for path, method, told in operations(description):
        if {"token": []} in told.get("security", []):
            assert told["x-roles"], f"{method} {path}"


def test_no_parameter_may_be_null(description: dict[str, Any]) -> None:
    """All but a body is text: one that may be left out is not required, and that is all."""
    told = [(f"{method} {path}", one) for path, method, told in operations(description)
            for one in told.get("parameters", ())]  # fmt: skip
    assert [place for place, one in told if '"null"' in json.dumps(one["schema"])] == []
    after = next(one for place, one in told if place == "get /v1/contracts" and one["name"] == "after")
    assert (after["required"], after["schema"]["type"], after["schema"]["maxLength"]) == (False, "string", 1_000)


def _checked(api: Api, mode: GenerationMode, examples: int) -> int:
    """Send `examples` requests of one kind to each operation; return how many were sent."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app)
    schema.config.generation.update(modes=[mode], allow_x00=False)
    # a text longer than its field may be longer than a whole request too
    schema.config.checks.negative_data_rejection.expected_statuses = REFUSED
    found = [operation.ok() for operation in schema.get_all_operations()]
    # the resource made for tests of the foundation makes mistakes when it is told to
    return sum(_asked(api, operation, mode, examples) for operation in found if operation.path != "/v1/echo")


def _beyond(operation: Any, check: str) -> bool:
    told = "x-further-rules" in operation.definition.raw or operation.path.startswith(BEYOND_A_SCHEMA)
    return check == "positive_data_acceptance" and told


def _names(address: str) -> set[str]:
    """Name the parameters that an address carries."""
    return set(parse_qs(urlsplit(address).query, keep_blank_values=True))


def _asked(api: Api, operation: Any, mode: GenerationMode, examples: int) -> int:
    roles = operation.definition.raw.get("x-roles", [])
    headers = {"authorization": f"Bearer {api.tokens[roles[0]]}"} if roles else {}
    checks = [check for check in CHECKED if not _beyond(operation, check.__name__)]
    sent = 0

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal sent
        # a key that is drawn twice names another request the second time, and a place in a list is given out by a page:
        # both are refused as they should be
        case.headers.pop("Idempotency-Key", None)
        if mode.is_positive:
            case.query.pop("after", None)
        response = case.call(headers=headers)
        # what is wrong with an empty list, or with a list of one, never goes over the wire
        assume(mode.is_positive or set(case.query or {}) <= _names(response.request.url))
        sent += 1
        case.validate_response(response, checks=checks, headers=headers)

    # an operation without a parameter or body cannot be asked wrongly
    with contextlib.suppress(SkipTest):
        ask()
    return sent


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_server_answers_as_described(api: Api, mode: GenerationMode) -> None:
    assert _checked(api, mode, 5) > 100


@pytest.mark.deep
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_server_answers_as_described_at_length(api: Api, mode: GenerationMode) -> None:
    assert _checked(api, mode, 200) > 4_000
