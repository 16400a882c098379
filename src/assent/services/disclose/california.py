"""What California asks developers to post about training data: Civil Code section 3111 (AB 2013), twelve items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assent.domain.errors import Invalid, Refused
from assent.services.disclose.document import Disclosure, Item, Section
from assent.services.disclose.eu import shares
from assent.services.disclose.training import Training, training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from typing import Any

    from assent.services.disclose.facts import California, DisclosureFacts

LAW: Final = "California Civil Code, section 3111 (AB 2013)"
TITLE: Final = "Documentation of the data used to train a generative artificial intelligence system"

WHY: Final = {
    "reservations": "to leave out pages whose publisher reserves the training of models",
    "normalise": "to make line ends and invisible characters uniform",
    "redact": "to replace personal data and secrets by made-up values",
    "language": "to recognise the language",
    "quality": "to leave out conversations that teach nothing",
    "skill": "to recognise the kind of work",
    "decontaminate": "to leave out conversations that repeat a benchmark",
    "dedup": "to keep one of several nearly equal conversations",
    "balance": "to limit what one person contributes",
    "split": "to keep people apart who are tested on and trained on",
    "tokenise": "to count tokens",
}
"""What each block is for, as item 9 asks."""


def disclose_california(lineage: Sequence[Mapping[str, Any]], facts: DisclosureFacts, updated: date) -> Disclosure:
    """Answer the twelve items for one version of a model from the manifests of the cuts it was trained on.

    Raises `Refused` where the provider says that the data is all in the public domain, or holds
    no personal information, and the lineage holds what people wrote; `Invalid` without facts.
    """
    said = facts.california
    if said is None:
        fix = "add `[california]`; `assent disclose facts` prints a file with every key"
        raise Invalid("`california` is missing", fix)
    summed = training(lineage)
    _refuse_what_cuts_contradict(said, summed)
    model = facts.model
    answers = (*_what_it_is(said, facts, summed), *_whose_it_is(said, summed), *_what_was_done(said, summed))
    sections = tuple(
        Section(str(number), question, (Item(question, answer, basis),))
        for number, (question, answer, basis) in enumerate(answers, 1)
    )
    return Disclosure(LAW, TITLE, model.name, model.version, model.summary_version, updated, summed.cuts, sections)


def _refuse_what_cuts_contradict(said: California, summed: Training) -> None:
    if said.public_domain and summed.parts.high:
        problem = (
            f"the cuts hold {summed.parts.high:,} parts that people and models wrote, which is not all public domain"
        )
        raise Refused(problem, "set `public_domain = false` in [california]")
    if not said.personal_information and summed.people.high:
        problem = (
            f"the cuts hold what {summed.people.high:,} people wrote, so `No` to personal information cannot stand"
        )
        raise Refused(problem, "set `personal_information = true`: text under pseudonyms is still about a person")


def _what_it_is(said: California, facts: DisclosureFacts, summed: Training) -> tuple[tuple[str, str, Any], ...]:
    products = f" Conversations with: {', '.join(summed.surfaces)}." if summed.surfaces else ""
    elsewhere = facts.elsewhere.text_types
    kinds = shares(summed.skills)
    languages = shares(summed.languages)
    return (
        ("Sources or owners of the datasets", f"{said.owners}.{products}", "lineage and provider"),
        ("How the datasets further the intended purpose of the system", said.purpose, "provider"),
        (
            "Number of data points included in the datasets",
            f"{summed.conversations} conversations, in {summed.parts} parts, of {summed.people} people."
            + (f" Besides, {facts.elsewhere.text_tokens:,} tokens of text from elsewhere." if elsewhere else ""),
            "lineage and provider" if elsewhere else "lineage",
        ),
        (
            "Types of data points within the datasets",
            "Messages of people, answers of models, and what tools returned."
            + (f" Labelled by kind of work: {kinds}." if kinds else "")
            + (f" Labelled by language: {languages}." if languages else "")
            + (f" {elsewhere}" if elsewhere else ""),
            "lineage and provider" if elsewhere else "lineage",
        ),
    )


def _whose_it_is(said: California, summed: Training) -> tuple[tuple[str, str, Any], ...]:
    protected = (
        "The datasets are entirely in the public domain."
        if said.public_domain
        else "Yes, they include data protected by copyright, trademark or patent; not all is in the public domain."
    )
    personal = _yes(said.personal_information)
    if summed.cuts:
        personal += (
            f". {summed.people} people allowed the use of their conversations. They are named by keyed pseudonyms, and "
            "what they wrote may tell who they are."
        )
    return (
        ("Whether the datasets include data protected by copyright, trademark or patent", protected, "provider"),
        (
            "Whether the datasets were purchased or licensed by the developer",
            f"Purchased: {_yes(said.purchased)}. Licensed: {_yes(said.licensed)}.",
            "provider",
        ),
        ("Whether the datasets include personal information", personal, "lineage and provider"),
        (
            "Whether the datasets include aggregate consumer information",
            _yes(said.aggregate_consumer_information),
            "provider",
        ),
    )


def _what_was_done(said: California, summed: Training) -> tuple[tuple[str, str, Any], ...]:
    steps = [f"{name} ({WHY.get(name, 'see the recipe')})" for name in summed.blocks]
    cleaned = f"Yes: {', '.join(steps)}. {summed.left_out:,} parts were left out by these steps." if steps else "No."
    period = (
        f"{summed.first[:10]} to {summed.last[:10]}" if summed.first and summed.last else "not known from the sources"
    )
    ongoing = "Collection goes on." if said.ongoing else "Collection has ended."
    synthetic = _yes(said.synthetic_data)
    if summed.cuts:
        synthetic += ". The conversations include the answers that AI models gave in them."
    return (
        ("Cleaning, processing or other modification, and its purpose", cleaned, "lineage"),
        ("Time period during which the data was collected", f"{period}. {ongoing}", "lineage and provider"),
        ("Dates the datasets were first used", said.first_used.isoformat(), "provider"),
        ("Whether synthetic data generation was or is used", synthetic, "lineage and provider"),
    )


def _yes(answer: bool) -> str:  # noqa: FBT001 - the answer itself
    return "Yes" if answer else "No"
