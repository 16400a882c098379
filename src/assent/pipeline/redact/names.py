"""Names of people: capitalised words that a list or a cue makes candidates, judged by a small linear tagger."""

# ruff: noqa: E501, SIM905 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import gzip
import math
import re
import zlib
from array import array
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from assent.pipeline.redact.finding import Finding

GIVEN, FAMILY, COMMON, PLACE = 1, 2, 4, 8
"""What the list knows of a word: a given name, a family name, an everyday word, a place."""
SLOTS: Final = 1 << 15
"""Weights of the tagger; features are hashed into them by CRC-32."""
_LANGUAGES: Final = ("en", "de", "fr", "es", "it")

_UPPER: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽȘȚ"
_REST: Final = r"(?:[^\W\d_]|['’](?=[^\W\d_]))*"
_CAP: Final = rf"[{_UPPER}]{_REST}"
_WORD: Final = rf"{_CAP}(?:-{_CAP})*"
# the capital comes first, and then what must not stand before it: so the search leaps from capital to capital
_FIRST: Final = rf"[{_UPPER}](?<![\w@#$/\\.'’-][{_UPPER}]){_REST}(?:-{_CAP})*"
_LINK: Final = r"(?: (?:de la|de los|de las|de|del|della|di|da|do|dos|van der|van den|van de|van|von der|von|zu|der|den|ter|ten|la|le|du|bin|ibn|al|el|y|e)(?= ))"
_DOT: Final = rf"(?:(?:(?<=\b[{_UPPER}])|(?<=\bDr)|(?<=\bMr)|(?<=\bMrs)|(?<=\bMs)|(?<=\bProf)|(?<=\bSt)|(?<=\bSr)|(?<=\bSra))\.(?= [{_UPPER}]))?"
"""A full stop that ends no sentence: after an initial or a title."""
RUN: Final = re.compile(rf"{_FIRST}{_DOT}(?:{_LINK}{{0,2}} (?:{_WORD}){_DOT})*(?![\w@/\\(])")
_BREAK: Final = re.compile(r"[-. ]+|['’]s(?= |$)")
_MARKS: Final = "\n\"'“”„«»(*_:,.[{<`\\"
_KEY: Final = re.compile(r"([\w-]{1,24})\\?[\"']?\s?[:=]\s?\\?[\"']$")
_CONTRACTION: Final = re.compile(r"(?:I|You|We|They|He|She|It|That|There|Let|Who|What|Here)['’](?:m|s|re|ve|ll|d)")
"""Words that stand before a name and are none: `I'm Priya`."""
_PART: Final = re.compile(r"[^\W\d_](?:[\w'’-])*\.?")
_TITLES: Final = frozenset(
    "mr mrs ms miss mx dr prof professor sir madam herr herrn frau fräulein monsieur m mme madame mlle mademoiselle me maître "
    "señor señora señorita sr sra srta don doña d dña signor signora signorina sig dott dottor dottoressa ing avv sig.ra senhor "
    "senhora dona pan pani mijnheer meneer mevrouw captain sergeant officer judge detective nurse coach president dir ms mag dipl lic "
    "uncle aunt grandma grandpa onkel tante oncle tío tía zio zia".split()
)
_PLAIN_TITLES: Final = frozenset(
    "mr mrs ms mx dr prof professor herr herrn frau fräulein monsieur mme madame mlle mademoiselle señor señora señorita sr sra srta "
    "signor signora signorina sig sig.ra dott dottor dottoressa senhor senhora mijnheer meneer mevrouw doña dña".split()
)
"""Titles after which nothing but a name stands."""
_BESIDE_A_TITLE: Final = 80
_SURE_NEIGHBOUR: Final = 50
CUES: Final = frozenset(
    "dear hi hello hey name named called i'm regards cheers thanks sincerely from by author hallo liebe lieber heiße heisse bin namens "
    "grüße gruß bonjour salut cher chère appelle suis cordialement nommé hola querido querida llamo soy saludos llama ciao caro cara "
    "chiamo sono saluti chiama gentile olá oi caro prezada prezado chamo contact patient client customer employee manager colleague "
    "friend brother sister wife husband mother father son daughter boss neighbor neighbour mit with von für for to assigned reviewer "
    "approver owner attn sender recipient kollege kollegin kunde kundin collègue cliente paziente empleado assignee reporter nome nom "
    "nombre imię signed co-authored-by signed-off-by author: met meet asked told call ask tell user".split()
)
"""Words after which a capitalised word is looked at though no list knows it."""


