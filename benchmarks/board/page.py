"""The page of results as Markdown: a board of all headlines, then a section for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.board.values import Aim, Figure, Growth, Record, Spread, Table

_INTRODUCTION = """# Results

Written by `make bench` out of `benchmarks/records`; do not edit it. Every figure is a median, with the smallest and
the largest round in brackets; one without brackets was taken once. A **ratio** is what assent costs over what the peer
costs on the same work in the same rounds: below 1 assent takes less. Ratios travel, seconds do not; `make bench-check`
compares ratios only. An aim that was not reached says so.
"""


def page(records: Mapping[str, Record], unmeasured: Iterable[str] = ()) -> str:
    """Write the whole page."""
    board = _table(("headline", "ratio to the peer", "aims reached", "measured"), map(_row, records.values()))
    missing = ", ".join(f"`{name}`" for name in unmeasured)
    tail = f"\nNot measured yet: {missing}.\n" if missing else ""
    return "\n".join([_INTRODUCTION, board + tail, *(section(record) for record in records.values())])


def section(record: Record) -> str:
    """Write what one headline measured, with its remarks and how to measure it again."""
    words, result = record.words, record.result
    head = f"## {words.title}\n\n![{words.title}](pictures/{record.name}.svg)\n"
    peer = f"Against {words.peer}." if words.peer else f"No peer: {words.alone}."
    blocks = [head, f"{words.work} {peer}\n"]
    blocks += [f"**Absent: {one}.**\n" for one in result.absent]
    if result.ratios:
        blocks.append(_figures("ratio: assent's cost over the peer's", result.ratios))
    if result.figures:
        blocks.append(_figures("measured", result.figures))
    blocks += [_table_of(one) for one in (*map(_growth, result.growth), *result.tables)]
    blocks += [f"{one}\n" for one in (" ".join(result.notes), *words.remarks) if one]
    return "\n".join([*blocks, f"<sub>{_made(record)}</sub>\n"])


def shown(number: float) -> str:
    """Write a number to three or four digits, without an exponent."""
    size = abs(number)
    if size >= 100 or number == int(number):
        return f"{number:,.0f}"
    if size < 0.001:
        return f"{number:.6f}".rstrip("0")
    return f"{number:.1f}" if size >= 10 else f"{number:.2f}" if size >= 1 else f"{number:.3g}"


def spread(found: Spread) -> str:
    """Write a median with its range, or a single figure alone."""
    if found.low == found.high:
        return shown(found.median)
    return f"{shown(found.median)} ({shown(found.low)} to {shown(found.high)})"


def _row(record: Record) -> tuple[str, ...]:
    first = next(iter(record.result.ratios), None)
    aims = [(one.aim, one.spread) for one in (*record.result.figures, *record.result.ratios) if one.aim]
    reached = sum(aim.reached_by(found) for aim, found in aims)
    title = f"[{record.words.title}](#{_anchor(record.words.title)})"
    ratio = f"{spread(first.spread)}, {first.name}" if first else "none"
    return title, ratio, f"{reached} of {len(aims)}" if aims else "", record.day


def _anchor(title: str) -> str:
    """Name a heading as the sites that show Markdown do."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _figures(head: str, figures: Sequence[Figure]) -> str:
    aims = any(one.aim for one in figures)
    heads = (head, "", "aim") if aims else (head, "")
    rows = [
        (one.name, f"{spread(one.spread)} {one.unit}".strip(), *([_aim(one.aim, one.spread)] if aims else []))
        for one in figures
    ]
    return _table(heads, rows)


def _aim(aim: Aim | None, found: Spread) -> str:
    if aim is None:
        return ""
    return f"{aim.how} {shown(aim.value)}: {'reached' if aim.reached_by(found) else '**not reached**'}"


def _growth(one: Growth) -> Table:
    cost = (one.unit, *(spread(found) for _, found in one.points))
    title = f"{one.name}, as the work grows: at the largest {shown(one.factor)} times what it costs at the smallest"
    return Table((one.sizes, *(shown(size) for size, _ in one.points)), (cost,), title)


def _table_of(one: Table) -> str:
    return (f"{one.title}:\n\n" if one.title else "") + _table(one.heads, one.rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]]) + "\n"


def _made(record: Record) -> str:
    sizes = " ".join(f"{name}={shown(value).replace(',', '_')}" for name, value in record.settings.items())
    again = record.words.repeat or f"`make bench ONLY={record.name}`"
    return f"{record.day}, {record.machine}{'; ' + sizes if sizes else ''}. Measured by {again}."
