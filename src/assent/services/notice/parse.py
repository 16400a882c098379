"""Read a notice manifest: TOML text in, a `Manifest` or problems with file, line, column and fix out."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from assent.domain.digests import digest
from assent.domain.errors import Invalid, Place
from assent.policy.parse import Places, PolicyProblems
from assent.services.notice.document import ManifestDocument
from assent.services.notice.words import cldr, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assent.policy.build import Path
    from assent.services.notice.document import Header, Phrases, Wording

SPEC: Final = "see spec/notice.md for what it means"

PLACEHOLDERS: Final = frozenset(
    {
        "change",
        "controller",
        "data_kinds",
        "deadline",
        "defers",
        "deletion",
        "exceptions",
        "exceptions_use",
        "feedback_retention",
        "finished_models",
        "future_data",
        "law",
        "no_answer",
        "recipients",
        "resume",
        "retention_allowed",
        "retention_declined",
        "started_runs",
        "stored_data",
        "use",
        "withdrawal_retention",
    }
)
"""Every name that may stand in braces; what each becomes is in spec/notice.md, section 5."""

_IN_PHRASES: Final = frozenset({"length", "date", "what", "kept"})


class ManifestProblems(PolicyProblems):
    """Everything that keeps a text from being a manifest, in file order."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """A manifest that can be worded: its values, its text, and where each value stands."""

    document: ManifestDocument
    text: str
    places: Places

    @property
    def header(self) -> Header:
        """The table `[notice]`."""
        return self.document.notice

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def version(self) -> str:
        return self.header.version

    @property
    def policy(self) -> str:
        """The name of the policy that the notice speaks for."""
        return self.header.policy

    @property
    def purposes(self) -> list[str]:
        """The purposes it asks for, each by itself."""
        return self.header.purposes

    @property
    def locales(self) -> list[str]:
        return list(self.document.locale)

    @property
    def digest(self) -> str:
        """Name the meaning of the manifest; comments and layout of the file do not count."""
        return digest(self.document.model_dump(mode="json"))

    def wording(self, locale: str) -> Wording:
        """Return what the notice says in a locale. Raises `Invalid` for a locale it does not have."""
        found = self.document.locale.get(locale)
        if found is None:
            raise Invalid(f"`{self.name}` does not speak `{locale}`", f"use one of {', '.join(self.locales)}")
        return found


def parse_manifest(text: str, file: str) -> Manifest:
    """Read a manifest. Raises `ManifestProblems` naming every fault with its place and fix."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestProblems([_syntax(str(error), text, file)]) from None
    except RecursionError:
        problem = Invalid("this is not a manifest: it is nested too deeply", "see spec/notice.md", Place(file, 1))
        raise ManifestProblems([problem]) from None
    places = Places(text, file)
    try:
        document = ManifestDocument.model_validate(raw, strict=True)
    except ValidationError as error:
        problems = [_shape(fault, places) for fault in error.errors(include_url=False)]
        raise ManifestProblems(_in_file_order(problems)) from None
    manifest = Manifest(document, text, places)
    if found := list(_content(manifest)):
        raise ManifestProblems(_in_file_order(found))
    return manifest


def texts_of(wording: Wording) -> Iterator[tuple[Path, str]]:
    """List every sentence that a manifest writes for people in one locale, with its place below the locale."""
    for name in ("questions", "uses", "exceptions"):
        yield from (((name, key), value) for key, value in getattr(wording, name).items())
    yield from (((name,), getattr(wording, name)) for name in ("change", "withdraw"))
    for name in ("text", "headings", "labels", "feedback"):
        table = getattr(wording, name)
        pairs = table.model_dump(exclude_none=True).items() if table is not None else ()
        yield from (((name, key), value) for key, value in pairs)


def named_in(text: str) -> list[str]:
    """List the placeholders of a text. Raises `ValueError` if its braces do not pair."""
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def _content(manifest: Manifest) -> Iterator[Invalid]:
    """Find what the shape cannot show: locales that cannot be worded, placeholders that mean nothing."""
    for locale, wording in manifest.document.locale.items():
        path: Path = ("locale", locale)
        try:
            cldr(locale)
        except Invalid as problem:
            yield Invalid(problem.message, problem.fix, manifest.places.of(path))
            continue
        if (shipped(locale) is None) is (wording.phrases is None):
            fix = (
                f"add `[locale.{locale}.phrases]`: assent has no words for this locale"
                if wording.phrases is None
                else f"remove `[locale.{locale}.phrases]`: assent has its own, so that no notice can bend them"
            )
            message = f"`{locale}`: the words for policy values are in the wrong place"
            yield Invalid(message, fix, manifest.places.of(path))
        for below, text in texts_of(wording):
            yield from _placeholders(text, PLACEHOLDERS, manifest.places.of((*path, *below)))
        if wording.phrases is not None:
            yield from _phrases(wording.phrases, (*path, "phrases"), manifest.places)


