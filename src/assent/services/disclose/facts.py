"""What a disclosure needs and no manifest holds: who the provider is, which model, what else it was trained on."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assent.domain.errors import Invalid, Place
from assent.policy.parse import Places

Words = Annotated[str, Field(min_length=1, max_length=10_000)]
Tokens = Annotated[int, Field(ge=0)]

EXAMPLE: Final = """\
[provider]
name = "Example AI Ltd"
contact = "1 Example Street, Dublin, privacy@ai.example"
# representative = "..."           # authorised representative, of a provider outside the Union

[model]
name = "example"
version = "2.1"
dependencies = "none"
placed_on_market = 2026-12-01
summary_version = "1"
continuous = false                 # trained on new data after that

[elsewhere]                        # what did not come from these cuts
text_tokens = 0
# text_types = "..."
# latest = 2025-06-30              # newest data
# languages = "..."

[user_data]
services = "the chat product and the coding assistant of Example AI"
other_services = false             # data from other services or products of the provider
# interactions = true              # left out: the cuts say it

[california]
owners = "the people who had the conversations; Example AI Ltd holds them under its terms"
purpose = "to teach the model how people ask and what helps them"
public_domain = false              # whether everything is
purchased = false
licensed = true
personal_information = true
aggregate_consumer_information = false
ongoing = true                     # whether collection goes on
first_used = 2026-05-04
synthetic_data = false

# [[elsewhere.modalities]]         # image, audio, video, other
# name = "image"
# size = "..."
# types = "..."

# [sections]                       # sections of the European template that cuts say nothing about
# "2.1" = "..."
"""
"""A file of facts with every key, for people who begin one."""

OPEN_SECTIONS: Final = {
    "2.1": "Publicly available datasets",
    "2.2": "Private non-publicly available datasets obtained from third parties",
    "2.3": "Data crawled and scraped from online sources",
    "2.5": "Synthetic data",
    "2.6": "Other sources of data",
    "3.1": "Respect of reservation of rights from text and data mining exception or limitation",
    "3.2": "Removal of illegal content",
    "3.3": "Other information",
}
"""Sections of the European template that no cut can answer."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProviderFacts(_Table):
    """Who places the model on the market. `representative` is needed of a provider outside the Union."""

    name: Words
    contact: Words
    representative: Words | None = None


class ModelFacts(_Table):
    """Which model, in which version, and which version of the summary this is."""

    name: Words
    version: Words
    dependencies: Words
    placed_on_market: date
    summary_version: Words
    continuous: bool


class Modality(_Table):
    """Training data that is no text: size and types in the provider's words."""

    name: Words
    size: Words
    types: Words


class Elsewhere(_Table):
    """Training data that did not come from cuts. `text_tokens` may be an estimate."""

    text_tokens: Tokens
    text_types: Words | None = None
    latest: date | None = None
    languages: Words | None = None
    modalities: tuple[Modality, ...] = Field(default=(), strict=False)


class UserData(_Table):
    """What section 2.4 asks. `interactions` is left to the cuts if it is None."""

    services: Words
    other_services: bool
    interactions: bool | None = None
    comments: Words | None = None


class California(_Table):
    """What section 3111 of the Civil Code of California asks and no cut knows."""

    owners: Words
    purpose: Words
    public_domain: bool
    purchased: bool
    licensed: bool
    personal_information: bool
    aggregate_consumer_information: bool
    ongoing: bool
    first_used: date
    synthetic_data: bool


class DisclosureFacts(_Table):
    """A whole file of facts. `california` is needed for California only, `user_data` for the Union only."""

    provider: ProviderFacts
    model: ModelFacts
    elsewhere: Elsewhere
    user_data: UserData | None = None
    california: California | None = None
    sections: dict[str, Words] = {}


def parse_facts(text: str, file: str) -> DisclosureFacts:
    """Read a file of facts. Raises `Invalid` with place and fix."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"this is not TOML: {str(error).lower()}", "correct the syntax", Place(file)) from None
    places = Places(text, file)
    try:
        facts = DisclosureFacts.model_validate(raw)
    except ValidationError as error:
        raise _problem(error.errors(include_url=False)[0], places) from None
    for name in facts.sections.keys() - OPEN_SECTIONS.keys():
        fix = f"use some of {', '.join(OPEN_SECTIONS)}; the others are answered from the cuts"
        raise Invalid(f"`{name}` is no section to fill in", fix, places.of(("sections", name)))
    return facts


def _problem(fault: Any, places: Places) -> Invalid:
    path = tuple(fault["loc"])
    name = ".".join(str(part) for part in path)
    if fault["type"] == "missing":
        fix = "add it; `assent disclose facts` prints a file with every key"
        return Invalid(f"`{name}` is missing", fix, places.of(path[:-1]))
    if fault["type"] == "extra_forbidden":
        fix = "take it out; `assent disclose facts` prints a file with every key"
        return Invalid(f"`{name}` is not known here", fix, places.of(path))
    return Invalid(f"`{name}`: {str(fault['msg']).lower()}", "correct the value", places.of(path))
