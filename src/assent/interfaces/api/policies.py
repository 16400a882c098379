"""The policies in force, as published: the text that people and machines read, under its digest."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from assent.domain.errors import NotFound
from assent.interfaces.api.resource import Instant, Output, problems, resource
from assent.interfaces.api.world import World


class PolicyEntry(Output):
    """One version of a policy."""

    name: str
    digest: str
    effective: Instant
    plans: list[str]


class PolicyList(Output):
    """Every version in force, oldest first."""

    policies: list[PolicyEntry]


class PolicyText(Output):
    """A version of a policy with the file it was read from."""

    name: str
    digest: str
    text: str


def router(world: World) -> APIRouter:
    """Return the policies' routes; they need no token, as a published policy is for everybody."""
    routes = resource("policies")
    entries = [
        PolicyEntry(name=policy.name, digest=policy.digest, effective=policy.effective, plans=sorted(policy.plans))
        for policy, _ in world.policies
    ]
    texts = {
        policy.digest: PolicyText(name=policy.name, digest=policy.digest, text=text) for policy, text in world.policies
    }

    @routes.get("/v1/policies")
    async def list_policies() -> PolicyList:
        """List the policies in force, oldest first."""
        return PolicyList(policies=entries)

    @routes.get("/v1/policies/{digest}", responses=problems(404))
    def read_policy(digest: Annotated[str, Path(max_length=128)]) -> PolicyText:
        """Read a policy that is, or once was, in force here, by its digest."""
        found = texts.get(digest)
        if found is not None:
            return found
        kept = world.store.policy(digest)
        if kept is None:
            raise NotFound("there is no policy under this digest", "list the policies to see their digests")
        return PolicyText(name=kept.name, digest=kept.digest, text=kept.text)

    return routes
