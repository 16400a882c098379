"""Requests that follow from each other: schemathesis walks from one answer to the next and looks at every one.

What one request alone can show is looked at in tests/unit/interfaces/api/test_api_description.py; this adds the
checks that need a sequence, as using what was taken away.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks

from assent.services.tokens import add_token
from tests.security.house import House

load_all_checks()
SEQUENCE = [check for check in CHECKS.get_all() if check.__name__ in {"use_after_free", "ensure_resource_availability"}]


def walked(house: House, examples: int, steps: int) -> int:
    """Walk `examples` ways of `steps` requests each; returns how many requests were answered."""
    world = house.world
    token = add_token(world.store, "walker", "officer", key=world.new_key(), now=house.clock.at)
    headers = {"authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", house.app)
    schema.config.generation.update(allow_x00=False)
    answered: list[int] = []
    machine = schema.as_state_machine()

    class Walk(machine):
        def get_call_kwargs(self, case: object) -> dict[str, object]:
            return {"headers": headers}

        def validate_response(
            self, response: object, case: object, additional_checks: object = None, **_: object
        ) -> None:
            answered.append(response.status_code)
            assert response.status_code < 500 or response.status_code == 503, case.as_curl_command()
            case.validate_response(response, checks=SEQUENCE, headers=headers)

    Walk.run(
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    return len(answered)


def test_no_sequence_of_requests_breaks_the_api_or_uses_what_is_gone(house: House) -> None:
    assert walked(house, 3, 4) > 3


@pytest.mark.deep
def test_no_long_sequence_breaks_the_api_either(house: House) -> None:
    assert walked(house, 300, 12) > 1_000
