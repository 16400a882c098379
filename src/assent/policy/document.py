"""The shape of a policy file, as typed values; the JSON Schema for editors comes from here.

`spec/policy.md` is the normative description, example first. This module only says what
may stand where; `build.py` turns a document into a `Policy` that can decide.
"""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from assent.domain.conversation import DataClass, Mode, Origin, Surface
from assent.domain.durations import Duration, parse_duration
from assent.domain.errors import Invalid

_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$",
    "description": "ISO 8601 duration longer than zero, as P30D, P5Y or PT72H",
}


def _duration(value: object) -> object:
    if isinstance(value, Duration):
        return value
    try:
        return parse_duration(value)  # type: ignore[arg-type]  # refuses what is not text
    except Invalid as problem:
        raise ValueError(f"{problem.message}; {problem.fix}") from None


def _duration_or(*words: str) -> BeforeValidator:
    def read(value: object) -> object:
        return value if value in words else _duration(value)

    return BeforeValidator(read)


Length = Annotated[Duration, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
LengthOrOnce = Annotated[
    Duration | Literal["at once"],
    _duration_or("at once"),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": "at once"}]}),
]
LengthOrKeep = Annotated[
    Duration | Literal["at once", "keep"],
    _duration_or("at once", "keep"),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"enum": ["at once", "keep"]}]}),
]
LengthOrEver = Annotated[
    Duration | Literal["indefinite"],
    _duration_or("indefinite"),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, {"const": "indefinite"}]}),
]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Words = Annotated[str, Field(min_length=3)]

Anchor = Literal[
    "retention anchor",
    "created",
    "last turn",
    "recorded",
    "deletion request",
    "account end",
    "flagged",
    "reviewed",
    "feedback",
    "choice given",
    "choice withdrawn",
    "policy effective or acknowledged",
    "case closed",
]
Event = Literal["deletion request", "account end", "move to a business plan"]
Happening = Literal["deletion request", "account end", "move to a business plan", "flagged", "reviewed", "feedback"]
RuleClass = Literal[
    "statutory ban",
    "hold",
    "statutory retention",
    "contract",
    "age or region",
    "mode",
    "origin or class",
    "safety exception",
    "feedback exception",
    "deletion",
    "withdrawal",
    "choice",
    "default",
]


T = TypeVar("T")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(_Table):
    """Where a statement comes from; every rule names one or says that there is none."""

    title: Words
    where: Words
    read: date
    mark: Literal["primary", "secondary", "measured", "inferred", "recalled"]


class Header(_Table):
    """What the file is: provider, version, and from when it binds."""

    provider: Slug
    version: Slug
    title: Words
    announced: datetime | None = None
    effective: datetime
    status: Literal["in force", "superseded", "announced", "reported"]
    supersedes: str | None = None
    acknowledgement_counts: bool
    summary: Words


class Parameters(_Table):
    """What published policies leave open and an operator must fill in (every key is mandatory)."""

    retention_anchor: Literal["created", "last turn", "recorded"]
    resume_scope: Literal["whole conversation", "new turns"]
    retention_on_withdrawal: LengthOrKeep
    regrant_revives_earlier_data: bool
    no_answer: Literal["decline", "block", "old terms continue"]
    max_defers: Annotated[int, Field(ge=0, le=100)]
    defer_cooldown: Length
    account_moves_to_org: Literal["earlier data stays under consumer terms", "earlier data is erased"]
    flag_reversed: Literal["base clock", "keep flag clock"]
    branch_or_edit_is_resume: bool
    shared_chat_participants: Literal["owner decides", "all must allow", "excluded"]
    export_copy: Literal["outside this policy", "erased with the original"]
    plan_change_mid_conversation: Literal["split at the change", "stricter plan for all"]
    answer_deadline: datetime | None = None
    basis: dict[str, str]


class Age(_Table):
    """An age test in full years: `{ below = 18 }` or `{ from = 18 }`."""

    below: Annotated[int, Field(ge=1, le=150)] | None = None
    from_: int | None = Field(default=None, alias="from", ge=1, le=150)


class NoneOf(_Table, Generic[T]):
    """Anything known that is not in the list: `{ not = ["score"] }`."""

    not_: list[T] = Field(alias="not", min_length=1)


