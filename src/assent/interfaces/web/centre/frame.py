"""What every page of the privacy centre has: the way around, the languages, and names of purposes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from assent.services.centre.rows import rule_says

if TYPE_CHECKING:
    from starlette.responses import Response

    from assent.interfaces.web.visit import Visit
    from assent.policy.model import Policy

PLACES: Final = (
    ("home", "/me"),
    ("chats", "/me/chats"),
    ("projects", "/me/projects"),
    ("choices", "/me/choices"),
    ("sets", "/me/training-sets"),
    ("flags", "/me/flags"),
    ("requests", "/me/requests"),
    ("erased", "/me/erased"),
    ("download", "/me/download"),
)

LANGUAGES: Final = (
    ("ar", "العربية"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("sv", "Svenska"),
)
"""Each language by its own name, whatever the page is in."""


def show(visit: Visit, name: str, here: str, **values: Any) -> Response:
    """Draw a page of the privacy centre; `here` says where it is in the way around."""
    return visit.page(
        f"centre/{name}.html",
        here=here,
        places=PLACES,
        languages=LANGUAGES,
        name_of=lambda purpose: purpose_name(visit, purpose),
        says=lambda rule: rule_says(policies_of(visit), rule),
        **values,
    )


def purpose_name(visit: Visit, purpose: str) -> Markup:
    """Name a purpose in the visitor's language; one that only the policy knows by its word there."""
    key = f"purposes.{purpose}"
    if key in visit.words:
        return visit.words.text(key)
    return Markup('<span lang="en" dir="ltr">{}</span>').format(purpose)


def policies_of(visit: Visit) -> list[Policy]:
    """Return the versions in force, oldest first."""
    return [policy for policy, _ in visit.world.policies]


def window_of(visit: Visit) -> timedelta:
    """Say for how long what was deleted can be brought back."""
    return timedelta(days=visit.world.settings.quarantine_days)
