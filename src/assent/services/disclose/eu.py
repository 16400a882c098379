"""The public summary of training content that Article 53(1)(d) of the EU AI Act asks of providers.

Sections, questions and size bands are those of the Commission's template (C(2025) 8311 of 5
December 2025). Sections 1.1 to 1.3 and 2.4 are answered here; of the others 3.1 says what the
cuts know, and the provider writes the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid, Refused
from assent.services.disclose.document import Disclosure, Item, Section
from assent.services.disclose.facts import OPEN_SECTIONS
from assent.services.disclose.training import Range, Training, training

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from typing import Any

    from assent.services.disclose.facts import DisclosureFacts, Elsewhere, UserData

LAW: Final = "Regulation (EU) 2024/1689, Article 53(1)(d)"
TITLE: Final = "Public Summary of Training Content for General-Purpose AI models"

BANDS: Final = (
    (10**9, "Less than 1 billion tokens"),
    (10**13 + 1, "1 billion to 10 trillion tokens"),
)
"""Size bands of text in section 1.3: each up to, and without, its number. What is larger is the last band."""

_LARGEST: Final = "More than 10 trillion tokens"

INTERACTIONS: Final = (
    "Was data from user interactions with the AI model (e.g. user input and prompts) used to train the model?"
)
OTHERS: Final = (
    "Was data collected from user interactions with the provider's other services or products used to train the model?"
)
"""The two questions of section 2.4, in the template's words."""


def disclose_eu(lineage: Sequence[Mapping[str, Any]], facts: DisclosureFacts, updated: date) -> Disclosure:
    """Fill in the template for one version of a model from the manifests of the cuts it was trained on.

    Raises `Refused` where the provider says that no interactions were used and the lineage
    holds some, and where the lineage is not exact enough for a band of sizes; `Invalid` where
    neither answers.
    """
    if facts.user_data is None:
        raise Invalid(
            "`user_data` is missing", "add `[user_data]`; `assent disclose facts` prints a file with every key"
        )
    summed = training(lineage)
    answered = {
        "1.1": _provider(facts),
        "1.2": _model(facts),
        "1.3": _modalities_and_size(facts, summed),
        "2.4": tuple(_user_data(facts.user_data, summed)),
    }
    titles = {
        "1.1": "Provider identification",
        "1.2": "Model identification",
        "1.3": "Modalities, overall training data size and other characteristics",
        "2.4": "User data",
        **OPEN_SECTIONS,
    }
    answered |= {number: _open(number, facts, summed) for number in OPEN_SECTIONS}
    sections = tuple(Section(number, titles[number], answered[number]) for number in sorted(titles))
    model = facts.model
    return Disclosure(LAW, TITLE, model.name, model.version, model.summary_version, updated, summed.cuts, sections)


def _provider(facts: DisclosureFacts) -> tuple[Item, ...]:
    provider = facts.provider
    return (
        Item("Provider name and contact details", f"{provider.name}, {provider.contact}", "provider"),
        Item("Authorised representative name and contact details", provider.representative or "N/A", "provider"),
    )


def _model(facts: DisclosureFacts) -> tuple[Item, ...]:
    model = facts.model
    return (
        Item("Versioned model name(s)", f"{model.name} {model.version}", "provider"),
        Item("Model dependencies", model.dependencies, "provider"),
        Item("Date of placement of the model on the Union market", model.placed_on_market.isoformat(), "provider"),
    )


def _modalities_and_size(facts: DisclosureFacts, summed: Training) -> tuple[Item, ...]:
    elsewhere = facts.elsewhere
    continuous = "is" if facts.model.continuous else "is not"
    items = [
        Item("Text: training data size", text_band(summed, elsewhere.text_tokens), "lineage and provider"),
        Item("Text: types of content", _types(summed, elsewhere), "lineage and provider"),
    ]
    for other in elsewhere.modalities:
        items.append(Item(f"{other.name}: training data size", other.size, "provider"))
        items.append(Item(f"{other.name}: types of content", other.types, "provider"))
    return (
        *items,
        Item(
            "Latest date of data acquisition/collection for model training",
            f"{_latest(summed, elsewhere)}. The model {continuous} continuously trained on new data after this date.",
            "lineage and provider",
        ),
        Item(
            "Description of the linguistic characteristics of the overall training data",
            _languages(summed, elsewhere),
            "lineage and provider",
        ),
    )


