"""What kinds of harm there are: the fourteen MLCommons hazards, four finer names of our own, and names of others.

The hazards are those of the MLCommons AI Safety taxonomy as Llama Guard 3 numbers them (S1 to S14). Our own names
split a hazard that others report apart, so that a score can be said in anybody's words
(docs/reference/harm-categories.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Category(NamedTuple):
    """A kind of harm: our name, the hazard it belongs to, and how bad it is to miss it (1 to 3)."""

    name: str
    hazard: str
    severity: int
    title: str


CATEGORIES: Final = (
    Category("violent_crimes", "S1", 2, "Violence against people or animals"),
    Category("non_violent_crimes", "S2", 1, "Theft, fraud, drugs, trafficking, corruption"),
    Category("sex_crimes", "S3", 3, "Sexual violence, coercion and recording without consent"),
    Category("child_exploitation", "S4", 3, "Sexual abuse and exploitation of children"),
    Category("defamation", "S5", 1, "False claims that ruin a person or a firm"),
    Category("specialised_advice", "S6", 1, "Dangerous advice in place of a professional's"),
    Category("privacy", "S7", 1, "Private data of others, stalking, secret recording"),
    Category("intellectual_property", "S8", 1, "Copying what others own"),
    Category("indiscriminate_weapons", "S9", 3, "Weapons, explosives, poisons and germs"),
    Category("hate", "S10", 2, "Hatred of people for what they are"),
    Category("self_harm", "S11", 3, "Suicide, self-injury, eating disorders"),
    Category("sexual_content", "S12", 1, "Sexual content among adults"),
    Category("elections", "S13", 1, "Deceiving or hindering voters"),
    Category("code_abuse", "S14", 2, "Turning a code interpreter against its host"),
    Category("harassment", "S10", 1, "Insulting, bullying or threatening a person"),
    Category("graphic_violence", "S1", 1, "Gore"),
    Category("cybercrime", "S2", 2, "Attacks on computers and accounts"),
    Category("misinformation", "S6", 1, "Invented facts that are meant to be believed"),
)
"""Every category, in the order in which scores are written."""

NAMES: Final = tuple(category.name for category in CATEGORIES)
BY_NAME: Final = {category.name: category for category in CATEGORIES}

UNSCORED: Final = frozenset({"specialised_advice", "intellectual_property"})
"""Hazards with a name but no head: telling them apart needs to know whether the advice, or the owner, is real."""

SCORED: Final = tuple(name for name in NAMES if name not in UNSCORED)
"""The categories that our own detectors score."""

MAX_SEVERITY: Final = 3

OPENAI: Final[Mapping[str, tuple[str, ...]]] = {
    "harassment": ("harassment", "defamation"),
    "harassment/threatening": (),
    "hate": ("hate",),
    "hate/threatening": (),
    "illicit": ("non_violent_crimes", "cybercrime", "privacy", "code_abuse", "elections", "misinformation"),
    "illicit/violent": ("indiscriminate_weapons",),
    "self-harm": ("self_harm",),
    "self-harm/intent": (),
    "self-harm/instructions": (),
    "sexual": ("sexual_content", "sex_crimes", "child_exploitation"),
    "sexual/minors": ("child_exploitation",),
    "violence": ("violent_crimes", "graphic_violence", "indiscriminate_weapons"),
    "violence/graphic": ("graphic_violence",),
}
"""OpenAI's thirteen moderation names and ours that they cover. An empty one has no head of ours that says as much:
our answer gives it the smaller of the scores that it combines (`JOINED`)."""

JOINED: Final[Mapping[str, tuple[str, str]]] = {
    "harassment/threatening": ("harassment", "violence"),
    "hate/threatening": ("hate", "violence"),
    "self-harm/intent": ("self-harm", "self-harm"),
    "self-harm/instructions": ("self-harm", "self-harm"),
}
"""Of which two OpenAI names a name without a head of ours is the smaller."""

OF_OPENAI: Final[Mapping[str, str]] = {
    "harassment": "harassment",
    "harassment/threatening": "violent_crimes",
    "hate": "hate",
    "hate/threatening": "hate",
    "illicit": "non_violent_crimes",
    "illicit/violent": "indiscriminate_weapons",
    "self-harm": "self_harm",
    "self-harm/intent": "self_harm",
    "self-harm/instructions": "self_harm",
    "sexual": "sexual_content",
    "sexual/minors": "child_exploitation",
    "violence": "violent_crimes",
    "violence/graphic": "graphic_violence",
}
"""Which of our categories a score of OpenAI's moderation counts for."""

OF_LLAMA_GUARD: Final = {category.hazard: category.name for category in reversed(CATEGORIES)}
"""Which of our categories a hazard code in an answer of Llama Guard counts for."""

OF_SHIELD_GEMMA: Final[Mapping[str, str]] = {
    "dangerous": "violent_crimes",
    "harassment": "harassment",
    "hate": "hate",
    "sexual": "sexual_content",
}
"""ShieldGemma's four policies, and which of our categories each counts for."""


def to_openai(scores: Mapping[str, float]) -> dict[str, float]:
    """Say scores of ours in OpenAI's thirteen names."""
    said = {name: max((scores.get(ours, 0.0) for ours in covered), default=0.0) for name, covered in OPENAI.items()}
    return said | {name: min(said[one], said[other]) for name, (one, other) in JOINED.items()}
