"""Write the facts of docs/adr/0045-dependency-review.md that the lock knows: `python -m tests.supply.review`."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from tests.supply.distributions import (
    BESIDE_THE_LOCK,
    REPOSITORY,
    all_of,
    asked_for,
    has_machine_code,
    licence_of,
    locked,
)

RECORD = REPOSITORY / "docs" / "adr" / "0045-dependency-review.md"
_FACTS = re.compile(r"(?<=<!-- facts -->\n).*?(?=<!-- end of facts -->)", re.DOTALL)


def facts() -> str:
    """Give a row for each direct dependency, and the sums."""
    rows = ["| name | with | locked | licence | brings | machine code |", "|---|---|---|---|---:|---|"]
    pins = locked()
    for extra, asked in asked_for().items():
        for one in sorted(asked, key=lambda each: each.name):
            name = canonicalize_name(one.name)
            brings = len(all_of([one])) - 1
            code = "yes" if has_machine_code(name) else ""
            version = pins[name].version
            rows.append(f"| `{name}` | {extra or 'always'} | {version} | {licence_of(name)} | {brings} | {code} |")
    always = all_of(asked_for()[""])
    everything = all_of(one for asked in asked_for().values() for one in asked)
    compiled = sum(map(has_machine_code, always))
    sums = f"Without an extra {len(always)} distributions are installed, {compiled} of them with machine code"
    return "\n".join([*rows, "", f"{sums}; with every extra {len(everything)}, and {' '.join(BESIDE_THE_LOCK)}.", ""])


def with_facts(record: str) -> str:
    """Put the facts where the record has a place for them."""
    return _FACTS.sub(lambda _: facts(), record)


if __name__ == "__main__":
    RECORD.write_text(with_facts(RECORD.read_text("utf-8")), "utf-8")