def _phrases(phrases: Phrases, path: Path, places: Places) -> Iterator[Invalid]:
    """Find what the phrases of a locale of its own lack: every value of a policy must be sayable."""
    full = shipped("en")
    for name, needed in full.phrases if full else ():
        own, place = getattr(phrases, name), places.of((*path, name))
        if isinstance(needed, dict) and name not in ("use", "survivor"):
            for key in needed.keys() - own.keys():
                yield Invalid(f"`{name}` has no words for `{key}`", f'add `"{key}" = "..."`', place)
        for text in own.values() if isinstance(own, dict) else [own]:
            yield from _placeholders(text, _IN_PHRASES, place)


def _placeholders(text: str, known: frozenset[str], place: Place) -> Iterator[Invalid]:
    try:
        names = [(name, bool(spec or conversion)) for _, name, spec, conversion in Formatter().parse(text)]
    except ValueError:
        yield Invalid("a brace in this text has no partner", "write `{{` and `}}` for braces that are meant", place)
        return
    for name, shaped in names:
        if name is not None and name not in known:
            near = get_close_matches(name, known, n=1)
            fix = f"did you mean `{{{near[0]}}}`?" if near else f"use one of {', '.join(sorted(known))}"
            yield Invalid(f"`{{{name}}}` stands for nothing", fix, place)
        elif shaped:
            yield Invalid(f"`{{{name}}}` cannot be shaped", f"write `{{{name}}}` alone", place)


_KINDS: Final = {
    "string_type": ("is not text", "put it in quotes"),
    "bool_type": ("is not true or false", "write `true` or `false` without quotes"),
    "int_type": ("is not a whole number", "write a whole number without quotes"),
    "list_type": ("is not a list", 'write `["..."]`, or `[[...]]` for tables'),
    "dict_type": ("is not a table", "write it as a table"),
    "model_type": ("is not a table", "write it as a table"),
    "string_too_short": ("is empty", "write the text, or leave the key out if it is optional"),
    "too_short": ("is too short", "name at least one; an experiment needs two variants"),
    "string_pattern_mismatch": ("is not a short name", "use lower-case letters, digits, `-` and `.`"),
    "greater_than_equal": ("is too small", "use a larger number"),
    "less_than_equal": ("is too large", "use a smaller number"),
}


def _shape(fault: Mapping[str, Any], places: Places) -> Invalid:
    """Say one fault of the validator in the words of the file."""
    # for keys of tables pydantic adds a mark that no file has
    path: Path = tuple(part for part in fault["loc"] if part != "[key]")
    name = next((part for part in reversed(path) if isinstance(part, str)), "manifest")
    kind = str(fault["type"])
    if kind == "missing":
        return Invalid(f"`{name}` is missing", f"add `{'.'.join(map(str, path))}`; {SPEC}", places.of(path))
    if kind == "extra_forbidden":
        return Invalid(f"`{name}` is not known here", f"remove it, or look for the right word; {SPEC}", places.of(path))
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'|(?<!\w)(\d+)", str(fault["ctx"]["expected"]))
        words = [first or second for first, second in allowed]
        near = get_close_matches(str(fault["input"]), words, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(f'`{word}`' for word in words)}"
        return Invalid(f"`{name}`: `{fault['input']}` is not allowed", fix, places.of(path))
    problem, fix = _KINDS.get(kind, (str(fault["msg"]).lower(), SPEC))
    return Invalid(f"`{name}` {problem}", fix, places.of(path))


def _syntax(message: str, text: str, file: str) -> Invalid:
    reason, _, where = message.partition(" (at ")
    numbers = [int(number) for number in re.findall(r"\d+", where)]
    place = Place(file, *numbers[:2]) if numbers else Place(file, text.count("\n") + 1)
    return Invalid(f"this is not TOML: {reason[0].lower()}{reason[1:]}", "correct the syntax here", place)


def _in_file_order(problems: list[Invalid]) -> list[Invalid]:
    unique = {(str(problem.place), problem.message): problem for problem in problems}
    return sorted(unique.values(), key=lambda p: (p.place.line or 0, p.place.column or 0) if p.place else (0, 0))
