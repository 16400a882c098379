"""The shape of a campaign file, as typed values; the JSON Schema for editors comes from here.

`spec/campaign.md` is the normative description, example first. This module only says what may
stand where; `definition.py` turns a document into a `Campaign` under its policy.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assent.policy.document import Length, NoneOf, Slug, Words

MAX_ITEMS = 1_000
"""The most plans, regions or reminders one list may name."""

SHORTEST_BLOCK_OF_ANSWERS = 30
"""The fewest answers an arm may be judged by: below it a two-proportion interval says nothing (spec/campaign.md)."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Header(_Table):
    """Which campaign this is: what is asked, by which notice, from when until when, and what silence does.

    `no_answer` is `decline` or `block`; there is no value by which silence allows.
    """

    id: Slug
    title: Words
    notice: Words
    policy: Words
    purposes: Annotated[list[Slug], Field(min_length=1, max_length=MAX_ITEMS)]
    start: datetime
    deadline: datetime
    no_answer: Literal["decline", "block"]
    escape: Annotated[list[Literal["export", "read only"]], Field(min_length=1)] | None = None
    grace: Length | None = None
    reminders: Annotated[list[Length], Field(max_length=MAX_ITEMS)] = []


class Ages(_Table):
    """Full years: from `from`, and below `below` if it is there. Who has no known age is not asked."""

    from_: int = Field(alias="from", ge=1, le=150)
    below: int | None = Field(default=None, ge=1, le=150)


class Whom(_Table):
    """Facts of the accounts that are asked. `plans` are consumer plans, or groups of them, of the policy."""

    plans: Annotated[list[str], Field(min_length=1, max_length=MAX_ITEMS)]
    ages: Ages
    regions: Annotated[list[str], Field(min_length=1, max_length=MAX_ITEMS)] | NoneOf[str] | None = None
    created_before: datetime | None = None
    signed_in: bool | None = None


class Defers(_Table):
    """How often a person may put it off, and how long they are then left alone."""

    max: Annotated[int, Field(ge=0, le=100)]
    cool_down: Length


class SignUp(_Table):
    """New people are asked when they sign up, and have their own deadline."""

    deadline: Length | Literal["before first use"]


class Alarm(_Table):
    """From which difference of allow rates on, in percentage points, and from how many answers of each side."""

    threshold: Annotated[int, Field(ge=1, le=50)]
    answers: Annotated[int, Field(ge=SHORTEST_BLOCK_OF_ANSWERS, le=1_000_000)]


class CampaignDocument(_Table):
    """A whole campaign file."""

    assent: Literal[1]
    campaign: Header
    audience: Whom
    defers: Defers
    layouts: Annotated[dict[Slug, Annotated[int, Field(ge=0, le=1_000_000)]], Field(min_length=1, max_length=100)]
    alarm: Alarm
    sign_up: SignUp | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a campaign file, for editors and other implementations."""
    schema = CampaignDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "assent campaign file"}
