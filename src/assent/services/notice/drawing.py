"""What the surfaces draw: one question in words, with what names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assent.domain.errors import Invalid

if TYPE_CHECKING:
    from assent.services.notice.document import Act, Layout
    from assent.services.notice.facts import PolicyFacts
    from assent.services.notice.parse import Manifest
    from assent.services.notice.wording import Question


@dataclass(frozen=True, slots=True)
class Drawing:
    """One question, its arrangement and the order of its options."""

    manifest: Manifest
    facts: PolicyFacts
    question: Question
    layout: Layout
    options: tuple[Act, ...]

    @property
    def notice_name(self) -> str:
        """The notice as a person can quote it: name and version."""
        return f"{self.manifest.name} {self.manifest.version}"

    @property
    def names(self) -> tuple[str, ...]:
        """The lines that name what was shown; they are not part of the first layer's words."""
        return (
            f"{self.facts.policy} {self.facts.digest}",
            f"{self.notice_name} {self.manifest.digest}",
            f"{self.layout} {self.question.locale}",
        )

    def label(self, act: Act) -> str:
        """Return what the control of an act says. Raises `Invalid` if the locale has no words for it."""
        label = self.question.labels.get(act)
        if label is None:
            locale = self.question.locale
            raise Invalid(f"`{locale}` has no label for `{act}`", f'add `{act} = "..."` to `[locale.{locale}.labels]`')
        return label
