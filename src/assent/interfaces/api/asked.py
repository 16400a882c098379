"""What requests about choices share: what an act is about, and who in the request is whom."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from assent.domain.choices import check_scope, project_target
from assent.domain.facts import Scope
from assent.interfaces.api.problems import NOT_BLANK
from assent.interfaces.api.resource import PLAIN, Input, Name

Subject = Annotated[
    str, Path(min_length=1, max_length=200, pattern=NOT_BLANK, description="The person, by your own id.")
]
ChoiceId = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)]


_EVERYTHING: Final[JsonDict] = {"properties": {"scope": {"enum": ["everything"]}, "target": {"type": "null"}}}
_ONE: Final[JsonDict] = {
    "properties": {"scope": {"enum": ["project", "conversation"]}, "target": {"type": "string"}},
    "required": ["scope", "target"],
}


class About(Input):
    """What an act is about: everything, or one project or conversation."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_EVERYTHING, _ONE]})

    scope: Scope = "everything"
    target: Name | None = Field(default=None, description="The name of the project, or the id of the conversation.")

    @property
    def place(self) -> tuple[Scope, str | None]:
        """The scope and its target as acts name it. Raises `Invalid` for one without the other."""
        check_scope(self.scope, self.target)
        target = self.target
        return self.scope, project_target(target) if self.scope == "project" and target is not None else target


class OfPerson(About):
    """Something about one person and one purpose."""

    subject: Name
    purpose: Name