class Names(NamedTuple):
    """What the list knows, and the tagger's weights with the one that is always added."""

    kinds: dict[str, int]
    language: dict[str, str]
    weights: array[float]


@cache
def load() -> Names:
    """Read the list and the weights that `benchmarks/make_tagger.py` made."""
    folder = files("assent.pipeline.redact")
    kinds: dict[str, int] = {}
    language: dict[str, str] = {}
    for line in gzip.decompress((folder / "names.txt.gz").read_bytes()).decode().splitlines():
        word, kind, lang = line.split("\t")
        kinds[word] = int(kind)
        if lang:
            language[word] = lang
    packed = (folder / "tagger.bin").read_bytes()
    scale = array("f", packed[:4])[0]
    return Names(kinds, language, array("f", (one * scale for one in array("b", packed[4:]))))


def language_of(name: str) -> str:
    """Return the language whose names a surrogate takes: the list's answer for the parts of the name, else English."""
    known = load().language
    return next((known[word.lower()] for word in _PART.findall(name) if word.lower() in known), "en")


def shape(word: str) -> str:
    """Say how a word is written: an initial, capitals, capitalised, mixed."""
    if len(word.rstrip(".")) == 1:
        return "I"
    if word.isupper():
        return "U"
    return "C" if word[1:].islower() else "M"


def features(text: str, start: int, parts: list[tuple[str, int, int]], kinds: list[int]) -> list[list[str]]:
    """Describe each part of a run to the tagger: what the list says, the words around, and the place."""
    end = parts[-1][2]
    lead = text[max(0, start - 40) : start]
    line = lead.rpartition("\n")[2]
    words_before = line.split()
    one = words_before[-1].lower().strip("\"'“”„«»(*_[{<`") if words_before else "^"
    two = words_before[-2].lower().strip("\"'“”„«»(*_,") if len(words_before) > 1 else "^"
    near = lead[-1:] or "^"
    key = _KEY.search(line) if near in "\"'" else None
    if key is not None:
        one, two = key[1].lower(), "key"
    tail = text[end : end + 24]
    after = tail.lstrip(" ").split(None, 1)[0].lower().rstrip(".,;:!?)\"'") if tail.strip() else "$"
    close = tail[:1] or "$"
    opens = "s" if not line.strip(" \"'*_>#-\t(“„«") or line.rstrip()[-1:] in ".!?" else "m"
    title = "t" if one.rstrip(".") in _TITLES else "n"
    described = []
    for index, (word, _, _) in enumerate(parts):
        low = word.lower()
        kind = kinds[index]
        previous = kinds[index - 1] if index else -1
        following = kinds[index + 1] if index + 1 < len(parts) else -1
        place = f"{min(index, 2)}/{min(len(parts), 4)}"
        form = shape(word)
        described.append([
            f"k{kind}", f"kp{kind},{previous}", f"kn{kind},{following}", f"kpn{kind},{previous},{following}", f"kl{kind},{place}",
            f"ko{kind},{opens}", f"kt{kind},{title}", f"b{one}" if index == 0 else f"bw{parts[index - 1][0].lower()}",
            f"r{one}", f"kr{kind},{one}", f"t{two},{one}", f"a{after}" if index == len(parts) - 1 else f"aw{parts[index + 1][0].lower()}",
            f"ra{after}", f"ka{kind},{after}", f"c{close},{kind}", f"n{near},{kind}", f"f{form},{kind}", f"x{low[-3:]}", f"y{low[-2:]},{kind}",
            f"w{low}" if kind & (COMMON | PLACE) or not kind else "w", f"s{opens},{place},{form}", f"no{near},{close}",
        ])  # fmt: skip
    return described


def score(described: list[str], weights: array[float]) -> float:
    """Add up the weights of the features of one part."""
    return sum(weights[zlib.crc32(one.encode("utf-8", "replace")) & (SLOTS - 1)] for one in described)


