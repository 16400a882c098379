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
_REMEMBERED: Final = 60_000
SLOTS: Final = 1 << 15
"""Weights of the tagger; features are hashed into them by CRC-32."""
_LANGUAGES: Final = ("en", "de", "fr", "es", "it")

_UPPER: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽȘȚ"
_REST: Final = r"(?:[^\W\d_]|['’](?=[^\W\d_]))*"
_CAP: Final = rf"[{_UPPER}]{_REST}"
_WORD: Final = rf"{_CAP}(?:-{_CAP})*"
# the capital comes first, and then what must not stand before it: so the search leaps from capital to capital
_FIRST: Final = rf"[{_UPPER}](?<![\w@#$\\.-][{_UPPER}])(?<!\w['’][{_UPPER}]){_REST}(?:-{_CAP})*"
_LINK: Final = r"(?: (?:de la|de los|de las|de|del|della|di|da|do|dos|van der|van den|van de|van|von der|von|zu|der|den|ter|ten|la|le|du|bin|ibn|al|el|y|e)(?= ))"
_DOT: Final = rf"(?:(?:(?<=\b[{_UPPER}])|(?<=\bDr)|(?<=\bMr)|(?<=\bMrs)|(?<=\bMs)|(?<=\bProf)|(?<=\bSt)|(?<=\bSr)|(?<=\bSra))\.(?= [{_UPPER}]))?"
"""A full stop that ends no sentence: after an initial or a title."""
RUN: Final = re.compile(rf"{_FIRST}{_DOT}(?:{_LINK}{{0,2}} (?:{_WORD}){_DOT})*(?![\w@\\(]|/(?![{_UPPER}]))")
_BREAK: Final = re.compile(r"[-. ]+|['’]s(?= |$)")
_MARKS: Final = "\n\"'“”„«»(*_:,.[{<`\\"
_KEY: Final = re.compile(r"([\w-]{1,24})\\?[\"']?\s*(?:=>|[:=])\s?\\?[\"']$")
_CONTRACTION: Final = re.compile(
    r"[A-Z][a-z]+n['’]t|[CDJLMNSTQ]['’][a-zà-ÿ].*|(?:I|You|We|They|He|She|It|That|There|Let|Who|What|Here)['’](?:m|s|re|ve|ll|d)"
)
"""Words that stand before a name and are none: `I'm Priya`."""
_JOINS: Final = frozenset(",/&;|\t\n+")
_ANDS: Final = frozenset(
    ("und", "y", "e", "et", "and", "&", "/", "+", "or", "oder", "o", "ou", "i", "ed", "mit", "with", "con", "avec")
)
_AND: Final = r"(?:und|y|e|et|and|&|/|\+|or|oder|o|ou|ed|mit|with|con|avec|,|;|\||\t)"
_LEFT: Final = re.compile(rf"({_CAP})[\"']? ?{_AND} ?[\"']?$")
_RIGHT: Final = re.compile(rf"[\"']? ?{_AND} ?[\"']?({_CAP})")
_OF_THINGS: Final = (
    "tion", "tions", "sion", "ism", "ness", "ize", "able", "ible", "ility", "ology", "ware", "ically", "ierung", "igung", "ltung", "llung",
    "ndung", "chung", "hrung", "ssung", "keit", "heit", "schaft", "ität", "zione", "zioni", "sione", "ción", "ciones", "sión", "idad", "mente",
)  # fmt: skip
_ABBREVIATED: Final = re.compile(
    rf"[{_UPPER}]{{2}}|-[{_UPPER}](?![^\W\d_])|(?:^|-)[{_UPPER}]-|[nN]['’]t\b|['’](?:ll|re|ve|m|d)\b"
)
_SLASHED: Final = re.compile(rf"(?:^|[\s\"'(,;]){_CAP}/$")
_SLASHES: Final = re.compile(rf"/{_CAP}(?![\w@/\\.(])")
_VERBS: Final = frozenset(
    "hat sagt sagte meint will kann ist war und ruft kommt wohnt said says told is was has and called wants thinks asked lives a est dit et "
    "veut habite dice dijo ha es y quiere vive tiene e vuole abita".split()
)
"""Words that go on after a name at the start of a sentence."""
_AFTER_A_NAME: Final = frozenset(":;,(\t|/'\"\n")
_PART: Final = re.compile(r"[^\W\d_](?:[\w'’-])*\.?")
_TITLES: Final = frozenset(
    "mr mrs ms miss mx dr prof professor sir madam herr herrn frau fräulein monsieur m mme madame mlle mademoiselle me maître "
    "señor señora señorita sr sra srta don doña d dña signor signora signorina sig dott dottor dottoressa ing avv sig.ra senhor "
    "senhora dona pan pani mijnheer meneer mevrouw captain sergeant officer judge detective nurse coach president dir ms mag dipl lic "
    "uncle aunt auntie grandma grandpa granny nan onkel tante oma opa oncle tonton mamie papi tío tía abuela abuelo zio zia nonna nonno "
    "ehepaar familie eheleute geschwister notaire ingegner ingegnere geometra ragionier ragioniere professoressa maestra maestro docteur "
    "doctor doctora licenciado licenciada lic arq ingeniero avvocato avvocatessa architetto padre suor fra pfarrer schwester "
    "reverend rev father lady lord capt sgt constable".split()
)
_PLAIN_TITLES: Final = frozenset(
    "mr mrs ms mx dr prof professor herr herrn frau fräulein monsieur mme madame mlle mademoiselle señor señora señorita sr sra srta "
    "signor signora signorina sig sig.ra dott dottor dottoressa senhor senhora mijnheer meneer mevrouw doña dña".split()
)
"""Titles after which nothing but a name stands."""
_STRANGE: Final = 20
"""How much surer than the rest the tagger must be of a word that no list knows."""
_BESIDE_A_TITLE: Final = 80
_SURE_NEIGHBOUR: Final = 50
CUES: Final = frozenset(
    "dear hi hello hey name named called i'm regards cheers thanks sincerely from by author hallo liebe lieber heiße heisse bin namens "
    "grüße gruß bonjour salut cher chère appelle suis cordialement nommé hola querido querida llamo soy saludos llama ciao caro cara "
    "chiamo sono saluti chiama gentile olá oi caro prezada prezado chamo contact patient client customer employee manager colleague "
    "friend brother sister wife husband mother father son daughter boss neighbor neighbour mit with von für for to assigned reviewer "
    "approver owner attn sender recipient kollege kollegin kunde kundin collègue cliente paziente empleado assignee reporter nome nom "
    "nombre imię signed co-authored-by signed-off-by author: met meet asked told call ask tell user "
    "landlord landlady tenant flatmate roommate housemate plumber teacher tutor cousin nephew niece grandson granddaughter grandmother "
    "grandfather girlfriend boyfriend fiancé fiancée partner ex stepson stepdaughter bro mate pupil babysitter witness "
    "mitarbeiter mitarbeiterin nachbar nachbarin vermieter vermieterin mieter mieterin freund freundin bruder sohn tochter vater mutter "
    "mann cousine vetter neffe nichte enkel enkelin schwager schwägerin schwiegermutter schwiegervater lehrer lehrerin autor autorin "
    "betreuer betreuerin trainer trainerin ansprechpartner ansprechpartnerin patientin hausmeister zeuge zeugin "
    "fils fille frère soeur sœur mari femme épouse père mère cousin voisin voisine patron patronne propriétaire locataire copain copine "
    "ami amie neveu nièce élève serveur prénom bisabuela bisabuelo par certain certaine auteur autrice s'appelle "
    "hijo hija hermano hermana marido mujer esposa esposo novio novia madre primo prima vecino vecina jefe jefa casero casera inquilino "
    "inquilina amigo amiga sobrino sobrina nieto nieta suegra suegro cuñado cuñada alumno alumna panadero autora tal "
    "figlio figlia fratello sorella marito moglie cugino cugina capo inquilino inquilina amico amica nipote suocera suocero cognato "
    "cognata fidanzato fidanzata compagno compagna dipendente collega bisnonna bisnonno autore autrice".split()
)
"""Words after which a capitalised word is looked at though no list knows it."""


