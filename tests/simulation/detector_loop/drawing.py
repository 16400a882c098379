"""False flags by round, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.simulation.detector_loop.world import Round


def false_flags_by_round(rounds: Sequence[Round]) -> bytes:
    """Draw the share of harmless texts flagged where nine in ten harmful ones are found, one bar a version."""
    import pygal  # its hook on imports must not see numpy being loaded

    drawn: Any = pygal.Bar(
        title="Harmless texts flagged at recall 0.9",
        show_legend=False,
        js=(),
        disable_xml_declaration=True,
        no_prefix=True,
        range=(0, max(one.false_flags for one in rounds)),
        width=640,
        height=360,
    )
    drawn.x_labels = [one.title for one in rounds]
    drawn.add("", [round(one.false_flags, 4) for one in rounds])
    content: str = drawn.render(is_unicode=True)
    return content.encode()