def runs(text: str, known: dict[str, int]) -> list[tuple[int, list[tuple[str, int, int]], list[int]]]:
    """Return the runs of capitalised words that the list or a cue makes candidates, with what the list says."""
    found = []
    for match in RUN.finditer(text):
        start, said = match.start(), match[0].lower()
        if said.isalpha():  # one word, as most are: looked up at once
            listed = bool(known.get(said, 0) & (GIVEN | FAMILY)) or said in _PLAIN_TITLES
        else:
            words = _BREAK.split(said)
            listed = any(known.get(word, 0) & (GIVEN | FAMILY) for word in words) or not _PLAIN_TITLES.isdisjoint(words)
        short = len(said) <= 4 and match[0].isupper()  # an abbreviation, unless something says otherwise
        if (not listed or short) and not _cued(text, start):
            continue
        parts = [(one[0], start + one.start(), start + one.end()) for one in _PART.finditer(match[0])]
        while parts and _CONTRACTION.fullmatch(parts[0][0]):
            parts = parts[1:]
        if not parts:
            continue
        kinds = [known.get(word.lower().rstrip("."), 0) for word, _, _ in parts]
        for index, (word, left, right) in enumerate(parts):
            if kinds[index] == 0 and word[-2:] in {"'s", "’s"}:
                parts[index] = (word[:-2], left, right - 2)
                kinds[index] = known.get(word[:-2].lower(), 0)
            elif kinds[index] == 0 and "-" in word:
                for piece in word.lower().split("-"):
                    kinds[index] |= known.get(piece, 0) & (GIVEN | FAMILY)
        found.append((parts[0][1], parts, kinds))
    return found


def _cued(text: str, start: int) -> bool:
    if start < 2:
        return False
    gap = text[start - 1]
    if gap not in " \t":
        return gap in "\"'\n" and text[max(0, start - 4) : start - 1].rstrip(" ,").endswith(
            (":", "=", "(", "s", "e", "k", "o")
        )
    left = text.rfind(" ", max(0, start - 18), start - 1) + 1 or max(0, start - 18)
    last = text[left : start - 1].lower().strip(_MARKS)
    return last in CUES or last in _TITLES


def find_names(text: str, unsure: int) -> list[Finding]:
    """Find names of people, from `unsure` percent on; offsets are code points of `text`."""
    kinds, _, weights = load()
    found = []
    for start, parts, classes in runs(text, kinds):
        chances = [
            1 / (1 + math.exp(-max(-30.0, min(30.0, score(one, weights)))))
            for one in features(text, start, parts, classes)
        ]
        sure = [round(100 * one) for one in chances]
        for index, (word, _, _) in enumerate(parts):
            titled = _titled(text, start) if index == 0 else parts[index - 1][0].lower().rstrip(".") in _PLAIN_TITLES
            if titled and classes[index] != COMMON and word[:1].isupper():
                sure[index] = max(sure[index], _BESIDE_A_TITLE)
        found += _spans(parts, _with_neighbours(parts, classes, sure), unsure)
    return found


def _titled(text: str, start: int) -> bool:
    """Tell whether a title that is nothing else stands right before."""
    before = text[max(0, start - 18) : start]
    return (
        before.endswith(" ") and before.rstrip().rpartition(" ")[2].lower().strip(_MARKS).rstrip(".") in _PLAIN_TITLES
    )


def _with_neighbours(parts: list[tuple[str, int, int]], kinds: list[int], sure: list[int]) -> list[int]:
    """Take a capitalised word that no list knows for part of the name that it stands beside."""
    found = list(sure)
    for index, (word, _, _) in enumerate(parts):
        plain = word.lower().rstrip(".")
        unknown = not kinds[index] and word[:1].isupper() and len(plain) > 1 and not word.isupper()
        if unknown and plain not in _TITLES:
            beside = max(_nearest(parts, sure, index, step) for step in (-1, 1))
            if beside >= _SURE_NEIGHBOUR:
                found[index] = max(found[index], _SURE_NEIGHBOUR)
    return found


def _nearest(parts: list[tuple[str, int, int]], sure: list[int], index: int, step: int) -> int:
    """Return how sure the next word in a direction is a name; small words between do not count."""
    other = index + step
    while 0 <= other < len(parts) and parts[other][0].islower():
        other += step
    return sure[other] if 0 <= other < len(parts) else 0


def _spans(parts: list[tuple[str, int, int]], chances: list[int], unsure: int) -> list[Finding]:
    """Join neighbours that are names, with the small words between them; particles at the ends do not count."""
    spans: list[Finding] = []
    begin: int | None = None
    for index, (word, _, _) in enumerate([*parts, ("", 0, 0)]):
        inside = index < len(parts) and (chances[index] >= unsure or (word.islower() and begin is not None))
        if inside and begin is None:
            begin = index
        elif not inside and begin is not None:
            end = index
            while end > begin and parts[end - 1][0].islower():
                end -= 1
            best = max(chances[begin:end], default=0)
            right = parts[end - 1][2] - (parts[end - 1][0].endswith(".") and len(parts[end - 1][0]) > 2)
            spans.append(Finding("name", parts[begin][1], right, best))
            begin = None
    return spans