class Weights(dict[str, float]):
    """Weights of features by their text; those asked for before are found without hashing them again."""

    def __init__(self, slots: array[float]) -> None:
        self._slots = slots

    def __missing__(self, feature: str) -> float:
        """Look a weight up in its slot; remember it while there is room."""
        weight = self._slots[zlib.crc32(feature.encode("utf-8", "replace")) & (SLOTS - 1)]
        if len(self) < _REMEMBERED:
            self[feature] = weight
        return weight


class Names(NamedTuple):
    """What the list knows, and the tagger's weights with the one that is always added."""

    kinds: dict[str, int]
    language: dict[str, str]
    weights: Weights


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
    return Names(kinds, language, Weights(array("f", (one * scale for one in array("b", packed[4:])))))


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


def features(
    text: str, start: int, parts: list[tuple[str, int, int]], kinds: list[int], known: dict[str, int], *, german: bool
) -> list[list[str]]:
    """Describe each part of a run to the tagger: what the list says, the words around, the place, the language."""
    end = parts[-1][2]
    lead = text[max(0, start - 48) : start]
    line = lead.rpartition("\n")[2]
    words_before = line.split()
    one = words_before[-1].lower().strip("\"'“”„«»(*_[{<`") if words_before else "^"
    two = words_before[-2].lower().strip("\"'“”„«»(*_,") if len(words_before) > 1 else "^"
    near = lead[-1:] or "^"
    key = _KEY.search(line) if near in "\"'" else None
    if key is not None:
        one, two = key[1].lower(), "key"
    tail = text[end : end + 40]
    after = tail.lstrip(" ").split(None, 1)[0].lower().rstrip(".,;:!?)\"'") if tail.strip() else "$"
    close = tail[:1] or "$"
    opens = "s" if not line.strip(" \"'*_>#-\t(“„«") or line.rstrip()[-1:] in ".!?" else "m"
    title = "t" if one.rstrip(".") in _TITLES else "n"
    where, behind = _before(line), _behind(tail)
    left = _beside(_LEFT.search(line), known) if where in _JOINS or one in _ANDS else "-"
    right = _beside(_RIGHT.match(tail), known) if close in _JOINS or after in _ANDS else "-"
    tongue = "g" if german else "o"
    described = []
    for index, (word, _, _) in enumerate(parts):
        low = word.lower()
        kind = kinds[index]
        previous = kinds[index - 1] if index else -1
        following = kinds[index + 1] if index + 1 < len(parts) else -1
        place = f"{min(index, 2)}/{min(len(parts), 4)}"
        form = shape(word)
        name = "n" if kind & (GIVEN | FAMILY) else "c" if kind else "u"
        one_said = [
            f"k{kind}", f"kp{kind},{previous}", f"kn{kind},{following}", f"kpn{kind},{previous},{following}", f"kl{kind},{place}",
            f"ko{kind},{opens}", f"kt{kind},{title}", f"b{one}" if index == 0 else f"bw{parts[index - 1][0].lower()}",
            f"r{one}", f"kr{kind},{one}", f"t{two},{one}", f"a{after}" if index == len(parts) - 1 else f"aw{parts[index + 1][0].lower()}",
            f"ra{after}", f"ka{kind},{after}", f"c{close},{kind}", f"n{near},{kind}", f"f{form},{kind}", f"x{low[-3:]}", f"y{low[-2:]},{kind}",
            f"w{low}" if kind & (COMMON | PLACE) or not kind else "w", f"s{opens},{place},{form}", f"no{near},{close}",
            f"W{where},{name},{min(len(parts), 3)}", f"V{behind},{name}", f"WV{where},{behind},{name}", f"L{left},{right},{name}", f"G{tongue}{where},{kind},{form}",
        ]  # fmt: skip
        if name != "n":
            one_said.append(f"Gx{tongue}{low[-4:]}")
            if name == "u":
                padded = f"^{low}$"
                one_said += [f"q{padded[at : at + 3]}" for at in range(min(len(low), 12))]
                made_of = _compound(low, known)
                one_said += (f"h{made_of}", f"H{tongue}{made_of},{where}")
        described.append(one_said)
    return described


