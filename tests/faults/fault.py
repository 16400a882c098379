"""A fault: what is wrong, the file, the old text, which stands exactly once in it, and the new text."""

from __future__ import annotations

from typing import Final, NamedTuple

SAMPLED: Final = (
    "use goes on at the very instant of its end",
    "the first veto is ignored",
    "an unknown fact is taken for a yes",
    "set query: a run of choices still holds at its end",
    "set query: vetoes are ignored",
    "set query: an unknown veto is taken for none",
)
SET_SIDE: Final = (
    "policy/compile.py",
    "policy/compile_versions.py",
    "policy/runs.py",
    "policy/rows.py",
    "store/columns.py",
)


class Fault(NamedTuple):
    """One wrong edit; `equivalent` gives the reason if it changes nothing that a decision shows."""

    name: str
    file: str
    old: str
    new: str
    equivalent: str = ""

    @property
    def side(self) -> str:
        """Tell which evaluator it is in; what both share counts as the reference's."""
        return "set" if self.file in SET_SIDE else "reference"

    @property
    def sample(self) -> bool:
        """Tell whether it is tried in every run of the suite."""
        return self.name in SAMPLED
