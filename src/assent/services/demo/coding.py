"""Coding help: a question about a small piece of code, an answer with a code block, follow-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Final

from assent.services.demo.chance import Chance, shuffled
from assent.services.demo.turns import Draft, Exchange, call, text, thought

THINGS: Final = (
    ("invoice", "amount", "due_day"), ("parcel", "weight", "depot"), ("booking", "seats", "ferry"),
    ("reading", "level", "sensor"), ("recipe", "minutes", "author"), ("ticket", "priority", "queue"),
    ("harvest", "kilos", "field_no"), ("lesson", "length", "teacher"), ("rental", "days", "bike"),
    ("donation", "cents", "cause"), ("flight", "delay", "gate"), ("sample", "purity", "batch"),
    ("loan", "rate", "branch"), ("shift", "hours", "ward"), ("meter", "usage", "street"),
    ("order", "total", "shop"), ("song", "plays", "album"), ("probe", "depth", "station"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Problem:
    language: str
    title: str
    asked: str
    code: str
    reasons: tuple[str, ...]


_PROBLEMS: Final = (
    _Problem(
        "python",
        "Grouping ${thing}s in Python",
        "I have a list of dicts like `{'$group': 'a', '$field': $n}` and need the sum of `$field` per `$group`. "
        "The nested loop takes $secs seconds for $big rows.",
        'from collections import defaultdict\n\n\ndef ${field}_by_$group(${thing}s):\n    """Sum `$field` for each '
        '`$group`."""\n    totals = defaultdict(int)\n    for $thing in ${thing}s:\n        '
        'totals[$thing["$group"]] += $thing["$field"]\n    return dict(totals)\n',
        (
            "The nested loop compares every $thing with every $group, so it grows with their product.",
            "A dictionary finds its group in constant time, so one pass over the ${thing}s is enough.",
            "`defaultdict(int)` starts every new $group at 0, which removes the `if` that most people write here.",
            "Turning it back into a plain dict keeps a typo in a later lookup from creating an empty $group.",
        ),
    ),
    _Problem(
        "python",
        "A retry that gives up",
        "Our call to the $thing service fails about once in $n tries. How do I retry without hiding real errors?",
        "def fetch_$thing(get, ${thing}_id, pause, tries=$few):\n    for attempt in range(1, tries + 1):\n"
        "        try:\n            return get(${thing}_id)\n        except TimeoutError:\n"
        "            if attempt == tries:\n                raise\n            pause(0.1 * 2**attempt)\n",
        (
            "Only `TimeoutError` is retried: a wrong $thing id will not become right the third time.",
            "The last failure is raised again, so whoever calls this sees the real reason.",
            "The pause doubles each time, which gives a busy $thing service room to recover.",
            "`get` and `pause` are arguments, so a test needs neither a network nor a clock.",
        ),
    ),
    _Problem(
        "typescript",
        "Typing a $thing response",
        "TypeScript accepts `response.$field.toFixed()` although the API sometimes leaves `$field` out. "
        "How do I make the compiler complain about all $few places?",
        "interface ${Thing} {\n  id: string;\n  $group: string;\n  $field?: number;\n}\n\n"
        "export function ${field}Of($thing: ${Thing}, fallback = 0): number {\n"
        "  return $thing.$field ?? fallback;\n}\n",
        (
            "The question mark says that `$field` may be absent, and strict mode then rejects the direct call.",
            "`??` falls back only for null and undefined, so a real 0 in `$field` survives.",
            "Casting with `as ${Thing}` would silence the compiler and keep the crash.",
            "Put the fallback in one function; $few copies of it will drift apart.",
        ),
    ),
    _Problem(
        "go",
        "A worker pool for ${thing}s",
        "I start a goroutine per $thing and with $big of them the machine swaps. What is the idiomatic limit?",
        "func processAll(ctx context.Context, ${thing}s []${Thing}, workers int) error {\n"
        "\tgroup, ctx := errgroup.WithContext(ctx)\n\tgroup.SetLimit(workers)\n"
        "\tfor _, $thing := range ${thing}s {\n\t\tgroup.Go(func() error {\n\t\t\treturn process(ctx, $thing)\n"
        "\t\t})\n\t}\n\treturn group.Wait()\n}\n",
        (
            "`SetLimit` blocks the loop once `workers` goroutines are busy, so memory stays flat.",
            "The first error cancels the context, and the other workers can stop early.",
            "Start with $few workers and measure; for calls over the network more than the core count is fine.",
            "Since Go 1.22 the loop variable `$thing` is fresh in each round, so no copy is needed.",
        ),
    ),
    _Problem(
        "rust",
        "Borrowing while changing a map of ${thing}s",
        "The borrow checker refuses: I look up a $thing by $group, and if it is missing I insert one and return it.",
        "use std::collections::HashMap;\n\npub fn ${field}_for<'a>(\n    ${thing}s: &'a mut HashMap<String, u64>,\n"
        "    $group: &str,\n) -> &'a mut u64 {\n    ${thing}s.entry($group.to_owned()).or_insert($n)\n}\n",
        (
            "`get_mut` borrows the whole map for as long as its result lives, in both branches of the match.",
            "The entry API looks up once and borrows once, which is what you meant.",
            "`to_owned` allocates even when the key exists; measure before you work around that.",
            "With `or_insert_with` the default for a new $group is only built when it is needed.",
        ),
    ),
    _Problem(
        "sql",
        "Newest $thing per $group",
        "How do I get only the latest $thing for every $group? My `GROUP BY` returns the right time with the wrong "
        "`$field`. The table has about $big rows.",
        "select $group, $field, recorded_at\nfrom (\n  select t.*,\n         row_number() over (\n"
        "           partition by $group\n           order by recorded_at desc, id desc\n         ) as place\n"
        "  from ${thing}s t\n) newest\nwhere place = 1;\n",
        (
            "`max(recorded_at)` and `$field` come from different rows: an aggregate does not carry its row along.",
            "The window numbers the rows of each $group from the newest down, and the outer query keeps number one.",
            "The second sort key settles ties; without it two runs may disagree.",
            "An index on `($group, recorded_at desc, id desc)` lets the database read it without sorting.",
        ),
    ),
    _Problem(
        "bash",
        "Renaming $thing files safely",
        "I have files such as `$thing $n.csv` with blanks in their names and my loop breaks them into pieces.",
        "#!/usr/bin/env bash\nset -euo pipefail\n\nfind . -maxdepth 1 -name '$thing *.csv' -print0 |\n"
        '  while IFS= read -r -d \'\' file; do\n    mv -n -- "$$file" "$${file// /_}"\n  done\n',
        (
            "`for file in $$(ls)` splits at every blank; `-print0` with `read -d ''` splits at the null byte only.",
            "`mv -n` never overwrites, so two ${thing}s that map to one name stay two files.",
            "`--` ends the options, in case a $thing file starts with a dash.",
            "Run it once with `echo mv` in front and read the $few lines before the real thing.",
        ),
    ),
    _Problem(
        "java",
        "Equal ${thing}s that a set keeps twice",
        "Two `${Thing}` objects with the same `$group` and `$field` both end up in my HashSet. Why?",
        "public record ${Thing}(String $group, long $field) {\n  public ${Thing} {\n    if ($field < 0) {\n"
        '      throw new IllegalArgumentException("$field below zero");\n    }\n  }\n}\n',
        (
            "A class without `equals` and `hashCode` compares by identity, so equal content means nothing to the set.",
            "A record writes both from its components and keeps them in step when you add one.",
            "The compact constructor is the place for checks; it runs before the fields are set.",
            "Never put a mutable $thing into a set: changing `$field` moves it to a bucket where nobody looks.",
        ),
    ),
    _Problem(
        "c",
        "Reading $thing lines of any length",
        "My buffer for one $thing is $n bytes and longer lines are cut. How do I read lines without a limit in C?",
        "#define _POSIX_C_SOURCE 200809L\n#include <stdio.h>\n#include <stdlib.h>\n\n"
        "size_t count_${thing}s(FILE *in) {\n"
        "    char *line = NULL;\n    size_t room = 0, count = 0;\n    while (getline(&line, &room, in) != -1)\n"
        "        count++;\n    free(line);\n    return count;\n}\n",
        (
            "`getline` grows the buffer when a $thing does not fit and keeps it for the next round.",
            "One `free` after the loop is enough, because the buffer is shared by all lines.",
            "Check for -1 and not for end of file: an error ends the loop the same way.",
            "The buffer starts as a null pointer with no room, which tells `getline` to allocate.",
        ),
    ),
)
_FOLLOW_UPS: Final = (
    (
        "Can you write a test for the case with no ${thing}s at all?",
        (
            "Yes. The empty case is the one that usually breaks, so it goes first:\n\n```text\n"
            "given no ${thing}s  -> nothing, and no error\ngiven one $thing  -> its $field\n```\n\n"
            "The second case makes sure that the test fails if somebody always returns nothing."
        ),
    ),
    (
        "And if two ${thing}s share the same $group?",
        (
            "Then they are added up, which is what the name promises. If a duplicate $group is a fault in your data, "
            "count before you sum and stop when `$few` or more appear; silently merging them would hide it."
        ),
    ),
    (
        "How does this behave with $big rows?",
        (
            "It is one pass, so time grows in a straight line: about $secs seconds per ten million "
            "on an ordinary laptop. Memory depends on the number of different $group values, not on the rows."
        ),
    ),
    (
        "Our style guide forbids single-letter names. Is anything else unusual here?",
        (
            "Nothing that a reviewer should stop at. I would move literal numbers into named constants next to the "
            "$thing code, and say in a comment where each comes from."
        ),
    ),
    (
        "That works, thanks! One more: what would you call this function?",
        (
            "Name it after what the caller gets: `${field}_by_$group`. A name such as `process_${thing}s` says only "
            "that something happens."
        ),
    ),
)
_OPENINGS: Final = (
    "Here is the shape I would use.",
    "Short version first, reasons below.",
    "This is a common trap, and the fix is small.",
    "The cause is in how the lookup works, not in your data.",
    "Yes, and it gets shorter on the way.",
    "Two things go wrong here; one change mends both.",
)