def _before(line: str) -> str:
    """Say what kind of sign stands before a run, blanks aside: a letter, a digit, the start of the line, or the sign."""
    cut = line.rstrip(" \t")
    last = cut[-1:]
    if last.isalpha():
        return "w" if cut[-2:].islower() else "W"
    if last.isdigit():
        return "d"
    return last or "^"


def _behind(tail: str) -> str:
    """Say what follows a run, blanks and one sign aside: a number, a mail address, a capital, small letters."""
    first = tail[:1] or "$"
    rest = tail.lstrip(" ,;:|\t\"'(")
    token = rest[:24].split(None, 1)[0] if rest and not rest[0].isspace() else ""
    if not token:
        return first
    kind = (
        "@"
        if "@" in token
        else "d"
        if token[0].isdigit() or token[0] == "+"
        else "U"
        if token[0].isupper()
        else "l"
        if token[0].islower()
        else token[0]
    )
    return (first if first in " ,;:|(\t/\"'" else "") + kind


def _beside(match: re.Match[str] | None, known: dict[str, int]) -> str:
    """Say what the list knows of a capitalised word that stands beside, after a comma or an `and`."""
    if match is None:
        return "0"
    return str(known.get(match[1].lower(), 0) & (GIVEN | FAMILY | COMMON | PLACE)) + ("U" if match[1].isupper() else "")


