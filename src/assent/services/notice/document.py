"""The shape of a notice manifest, as typed values; the JSON Schema for editors comes from here.

`spec/notice.md` is the normative description, example first. The shape can also describe a
bad notice (a preset switch, a faint refusal, other words for another variant): clients that
draw a notice themselves are described here too, and `lint.py` has to see what they do.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Words = Annotated[str, Field(min_length=1)]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]

Act = Literal["allow", "decline", "defer"]
Layout = Literal["stacked", "side-by-side", "table"]
Surface = Literal["html", "fragment", "terminal", "json", "markdown"]

LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
SURFACES: Final[tuple[Surface, ...]] = get_args(Surface)
"""Where a notice can be shown. `html` is a page, `fragment` the same question to stand in a page."""

OPEN: Final = "to be filled in"
"""What a generated manifest says where no policy knows; the lint asks to replace it."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Table):
    """Which notice this is, for which policy, and how it behaves.

    `closing` is what closing, scrolling or waiting does, `entering` what a bare Enter does:
    only `nothing` and `defer` are honest (R01, R08). `surfaces` are the places that show it.
    """

    name: Slug
    version: Slug
    policy: Words
    service: Words
    purposes: Annotated[list[Slug], Field(min_length=1)]
    order: Literal["random", "decline first", "allow first"] = "random"
    closing: Literal["nothing", "defer", "decline", "allow"] = "nothing"
    entering: Literal["nothing", "defer", "decline", "allow"] = "nothing"
    deadline_shown: Literal["date", "countdown"] = "date"
    surfaces: list[Surface] = list(SURFACES)
    layouts: Annotated[list[Layout], Field(min_length=1)] = list(LAYOUTS)
    jurisdictions: Annotated[list[Words], Field(min_length=1)]
    storage_locations: Annotated[list[Words], Field(min_length=1)]
    rights: list[Words] = ["access", "rectification", "erasure", "portability", "complaint", "withdrawal"]
    policy_url: Words


class Party(_Table):
    """A legal person: who asks. `identifier` is a register number or another name that is unique."""

    name: Words
    identifier: Words
    contact: Words
    address: Words
    url: str = ""
    email: str = ""


class Recipient(Party):
    """Who else gets the data, and in which part; `says` is the name as each locale says it."""

    role: Literal["processor", "recipient", "joint controller", "third party", "authority"]
    says: dict[Locale, Words] = {}


class Control(_Table):
    """One control of the question, as a client draws it; the defaults are what is honest.

    `steps` counts the activations from the first view to a recorded answer. `accepts` names
    what the same act agrees to beside the choice.
    """

    act: Act
    kind: Literal["button", "switch", "link"] = "button"
    emphasis: Literal["equal", "strong", "faint"] = "equal"
    preset: bool = False
    focused: bool = False
    steps: Annotated[int, Field(ge=1, le=20)] = 1
    accepts: list[Words] = []


class Variant(_Table):
    """An arm of an experiment. It may differ in `layout` only; `words` is where a bad one differs in words (R52)."""

    id: Slug
    layout: Layout
    words: dict[str, str] = {}


class Experiment(_Table):
    """What is tried on people, and by what it is judged."""

    measures: Annotated[list[Literal["comprehension", "recall", "regret", "allow rate"]], Field(min_length=1)]
    variants: Annotated[list[Variant], Field(min_length=2)]


class Way(_Table):
    """Where an answer is changed or taken back, and in how many activations from any chat."""

    address: Words
    steps: Annotated[int, Field(ge=1, le=20)]


class FeedbackControl(_Table):
    """How ratings are sent (R40): whether the words are shown before it, and whether a rating alone can be sent."""

    shown: Literal["before sending", "after sending"]
    rating_alone: bool


class Omission(_Table):
    """Facts that one surface leaves out. An honest notice leaves out none (R15)."""

    surface: Surface
    facts: Annotated[list[Words], Field(min_length=1)]


class Text(_Table):
    """The sentences of a notice in one locale, one key per slot; placeholders in braces come from the policy."""

    data_kinds: Words | None = None
    not_asked: Words | None = None
    use_allowed: Words | None = None
    retention_allowed: Words | None = None
    resume: Words | None = None
    review_allowed: Words | None = None
    use_declined: Words | None = None
    retention_declined: Words | None = None
    review_declined: Words | None = None
    deletion: Words | None = None
    exceptions: Words | None = None
    recipients: Words | None = None
    withdrawal: Words | None = None
    undo: Words | None = None
    deadline: Words | None = None
    no_answer: Words | None = None
    change: Words | None = None


class Headings(_Table):
    """What stands above each group of sentences; the last group is headed by the deadline."""

    allow: Words
    decline: Words
    either: Words
    back: Words
    undo: Words


class Labels(_Table):
    """What the controls say. A switch needs both of its states in words (R09)."""

    allow: Words
    decline: Words | None = None
    defer: Words | None = None
    on: Words | None = None
    off: Words | None = None


class Feedback(_Table):
    """What is said where people rate an answer, and the two things they can do (R40)."""

    says: Words
    send: Words
    rating_only: Words | None = None


class Phrases(_Table):
    """Words for the values that follow from a policy; assent ships them for its own locales."""

    data: dict[str, Words]
    use: dict[str, Words] = {}
    anchor: dict[str, Words]
    kept: dict[Literal["up to", "at least", "no end", "not kept"], Words]
    survivor: dict[str, Words]
    survivor_form: Words
    survivor_use: dict[Literal["all", "some", "none"], Words]
    nothing: Words
    law: Words
    resume: dict[Literal["whole conversation", "new turns"], Words]
    future_data: dict[Literal["not used"], Words]
    stored_data: dict[Literal["not used", "still used"], Words]
    started_runs: dict[Literal["continue", "stop"], Words]
    finished_models: dict[Literal["unchanged", "retrained"], Words]
    withdrawal_retention: dict[Literal["within", "at once", "keep"], Words]
    no_answer: dict[Literal["decline", "block", "old terms continue", "default"], Words]
    deadline: dict[Literal["by", "none"], Words]
    deletion: dict[Literal["within", "at once", "keep", "none"], Words]
    nobody: Words


class Wording(_Table):
    """Everything a notice says in one locale. `phrases` is only for locales that assent does not ship."""

    questions: dict[Slug, Words]
    uses: dict[Slug, Words]
    change: Words
    withdraw: Words
    text: Text
    headings: Headings
    labels: Labels
    exceptions: dict[Slug, Words] = {}
    feedback: Feedback | None = None
    phrases: Phrases | None = None


class ManifestDocument(_Table):
    """A whole manifest."""

    assent: Literal[1]
    notice: Header
    controller: Party
    recipients: list[Recipient]
    control: Annotated[list[Control], Field(min_length=1)]
    change: Way
    withdraw: Way
    feedback: FeedbackControl | None = None
    experiment: Experiment | None = None
    omission: list[Omission] = []
    locale: Annotated[dict[Locale, Wording], Field(min_length=1)]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a notice manifest, for editors and other implementations."""
    schema = ManifestDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "assent notice manifest"}