def slots(chance: Chance, language: str = "") -> dict[str, str]:
    """Draw the names and numbers that make one piece of code differ from the next."""
    thing, field, group = chance.choice(THINGS)
    return {
        "thing": thing,
        "Thing": thing.capitalize(),
        "field": field,
        "group": group,
        "language": language,
        "n": str(chance.randrange(12, 900)),
        "few": str(chance.randrange(3, 9)),
        "big": f"{chance.randrange(20, 980)},000",
        "secs": str(chance.randrange(2, 90)),
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put the drawn values into a template."""
    return Template(template).substitute(values)


def coding_help(chance: Chance) -> Draft:
    """Write a talk about one problem, with up to three follow-ups; sometimes the model runs the code first."""
    problem = chance.choice(_PROBLEMS)
    values = slots(chance, problem.language)
    code = filled(problem.code, values)
    reasons = shuffled(chance, problem.reasons)[: chance.randrange(2, 5)]
    answer = "\n".join(
        [
            chance.choice(_OPENINGS),
            "",
            f"```{problem.language}\n{code}```",
            "",
            *(f"- {filled(reason, values)}" for reason in reasons),
        ]
    )
    asked = filled(problem.asked, values)
    if chance.random() < 0.3:
        thinking = thought(
            f"They want `{values['group']}` and `{values['field']}` together. {filled(reasons[0], values)}"
        )
        first = Exchange((text(asked),), (thinking, text(answer)))
    elif problem.language == "python" and chance.random() < 0.5:
        ran = call("python", f"ok: {values['few']} checks passed\n", code=code)
        first = Exchange((text(asked),), (ran, text(answer)), frozenset({"tool call"}))
    else:
        first = Exchange((text(asked),), (text(answer),))
    later = [
        Exchange((text(filled(question, values)),), (text(filled(reply, values)),))
        for question, reply in chance.sample(_FOLLOW_UPS, chance.randrange(0, 4))
    ]
    return Draft(filled(problem.title, values), (first, *later), frozenset({"coding"}))
