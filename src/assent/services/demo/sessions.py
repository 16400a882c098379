"""Coding sessions: an agent reads files, runs tests, edits, fetches pages, asks a connector, sends a subagent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from assent.services.demo.chance import Chance, shuffled
from assent.services.demo.coding import filled, slots
from assent.services.demo.turns import Block, Draft, Exchange, Kind, call, text, thought

_FOLDERS: Final = (
    "kiosk-api", "harbour-board", "seed-catalogue", "tram-times", "choir-planner", "orchard-map", "bike-desk",
    "ledger-lens", "water-watch", "lesson-bank", "parcel-path", "night-shift",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fault:
    file: str
    run: str
    asked: str
    before: str
    after: str
    failure: str
    cause: str


_FAULTS: Final = (
    _Fault(
        "src/${thing}s/totals.py",
        "python -m pytest tests/test_totals.py -q",
        "the monthly total for ${thing}s is off by one day, please find out why and fix it",
        "    return [t for t in ${thing}s if start <= t.day <= end]",
        "    return [t for t in ${thing}s if start <= t.day < end]",
        "E       assert sum_$field(${thing}s, day(1), day(2)) == $n\nE       assert $big_n == $n",
        "the end of the range is included, so the first day of the next month counts twice",
    ),
    _Fault(
        "src/${thing}s/cache.py",
        "python -m pytest tests/test_cache.py -q",
        "the $thing cache sometimes returns another $group's $field. can you look?",
        '    key = f"{$thing.id}"',
        '    key = f"{$thing.$group}:{$thing.id}"',
        "E       AssertionError: got $field $n from $group 2, wanted $big_n\ntests/test_cache.py:4$few: AssertionError",
        "ids are unique within a $group only, and the key leaves the $group out",
    ),
    _Fault(
        "web/${thing}-list.ts",
        "npm test -- ${thing}-list",
        "sorting the list by $field puts $n before 9. fix it and add a test",
        "  return ${thing}s.sort((a, b) => (a.$field > b.$field ? 1 : -1));",
        "  return [...${thing}s].sort((a, b) => Number(a.$field) - Number(b.$field));",
        "  - Expected: [9, $n]\n  + Received: [$n, 9]\n  Tests: 1 failed, $few passed",
        "the values arrive as text, and text sorts digit by digit",
    ),
    _Fault(
        "internal/${thing}/store.go",
        "go test ./internal/${thing}/...",
        "go vet is happy but the race detector complains in the $thing store",
        "\ts.${thing}s[id] = $thing",
        "\ts.mu.Lock()\n\tdefer s.mu.Unlock()\n\ts.${thing}s[id] = $thing",
        "WARNING: DATA RACE\nWrite at 0x00c000$n by goroutine $few:\n  store.(*Store).Put()\n      store.go:4$few",
        "the map is written by several handlers at once and nothing guards it",
    ),
    _Fault(
        "src/${thing}.rs",
        "cargo test $thing",
        "the parser panics on an empty $group line, make it an error instead",
        "    let $field = line.split(',').nth($few).unwrap();",
        "    let $field = line.split(',').nth($few).ok_or(ParseError::Missing(\"$field\"))?;",
        "thread 'tests::empty_$group' panicked at src/$thing.rs:$n:4$few:\ncalled `Option::unwrap()` on a `None` value",
        "a line with too few columns has no such field, and `unwrap` turns that into a panic",
    ),
)
_FILLER: Final = {
    "py": (
        "    # kept in step with the import of ${thing}s",
        "    limit = $n",
        "    ${group}_names = sorted({t.$group for t in ${thing}s})",
        "    if not ${thing}s:\n        return 0",
        "    seen_$field = set()",
        '    log.debug("%d ${thing}s for %s", len(${thing}s), $group)',
        "    oldest = min((t.day for t in ${thing}s), default=None)",
        "    per_$group = {name: 0 for name in ${group}_names}",
        "    average = sum(t.$field for t in ${thing}s) // max(1, len(${thing}s))",
        "    for $group in ${group}_names:\n        per_$group[$group] += $few",
    ),
    "ts": (
        "  // kept in step with the import of ${thing}s",
        "  const limit = $n;",
        "  const ${group}Names = [...new Set(${thing}s.map((t) => t.$group))];",
        "  if (${thing}s.length === 0) return [];",
        "  const seen_$field = new Set<number>();",
        "  console.debug(`$${${thing}s.length} ${thing}s`, $group);",
        "  const most = Math.max(...${thing}s.map((t) => Number(t.$field)));",
        "  for (const $group of ${group}Names) {\n    per_$group.set($group, $few);\n  }",
    ),
    "go": (
        "\t// kept in step with the import of ${thing}s",
        "\tconst ${field}Limit = $n",
        "\tif len(s.${thing}s) == 0 {\n\t\treturn errNo$Thing\n\t}",
        "\tseen := make(map[string]int, $few)",
        '\tslog.Debug("${thing}s", "$group", len(s.${thing}s))',
        "\tfor $group := range s.${thing}s {\n\t\tseen[$group]++\n\t}",
        "\ttotal += $thing.$field",
    ),
    "rs": (
        "    // kept in step with the import of ${thing}s",
        "    const LIMIT: usize = $n;",
        "    let ${group}_names: BTreeSet<_> = ${thing}s.iter().map(|t| &t.$group).collect();",
        "    if ${thing}s.is_empty() {\n        return Ok(0);\n    }",
        "    let mut seen_$field = HashSet::with_capacity($few);",
        '    debug!("{} ${thing}s for {}", ${thing}s.len(), $group);',
        "    let most = ${thing}s.iter().map(|t| t.$field).max();",
    ),
}
# wish, command, what it prints, answer
_NEXT: Final = (
    (
        "now run everything",
        "make test",
        "$n passed in $secs s",
        "Everything passes, $n tests in $secs s. Nothing else used the old behaviour.",
    ),
    (
        "commit this with a short message",
        "git commit -am 'fix: $field of ${thing}s in the right $group'",
        "[main 4f$n] fix: $field of ${thing}s in the right $group\n 2 files changed, $few insertions(+)",
        "Committed. The message names the behaviour, the diff shows the line.",
    ),
    (
        "is the same mistake anywhere else?",
        "grep -rn '$group' --include='*$thing*' .",
        "./tools/${thing}_report:$n: by $group\n./tools/${thing}_check:4$few: by $group, $field",
        "Two other places handle `$group`. `${thing}_check` is right; `${thing}_report`, which nobody calls, is not.",
    ),
    (
        "add a line to the changelog",
        "head -$few CHANGELOG.md",
        "# Changes\n\n## Unreleased\n\n### Fixed\n",
        'Added under *Fixed*: "The $field of a $thing no longer depends on the $group it was read with."',
    ),
    (
        "why did the tests not see it before?",
        "git log --oneline -$few -- tests",
        "4f$n first tests of ${thing}s\nc0$secs one $group is enough for now",
        "They have one $group only, and with one $group both versions agree.",
    ),
)
_FAKE_SECRETS: Final = (
    "LANTERN_API_KEY=sk-test-FAKE{0}FAKE{1}\nMAIL_FROM=desk-{2}@orchard.example\n",
    "DB_HOST=db-{1}.example\nDB_PASSWORD=not-a-real-password-{0}\nDB_NAME={2}\n",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=FAKE/{0}/{1}/EXAMPLEKEY\nOWNER=ops-{2}@example.org\n",
)


def coding_session(chance: Chance) -> Draft:
    """Write a session: look, test, understand, edit, test again; then up to four shorter wishes."""
    fault, values = chance.choice(_FAULTS), slots(chance)
    values["big_n"] = str(int(values["n"]) + chance.randrange(2, 40))
    folder = f"/srv/code/{chance.choice(_FOLDERS)}"
    path = f"{folder}/{filled(fault.file, values)}"
    source = _source(chance, fault, values)
    run, cause = filled(fault.run, values), filled(fault.cause, values)
    before, after = filled(fault.before, values), filled(fault.after, values)
    kinds: set[Kind] = {"session", "tool call", "file read", "test run"}
    steps: list[Block] = [
        text(f"I'll look at `{filled(fault.file, values)}` first and then run its tests."),
        call("Read", _numbered(source), file_path=path),
        call("Bash", f"{filled(fault.failure, values)}\n1 failed, {values['few']} passed", command=run),
        thought(f"The test fails because {cause}. The smallest change is in one line."),
    ]
    aside: tuple[Block, ...] = ()
    if chance.random() < 0.3:
        steps.append(_looked_up(chance, values))
        kinds.add("web fetch")
    if chance.random() < 0.3:
        steps.append(_issue(chance, values, cause))
        kinds.add("connector")
    if chance.random() < 0.2:
        kinds.add("subagent")
        question = f"List every place under {folder} that compares {values['group']} or {values['field']}."
        found = f"{values['few']} places; only `{filled(fault.file, values)}` has the faulty comparison."
        aside = (
            text(question),
            call("Grep", f"{path}:{values['n']}:{before.strip()}", pattern=values["group"]),
            text(found),
        )
        steps.append(call("Task", found, description=f"Find uses of {values['group']}", prompt=question))
    if chance.random() < 0.1:
        kinds.add("secret")
        secret = chance.choice(_FAKE_SECRETS).format(
            f"{chance.getrandbits(40):010x}", f"{chance.getrandbits(32):08x}", values["thing"]
        )
        steps.append(call("Read", _numbered(secret), file_path=f"{folder}/.env"))
    steps += [
        call("Edit", f"The file {path} has been updated.", file_path=path, old_string=before, new_string=after),
        call("Bash", f"{int(values['few']) + 1} passed in 0.{values['secs']}s", command=run),
        text(
            f"Fixed. The fault: {cause}.\n\n```diff\n-{before.strip()}\n+{after.strip()}\n```\n\n"
            "The test that failed now passes."
        ),
    ]
    first = Exchange((text(filled(fault.asked, values)),), tuple(steps), frozenset(kinds), aside)
    later = [
        Exchange((text(wish),), (call("Bash", filled(printed, v), command=filled(command, v)), text(filled(done, v))))
        for wish, command, printed, done in chance.sample(_NEXT, chance.randrange(0, 5))
        for v in [values | {"n": str(chance.randrange(100, 999))}]
    ]
    return Draft(
        filled(f"Fix {fault.file.rpartition('/')[2]}", values),
        (first, *later),
        frozenset({"session", "coding"}),
        folder,
    )


def _source(chance: Chance, fault: _Fault, values: dict[str, str]) -> str:
    """Write a file that holds the faulty line between lines that differ from session to session."""
    language = fault.file.rpartition(".")[2]
    own = {"thing": values["thing"], "Thing": values["Thing"]}
    lines = [filled(line, slots(chance) | own) for _ in range(3) for line in _FILLER[language]]
    lines = shuffled(chance, lines)[: chance.randrange(8, 20)]
    lines.insert(len(lines) // 2, filled(fault.before, values))
    comment = "#" if language == "py" else "//"
    return "\n".join([f"{comment} {values['thing']}s: {values['field']} by {values['group']}", "", *lines, ""])


def _numbered(source: str) -> str:
    """Show a file as coding agents do, with line numbers."""
    return "\n".join(f"{number:>6}→{line}" for number, line in enumerate(source.splitlines(), 1))


def _looked_up(chance: Chance, values: dict[str, str]) -> Block:
    page = filled(
        "Sorting and ranges. A half-open range [start, end) never counts its end twice; two neighbours cover $n days "
        "without overlap. Keys must hold every field that makes a $thing different, here also $group.",
        values,
    )
    return call(
        "WebFetch",
        page,
        url=f"https://docs.example/{values['thing']}/{chance.randrange(2, 60)}",
        prompt="What is advised?",
    )


def _issue(chance: Chance, values: dict[str, str], cause: str) -> Block:
    number = chance.randrange(100, 2_000)
    issue = {
        "id": f"LAN-{number}",
        "title": f"Wrong {values['field']} for some {values['thing']}s",
        "reporter": f"reporter-{chance.randrange(10, 99)}@example.org",
        "body": f"Seen {values['few']} times this week in {values['group']} {values['n']}. Guess: {cause}.",
    }
    return call("mcp__tracker__get_issue", json.dumps(issue), id=issue["id"])
