"""How much of each person and each skill a cut takes: nobody too much, and skills in the mix that was asked for.

Conversations stand in an order of their own, given by a keyed hash of each. Every limit takes the
first of that order that fit, so what is taken depends on no order of arrival, and somebody who leaves
changes nothing of what other people are limited to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import Invalid
from assent.pipeline.split import keyed_place

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS: Final = ("conversation", "person", "skill", "rows", "bytes")

_ENDLESS: Final = 1 << 62

OF_A_PERSON: Final = "balance: enough of this person"
OF_A_SKILL: Final = "balance: enough of this skill"


@dataclass(frozen=True, slots=True)
class BalanceTerms:
    """Limits of a cut; None is no limit.

    `conversations` and `rows` are the most of one person. `mix` gives shares of bytes by skill;
    they count against each other, so 3 and 1 are as good as 75 and 25. A skill the mix does not
    name is left out. The scarcest skill sets the size of the whole, for nothing is given twice; one
    of which there is nothing at all sets nothing.
    """

    conversations: int | None = None
    rows: int | None = None
    mix: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, limit in (("conversations", self.conversations), ("rows", self.rows)):
            if limit is not None and limit < 1:
                raise Invalid(f"a limit of `{limit}` {name} takes nothing", "name a number from 1, or none at all")
        if self.mix and (min(self.mix.values()) < 0 or not any(self.mix.values())):
            raise Invalid("shares of a mix are numbers from 0, and one of them is larger", 'such as {"coding": 2}')

    def describe(self) -> dict[str, Any]:
        """Return what the choice depends on besides conversations and key."""
        return {"conversations": self.conversations, "mix": dict(self.mix), "rows": self.rows, "version": 1}


def balance(table: pa.Table, terms: BalanceTerms, key: bytes) -> list[str | None]:
    """Tell for each row of a table of conversations why it is left out, None for those that are taken.

    Columns: conversation, person (null: nobody else's), skill, rows, bytes. Limits of people come
    first, and the mix is made of what they leave.
    """
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    conversations, people, skills, rows, sizes = columns
    order = sorted(
        range(len(conversations)),
        key=lambda at: (keyed_place(key, "balance", conversations[at]), conversations[at]),
    )
    reasons: list[str | None] = [None] * len(conversations)
    _limit_people(order, people, rows, terms, reasons)
    if terms.mix:
        _limit_skills([at for at in order if reasons[at] is None], skills, sizes, terms.mix, reasons)
    return reasons


def _limit_people(
    order: list[int], people: list[str | None], rows: list[int], terms: BalanceTerms, reasons: list[str | None]
) -> None:
    """Give each person the conversations that still fit under both limits, in order."""
    given: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    most = terms.conversations or _ENDLESS, terms.rows or _ENDLESS
    for at in order:
        person = people[at]
        taken, length = (0, 0) if person is None else given[person]
        if taken + 1 > most[0] or length + rows[at] > most[1]:
            reasons[at] = OF_A_PERSON
        elif person is not None:
            given[person] = taken + 1, length + rows[at]


def _limit_skills(
    order: list[int], skills: list[str], sizes: list[int], mix: Mapping[str, int], reasons: list[str | None]
) -> None:
    """Take of each skill what fits into its share of the largest whole that there is enough for."""
    there: dict[str, int] = defaultdict(int)
    for at in order:
        there[skills[at]] += sizes[at]
    each = min((Fraction(there[skill], share) for skill, share in mix.items() if share and there[skill]), default=0)
    left = {skill: int(each * share) for skill, share in mix.items()}
    for at in order:
        if sizes[at] <= left.get(skills[at], -1):
            left[skills[at]] -= sizes[at]
        else:
            reasons[at] = OF_A_SKILL