def _compound(low: str, known: dict[str, int]) -> str:
    """Say whether a word that no list knows is made of words that it knows: another form of one, or two nouns in one."""
    for cut in (1, 2):
        kind = known.get(low[:-cut], 0)
        if kind & (COMMON | PLACE) and len(low) > cut + 3:
            return f"s{kind}"
    for cut in range(4, len(low) - 3):
        if known.get(low[cut:], 0) & COMMON:
            head = low[:cut]
            return "b" if known.get(head, 0) & COMMON or known.get(head.removesuffix("s"), 0) & COMMON else "e"
    return "-"


def is_german(text: str) -> bool:
    """Tell whether a text looks German, where every noun has a capital."""
    return " und " in text or " der " in text or " ist " in text or " ich " in text or " die " in text


def score(described: list[str], weights: Weights) -> float:
    """Add up the weights of the features of one part."""
    return sum(map(weights.__getitem__, described))


def runs(text: str, known: dict[str, int]) -> list[tuple[int, list[tuple[str, int, int]], list[int]]]:
    """Return the runs of capitalised words that the list, a cue or the place makes candidates, with what the list says."""
    found = []
    for match in RUN.finditer(text):
        start, written = match.start(), match[0]
        said = written.lower()
        if said.isalpha():  # one word, as most are: looked up at once
            kind = known.get(said, 0)
            if kind == COMMON and said not in _PLAIN_TITLES:
                continue
            listed = bool(kind & (GIVEN | FAMILY)) or said in _PLAIN_TITLES
            strange = not kind and len(said) > 2 and written[1:].islower() and not _formed(said, known)
        else:
            words = _BREAK.split(said)
            listed = any(known.get(word, 0) & (GIVEN | FAMILY) for word in words) or not _PLAIN_TITLES.isdisjoint(words)
            strange = not listed and any(len(word) > 2 and word not in known for word in words) and _written(written)
        short = len(said) <= 4 and written.isupper()  # an abbreviation, unless something says otherwise
        if (not listed or short) and not (_cued(text, start) or (strange and _placed(text, start, match.end()))):
            continue
        if ("-" in written and " " not in written and _ABBREVIATED.search(written)) or not _paired(
            text, start, match.end()
        ):
            continue
        parts, kinds = _taken_apart(written, start, known)
        if parts:
            found.append((parts[0][1], parts, kinds))
    return found