class When(_Table):
    """Conditions over facts; all must hold. A list means any of its values."""

    plan: list[str] | NoneOf[str] | None = None
    region: list[str] | NoneOf[str] | None = None
    role: list[str] | NoneOf[str] | None = None
    surface: list[Surface] | NoneOf[Surface] | None = None
    mode: Mode | None = None
    data: list[DataClass] | NoneOf[DataClass] | None = None
    origin: list[Origin] | NoneOf[Origin] | None = None
    age: Age | None = None
    signed_in: bool | None = None
    happened: list[Happening] = []
    absent: list[Happening] = []
    part: Literal["since effective", "before effective"] | None = None


class Choice(_Table):
    """Which choice a grant needs: `allowed` needs an act, `unless declined` is a default that an act can end.

    A grant with a list of choices needs every one of them: a switch below another switch.
    """

    purpose: Slug
    needs: Literal["allowed", "unless declined"]
    covers: Literal["part and now", "now", "part"] | None = None


class Purpose(_Table):
    """A use of data. `cut` says whether parts may be taken into a cut for it."""

    says: Words
    cut: bool


class PickedLength(_Table):
    """A duration that the person may pick from a list."""

    default: LengthOrEver
    person_may_pick: Annotated[list[LengthOrEver], Field(min_length=1)]


class _Rule(_Table):
    id: Slug
    says: Words
    source: str
    rule_class: RuleClass = Field(alias="class")


class Grant(_Rule):
    """A basis to keep and use a part for one purpose, from an anchor, for a time."""

    purpose: Slug
    when: When = When()
    anchor: Anchor | None = None
    use_for: LengthOrEver | PickedLength
    bound: Literal["up to", "at least"] | None = None
    erase_after: LengthOrOnce | None = None
    choice: Choice | list[Choice] | None = None
    copies: list[str] = ["back end"]
    guardian_grant: bool = False
    owner: str | None = None
    review: date | None = None
    de_identification: Literal["none", "de-linked", "re-identifiable for enforcement", "anonymous"] = "none"


class ExceptionRule(Grant):
    """A grant that ignores caps or vetoes, and names each one it ignores."""

    ignores: list[Slug] | None = None


class Cap(_Rule):
    """An event that shortens grants of the named purposes."""

    event: Event
    purposes: Annotated[list[Slug], Field(min_length=1)]
    use_after: LengthOrOnce
    erase_after: LengthOrKeep


class Veto(_Rule):
    """A condition that takes purposes away."""

    when: When
    removes: Annotated[list[Slug], Field(min_length=1)]


class Withdrawal(_Table):
    """What taking a choice back does to each of the four objects it can touch."""

    future_data: Literal["not used"] | None = None
    stored_data: Literal["not used", "still used"] | None = None
    started_runs: Literal["continue", "stop"] | None = None
    finished_models: Literal["unchanged", "retrained"] | None = None
    says: Words
    source: str


class Holds(_Table):
    """Which holds the operator accepts; a hold adds the purpose `legal` only and blocks erasure."""

    scopes: list[Literal["person", "conversation", "query", "organisation", "everyone"]] | None = None
    author_required: bool | None = None
    review_every: Length | None = None
    says: Words
    source: str


class Copy(_Table):
    """A copy of the content. Only governed copies count for `erase_by`."""

    governed: bool
    says: Words


class Accepted(_Table):
    """A lint finding the operator has read and keeps, with the reason; it is then shown as a warning."""

    lint: Annotated[str, Field(pattern=r"^L([1-9]|1[0-6])$")]
    rule: str | None = None
    reason: Words


class Document(_Table):
    """A whole policy file."""

    assent: Literal[1]
    policy: Header
    parameters: Parameters
    sources: dict[Slug, Source]
    plans: dict[Slug, list[str]]
    regions: dict[str, list[str]] = {}
    purposes: dict[Slug, Purpose]
    copies: dict[str, Copy]
    grant: Annotated[list[Grant], Field(min_length=1)]
    exception: list[ExceptionRule] = []
    cap: list[Cap] = []
    veto: list[Veto] = []
    withdrawal: Withdrawal
    hold: Holds
    accepted: list[Accepted] = []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, for editors and other implementations."""
    schema = Document.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "assent policy file", **schema}
