"""Analysis with small tables and puzzles with worked steps. Every number in an answer is computed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

from assent.services.demo.chance import Chance, shuffled
from assent.services.demo.turns import Draft, Exchange, call, text, thought

_MONTHS: Final = ("January", "February", "March", "April", "May", "June")
_ROWS: Final = (
    ("shop", ("Harbour", "Station", "Old Town", "Airport", "Mill Lane", "Riverside")),
    ("product", ("lamp oil", "wicks", "glass domes", "travel cases", "gift cards", "candles")),
    ("line", ("Tram 1", "Tram 4", "Bus 12", "Night bus", "Ferry", "Cable car")),
    ("crop", ("barley", "beets", "clover", "rye", "oats", "peas")),
    ("clinic", ("North", "South", "Lakeside", "Hillside", "Centre", "Forest")),
)
_MEASURES: Final = ("sales", "visitors", "complaints", "hours", "orders", "returns", "rides", "deliveries")


def analysis(chance: Chance) -> Draft:
    """Write a question about a small table: what grew most, what share, what stands out."""
    unit, names = chance.choice(_ROWS)
    measure = chance.choice(_MEASURES)
    rows = {name: _series(chance) for name in chance.sample(names, chance.randrange(3, 6))}
    months = _MONTHS[: len(next(iter(rows.values())))]
    table = _table([unit, *months], [[name, *map(str, values)] for name, values in rows.items()])
    asked = chance.choice(
        (
            f"Here are our {measure} by {unit}. Which grew most from {months[0]} to {months[-1]}, and by how much?",
            f"Please look at these {measure} per {unit} and tell me what stands out. I present it on Thursday.",
            f"I copied the {measure} of each {unit} below. What is growing, and what share does the largest have?",
        )
    )
    growth = {name: (values[-1] - values[0]) * 100 / values[0] for name, values in rows.items()}
    totals = {name: sum(values) for name, values in rows.items()}
    best, largest, whole = (
        max(growth, key=growth.__getitem__),
        max(totals, key=totals.__getitem__),
        sum(totals.values()),
    )
    result = _table(
        [unit, "total", "share", "growth"],
        [[name, str(totals[name]), f"{totals[name] * 100 / whole:.1f} %", f"{growth[name]:+.1f} %"] for name in rows],
    )
    answer = (
        f"**{best}** has the highest rate: {growth[best]:+.1f} % from {months[0]} ({rows[best][0]}) to {months[-1]} "
        f"({rows[best][-1]}).\n\n{result}\n\n{largest} has the largest share, {totals[largest] * 100 / whole:.1f} % of "
        f"{whole} {measure}. "
        + chance.choice(
            (
                "With so few months I would not read a season into it.",
                "A single good month can make such a rate; the total is the steadier figure.",
                "If prices changed in between, compare pieces and not money.",
            )
        )
    )
    first = Exchange((text(f"{asked}\n\n{table}"),), (text(answer),))
    if chance.random() < 0.35:
        code = f"rows = {rows!r}\nprint({{name: round((v[-1] - v[0]) * 100 / v[0], 1) for name, v in rows.items()}})"
        output = repr({name: round(value, 1) for name, value in growth.items()})
        first = Exchange(first.asked, (call("python", output, code=code), *first.answered), frozenset({"tool call"}))
    exchanges = [first]
    if chance.random() < 0.6:
        name = chance.choice(list(rows))
        mean = totals[name] / len(months)
        top = max(rows[name])
        exchanges.append(
            Exchange(
                (text(f"And the average for {name}?"),),
                (text(f"{totals[name]} / {len(months)} = {mean:.1f} {measure} a month; the best month had {top}, "
                      f"{(top - mean) * 100 / mean:.0f} % more."),),
            )
        )  # fmt: skip
    return Draft(f"{measure.capitalize()} by {unit}", tuple(exchanges), frozenset({"analysis"}))


def _series(chance: Chance) -> list[int]:
    start, drift = chance.randrange(40, 900), chance.randrange(-9, 22)
    return [max(5, start + start * drift * month // 100 + chance.randrange(-20, 21)) for month in range(6)]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


Puzzle = tuple[str, str, list[str], str]
"""Title, question, worked steps, answer."""


def _together(chance: Chance) -> Puzzle:
    a, b = chance.choice([(a, b) for a in range(2, 25) for b in range(a + 1, 37) if (a * b) % (a + b) == 0])
    what = chance.choice(("tank", "silo", "pool", "cistern", "barge"))
    steps = [
        f"The first pump does 1/{a} of the {what} in an hour, the second 1/{b}.",
        f"Together: 1/{a} + 1/{b} = ({b} + {a})/{a * b} = {a + b}/{a * b} an hour.",
        f"A whole {what} takes {a * b}/{a + b} = {a * b // (a + b)} hours.",
    ]
    return (
        f"Two pumps, one {what}",
        f"One pump fills a {what} in {a} hours, another in {b}. How long do both need?",
        steps,
        f"{a * b // (a + b)} hours",
    )


def _meeting(chance: Chance) -> Puzzle:
    u, v, hours = chance.randrange(40, 90), chance.randrange(50, 120), chance.randrange(2, 6)
    apart = (u + v) * hours
    steps = [
        f"They approach each other at {u} + {v} = {u + v} km/h.",
        f"The gap of {apart} km closes in {apart} / {u + v} = {hours} h.",
        f"By then the first has gone {u} × {hours} = {u * hours} km, the second {v * hours} km; the sum is {apart}.",
    ]
    return (
        "Two trains",
        (f"Two trains start {apart} km apart and run towards each other at {u} and {v} km/h. Where do they meet?"),
        steps,
        f"{u * hours} km from where the first started",
    )


def _remainders(chance: Chance) -> Puzzle:
    p, q = chance.choice(((5, 7), (5, 8), (7, 9), (7, 11), (8, 11), (9, 13), (11, 13)))
    number = chance.randrange(1, p * q)
    candidates = list(range(number % q, p * q, q))[: (number // q) + 1]
    steps = [
        f"Numbers that leave {number % q} when divided by {q}: {', '.join(map(str, candidates))}, ...",
        f"Divided by {p} these leave {', '.join(str(n % p) for n in candidates)}.",
        f"The first that leaves {number % p} is {number}. The next would be {number + p * q}: no factor is shared.",
    ]
    return (
        "A number from its remainders",
        (
            f"Which is the smallest number that leaves {number % p} when divided by {p} "
            f"and {number % q} when divided by {q}?"
        ),
        steps,
        str(number),
    )


def _dice(chance: Chance) -> Puzzle:
    wanted, sides = chance.randrange(3, 12), chance.choice((6, 8))
    ways = [roll for roll in product(range(1, sides + 1), repeat=2) if sum(roll) == wanted]
    steps = [
        f"Two dice with {sides} sides give {sides} × {sides} = {sides**2} equally likely rolls.",
        f"The sum {wanted} comes from {', '.join(f'{a}+{b}' for a, b in ways)}: {len(ways)} rolls.",
        f"So the chance is {len(ways)}/{sides**2}, about {len(ways) * 100 / sides**2:.1f} %.",
    ]
    return (
        "A sum of two dice",
        f"How likely is a sum of {wanted} with two {sides}-sided dice?",
        steps,
        f"{len(ways)}/{sides**2}",
    )


def _ages(chance: Chance) -> Puzzle:
    young, factor, later = chance.randrange(4, 14), chance.randrange(3, 6), chance.randrange(3, 15)
    old = young * factor
    total = old + young + 2 * later
    steps = [
        f"Let the younger be x; the older is {factor}x.",
        f"In {later} years the sum is x + {factor}x + {2 * later} = {total}.",
        f"So {factor + 1}x = {total - 2 * later} and x = {young}; the older is {factor} × {young} = {old}.",
    ]
    return (
        "Two ages",
        (
            f"An aunt is {factor} times as old as her niece. In {later} years they will be {total} together. "
            "How old are they?"
        ),
        steps,
        f"{young} and {old}",
    )


def _jugs(chance: Chance) -> Puzzle:
    small, large = chance.choice(((3, 5), (4, 7), (5, 8), (3, 8), (4, 9), (5, 7)))
    wanted = chance.randrange(1, large)
    in_small = in_large = 0
    steps: list[str] = []
    while wanted not in (in_small, in_large):
        if in_small == 0:
            in_small, what = small, f"Fill the {small} litre jug"
        elif in_large == large:
            in_large, what = 0, f"Empty the {large} litre jug"
        else:
            poured = min(in_small, large - in_large)
            in_small, in_large, what = in_small - poured, in_large + poured, f"Pour {poured} litres over"
        steps.append(f"{what}: {in_small} and {in_large} litres.")
    return (
        f"{small} and {large} litres",
        (f"I have a jug of {small} litres and one of {large}. How do I measure {wanted} litre{'s' * (wanted > 1)}?"),
        steps,
        f"after {len(steps)} moves one jug holds exactly {wanted}",
    )


def _handshakes(chance: Chance) -> Puzzle:
    people, absent = chance.randrange(9, 60), chance.randrange(2, 5)
    here = people - absent
    steps = [
        f"{people} are invited and {absent} stay away: {here} people.",
        f"Each of them shakes {here - 1} hands; that counts every handshake twice.",
        f"{here} × {here - 1} / 2 = {here * (here - 1) // 2}.",
    ]
    return (
        "Handshakes",
        (f"{people} people are invited, {absent} do not come, all others shake hands once. How many handshakes?"),
        steps,
        str(here * (here - 1) // 2),
    )


_PUZZLES: Final[tuple[Callable[[Chance], Puzzle], ...]] = (
    _together, _meeting, _remainders, _dice, _ages, _jugs, _handshakes,
)  # fmt: skip
_CHECKS: Final = (
    ("How can I check that myself?", "Put it back into the question: {answer}. Every sentence must come out true."),
    ("Is there only one answer?", "Yes. Each step above leaves one value only, so {answer} is the only one that fits."),
    ("Explain it to a ten-year-old please.", "Take it one line at a time. {step} From there it is short: {answer}."),
)


def reasoning(chance: Chance) -> Draft:
    """Write one to three puzzles in one talk, each with its worked steps."""
    drawn = [make(chance) for make in shuffled(chance, _PUZZLES)[: chance.randrange(1, 4)]]
    exchanges: list[Exchange] = []
    for _title, question, steps, answer in drawn:
        worked = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
        thinking = (thought(f"Let me set it up. {steps[0]} Then check the end."),) if chance.random() < 0.4 else ()
        exchanges.append(Exchange((text(question),), (*thinking, text(f"{worked}\n\n**Answer: {answer}.**"))))
    if chance.random() < 0.5:
        asked, reply = chance.choice(_CHECKS)
        _title, _question, steps, answer = drawn[-1]
        exchanges.append(Exchange((text(asked),), (text(reply.format(answer=answer, step=steps[0])),)))
    return Draft(drawn[0][0], tuple(exchanges), frozenset({"reasoning"}))