def _taken_apart(written: str, start: int, known: dict[str, int]) -> tuple[list[tuple[str, int, int]], list[int]]:
    """Return the words of a run and what the list says of each."""
    parts = [(one[0], start + one.start(), start + one.end()) for one in _PART.finditer(written)]
    while parts and _CONTRACTION.fullmatch(parts[0][0]):
        parts = parts[1:]
    kinds = [known.get(word.lower().rstrip("."), 0) for word, _, _ in parts]
    for index, (word, left, right) in enumerate(parts):
        if kinds[index] == 0 and word[-2:] in {"'s", "’s"}:
            parts[index] = (word[:-2], left, right - 2)
            kinds[index] = known.get(word[:-2].lower(), 0)
        elif kinds[index] == 0 and "-" in word:
            for piece in word.lower().split("-"):
                kinds[index] |= known.get(piece, 0) & (GIVEN | FAMILY)
    return parts, kinds


def _formed(low: str, known: dict[str, int]) -> bool:
    """Tell whether a word is another form of an everyday word, or ends as words for things do and names do not."""
    return (
        low.endswith(_OF_THINGS)
        or (low[-1] == "s" and known.get(low[:-1], 0) & 15 in {COMMON, PLACE, COMMON | PLACE})
        or (low.endswith("ly") and bool(known.get(low[:-2], 0) & COMMON))
    )


def _written(said: str) -> bool:
    """Tell whether words of a run are written as names are: a capital and small letters, no abbreviation joined on."""
    return not _ABBREVIATED.search(said) and not _CONTRACTION.match(said)


def _paired(text: str, start: int, end: int) -> bool:
    """Tell whether a slash beside a run, where there is one, joins two words: `Ann/Bob`, not the steps of a path."""
    before, behind = text[start - 1 : start] == "/", text[end : end + 1] == "/"
    if not before and not behind:
        return True
    if before and behind:
        return False
    return (_SLASHED.search(text[max(0, start - 24) : start]) if before else _SLASHES.match(text, end)) is not None


def _placed(text: str, start: int, end: int) -> bool:
    """Tell whether a word that no list knows stands where a name may stand."""
    near = text[start - 1] if start else "\n"
    if near == " " and start > 1:
        near = text[start - 2]
        if near not in ".!?*>#":
            return True
    if near in "\"'(«„“,;[>\t|/":
        return True
    sign, follows = text[end : end + 1], text[end + 1 : end + 2]
    if sign == " ":
        return not follows.isalpha() or follows.isupper() or text[end + 1 : end + 12].split(" ", 1)[0] in _VERBS
    return sign in _AFTER_A_NAME


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
    german = is_german(text)
    for start, parts, classes in runs(text, kinds):
        sure = [
            _percent(score(one, weights)) - (0 if kind else _STRANGE)
            for one, kind in zip(features(text, start, parts, classes, kinds, german=german), classes, strict=True)
        ]
        for index, (word, _, _) in enumerate(parts):
            if sure[index] < _BESIDE_A_TITLE and classes[index] != COMMON and word[:1].isupper():
                before = parts[index - 1][0].lower().rstrip(".") in _PLAIN_TITLES if index else _titled(text, start)
                if before:
                    sure[index] = _BESIDE_A_TITLE
        if max(sure) >= unsure:
            found += _spans(parts, _with_neighbours(parts, classes, sure), unsure)
    return found


def _percent(weight: float) -> int:
    """Turn the sum of weights into percent."""
    if -30 < weight < 30:
        return round(100 / (1 + math.exp(-weight)))
    return 100 if weight > 0 else 0


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