def text_band(summed: Training, elsewhere: int) -> str:
    """Name the band of the text that was trained on, in tokens. Raises `Refused` if the lineage fits several."""
    low, high = _band(summed.tokens.low + elsewhere), _band(summed.tokens.high + elsewhere)
    if low != high:
        whole = Range(summed.tokens.low + elsewhere, summed.tokens.high + elsewhere)
        fix = "count tokens in the cuts, or give the cuts of this version only"
        raise Refused(f"the text is {whole} tokens, which is no single band of the template", fix)
    return high


def _band(tokens: int) -> str:
    return next((words for limit, words in BANDS if tokens < limit), _LARGEST)


def _types(summed: Training, elsewhere: Elsewhere) -> str:
    said = []
    if summed.cuts:
        kinds = shares(summed.skills)
        said.append(
            f"Conversations of people with an AI system ({', '.join(summed.surfaces) or 'product unknown'}): "
            f"{summed.conversations} conversations of {summed.people} people"
            + (f"; by kind of work {kinds}" if kinds else "")
        )
    if elsewhere.text_types:
        said.append(elsewhere.text_types)
    return ". ".join(said) or "None"


def _latest(summed: Training, elsewhere: Elsewhere) -> str:
    """Name the month of the newest data, as the template writes it: MM/YYYY."""
    days = [summed.last[:10]] if summed.last else []
    days += [elsewhere.latest.isoformat()] if elsewhere.latest else []
    if not days:
        fix = "add `latest = YYYY-MM-DD` to [elsewhere]"
        raise Invalid("neither the cuts nor the facts say how new the newest data is", fix)
    year, month, _ = max(days).split("-")
    return f"{month}/{year}"


def _languages(summed: Training, elsewhere: Elsewhere) -> str:
    said = [f"of the conversations {shares(summed.languages)}"] if summed.languages else []
    said += [elsewhere.languages] if elsewhere.languages else []
    return "; ".join(said) or "Not recognised"


def shares(counts: Counter[str]) -> str:
    """Say counts as shares, largest first; empty for none. What was not recognised is `unknown`."""
    total = counts.total()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name or 'unknown'} {number / total:.1%}" for name, number in ordered if number)


def _user_data(said: UserData, summed: Training) -> Iterator[Item]:
    """Answer section 2.4. Where one chat was trained on, no statement makes the first answer `No`."""
    parts = summed.parts.high
    if said.interactions is False and parts:
        raise Refused(
            f"the cuts hold {parts:,} parts of conversations, so section 2.4 cannot say `No` to user interactions",
            "take `interactions = false` out of [user_data]",
        )
    if said.interactions is None and not summed.cuts:
        fix = "name the cuts with --cut, or add `interactions` to [user_data]"
        raise Invalid("neither cuts nor facts say whether user interactions were used", fix)
    used = bool(parts) or bool(said.interactions)
    yield Item(INTERACTIONS, _yes(used), "lineage" if parts else "provider")
    yield Item(OTHERS, _yes(said.other_services), "provider")
    if not used and not said.other_services:
        return
    yield Item(
        "General description of the services or products that were used to collect the data", said.services, "provider"
    )
    yield Item("Type of modality covered", "Text", "lineage" if parts else "provider")
    comments = [*_consent(summed), *([said.comments] if said.comments else [])]
    if comments:
        yield Item("Additional comments", " ".join(comments), "lineage and provider" if said.comments else "lineage")


def _consent(summed: Training) -> Iterator[str]:
    """Say what the cuts know beyond the questions: whose data it is, on what ground, and what was done to it."""
    if not summed.cuts:
        return
    yield (
        f"{summed.parts} parts of {summed.people} people. Each part carries the id of the person's own choice to allow "
        "it, or of the flag or feedback that an exception of the published policy names; a default is no proof."
    )
    if "voice" in summed.modalities:
        yield "Of what people spoke, the transcript was used and not the sound."
    if "redact" in summed.blocks:
        found = f" ({summed.found.total():,} findings)" if summed.found else ""
        yield f"Personal data and secrets that were found{found} were replaced by made-up values before training."


def _open(number: str, facts: DisclosureFacts, summed: Training) -> tuple[Item, ...]:
    items = []
    if number == "3.1" and "reservations" in summed.blocks:
        answer = (
            "Pages that tools fetched during conversations, and whose publisher reserves the training of models "
            "(`Content-Usage: train-ai=n` or the TDM reservation protocol), were left out."
        )
        items.append(Item("Measures implemented before model training", answer, "lineage"))
    if number in facts.sections:
        items.append(Item(OPEN_SECTIONS[number], facts.sections[number], "provider"))
    return tuple(items)


def _yes(answer: bool) -> str:  # noqa: FBT001 - the answer itself
    return "Yes" if answer else "No"
