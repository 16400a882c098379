"""All kinds of connectors by name. The module of a kind is loaded when it is first used.

A kind is a module with `SUMMARY`, `Settings` and `connect` (`Kind`). Those that come with assent lie in
`connectors/<kind>/product.py`; a package of somebody else names its module in its pyproject.toml:

    [project.entry-points."assent.connectors"]
    my-chat = "my_chat.assent_connector"
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, Final, Protocol, cast

from assent.connectors.port import Product
from assent.connectors.table import Secret, Table
from assent.domain.errors import AssentError, NotFound

GROUP: Final = "assent.connectors"
"""The entry points by which other packages add kinds."""

KINDS: Final = {
    "coding-agents": "assent.connectors.coding_agents.product",
    "files": "assent.connectors.files.product",
    "lake": "assent.connectors.lake.product",
    "langfuse": "assent.connectors.langfuse.product",
    "librechat": "assent.connectors.librechat.product",
    "litellm": "assent.connectors.litellm.product",
    "open-webui": "assent.connectors.open_webui.product",
    "opendsr": "assent.connectors.opendsr.product",
    "phoenix": "assent.connectors.phoenix.product",
    "sql": "assent.connectors.sql.product",
}
"""Kinds that come with assent, and where each is; one whose module is not installed is none."""


class Kind(Protocol):
    """The module of a kind."""

    SUMMARY: str
    """What it connects, in a line."""

    Settings: type[Table]
    """The keys of its file."""

    def connect(self, settings: Any, secret: Secret) -> Product:
        """Return the system that these settings name; nothing is asked of it before a method is called.

        `settings` is an instance of `Settings`. Raises `AssentError` for settings that cannot be meant.
        """
        ...


def kinds() -> dict[str, str]:
    """Give every kind that is installed with its module, by name; what comes with assent cannot be replaced."""
    others = {one.name: one.value for one in entry_points(group=GROUP)}
    return dict(sorted({**others, **{name: path for name, path in KINDS.items() if _installed(path)}}.items()))


def kind(name: str) -> Kind:
    """Load a kind. Raises `NotFound` with the nearest name, `AssentError` if something that it needs is missing."""
    known = kinds()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"known kinds: {', '.join(known)}"
        raise NotFound(f"there is no kind of connector `{name}`", fix)
    try:
        return cast("Kind", import_module(known[name]))
    except ModuleNotFoundError as problem:
        fix = "install what the kind asks for (docs/reference/systems.md)"
        raise AssentError(f"connecting `{name}` needs `{problem.name}`, which is not installed", fix) from None


def _installed(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except ModuleNotFoundError:
        return False
