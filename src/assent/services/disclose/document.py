"""A disclosure: sections of questions and answers, each with where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from datetime import date

Basis = Literal["lineage", "provider", "lineage and provider"]
"""Who answers: the manifests of the cuts, the provider, or the first with words of the second."""

FORM: Final = 1
"""Version of the JSON form."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question of the law and its answer."""

    question: str
    answer: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section. Without items nobody has answered it yet."""

    number: str
    title: str
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What is to be published about one version of one model.

    `cuts` are name, number and digest of the manifest of each cut that answers are made from;
    `updated` is the day on which it was made.
    """

    law: str
    title: str
    model: str
    version: str
    summary_version: str
    updated: date
    cuts: tuple[tuple[str, int, str], ...]
    sections: tuple[Section, ...]

    def to_record(self) -> dict[str, Any]:
        """Write the JSON form."""
        return {
            "assent_disclosure": FORM,
            "law": self.law,
            "title": self.title,
            "model": self.model,
            "version": self.version,
            "summary_version": self.summary_version,
            "updated": self.updated.isoformat(),
            "cuts": [{"name": name, "number": number, "manifest": found} for name, number, found in self.cuts],
            "sections": [
                {
                    "number": section.number,
                    "title": section.title,
                    "items": [
                        {"question": item.question, "answer": item.answer, "basis": item.basis}
                        for item in section.items
                    ],
                }
                for section in self.sections
            ],
        }
