"""Make the list of names and the tagger that redaction ships: `python -m benchmarks.make_tagger`. Seeded, repeatable.

The list comes from the names, places and words of Faker (MIT licence), from the territories, months and days of CLDR
(Babel) and from lists of our own. The tagger learns from sentences of our own, filled with names of which nearly half
are hidden from the list, as are many everyday words, and from dialogue without names: public conversations in the
folder that ASSENT_DATA names, or none.
"""

# ruff: noqa: C901, PLR0911, PLR0912 - made-up texts and tables are easier to read on one line

from __future__ import annotations

import gzip
import importlib
import json
import os
import random
import re
import sys
import zlib
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
from babel import Locale
from faker.config import AVAILABLE_LOCALES
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from assent.pipeline.redact import names, reserved
from benchmarks.tagger_sentences import (
    CITIES,
    EVERYDAY,
    FUNCTION_WORDS,
    KIN,
    MORE_FAMILY,
    MORE_GIVEN,
    NO_NAMES,
    OTHER,
    PEOPLE,
    THINGS,
    VOCABULARY,
)

SEED = 20_261_123
FOLDER = Path(names.__file__).parent
LATIN = re.compile(r"[^\W\d_]['’.\w-]*")
SPOKEN = {"en": ("en",), "de": ("de",), "fr": ("fr",), "es": ("es",), "it": ("it",)}
LOREM = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT"}
RARE = 3
HIDDEN_WORDS = 0.4
HIDDEN = 0.45
LINES = 140_000


def provider(kind: str, locale: str) -> object | None:
    try:
        return importlib.import_module(f"faker.providers.{kind}.{locale}").Provider
    except (ImportError, AttributeError):
        return None


def words_of(source: object, *fields: str) -> list[str]:
    found: list[str] = []
    for field in fields:
        value = getattr(source, field, ())
        value = () if isinstance(value, property) or callable(value) else list(value)
        found += [
            word for entry in value for word in ([entry] if isinstance(entry, str) else entry) if isinstance(word, str)
        ]
    return [word.strip() for word in found if word.isascii() or word[0].lower() != word[0].upper()]


def gather() -> tuple[dict[str, int], dict[str, str], dict[str, tuple[list[str], list[str]]], list[str]]:
    kinds: Counter[str] = Counter()
    language: dict[str, str] = {}
    pools: dict[str, tuple[list[str], list[str]]] = {}
    places: set[str] = set()
    for locale in sorted(AVAILABLE_LOCALES, key=lambda one: (one.split("_")[0] not in SPOKEN, one)):
        person, address = provider("person", locale), provider("address", locale)
        lang = locale.split("_")[0]
        given = words_of(person, "first_names", "first_names_male", "first_names_female", "first_romanized_names")
        family = words_of(person, "last_names", "last_names_male", "last_names_female", "last_romanized_names")
        given, family = ([one for one in pool if LATIN.fullmatch(one)] for pool in (given, family))
        for bit, pool in ((names.GIVEN, given), (names.FAMILY, family)):
            for entry in pool:
                for word in {entry.lower(), *entry.lower().split("-")}:
                    if len(word) > 1:
                        kinds[word] |= bit
                        if lang in SPOKEN:
                            language.setdefault(word, lang)
        if given and family:
            old = pools.setdefault(lang, ([], []))
            old[0].extend(sorted(set(given)))
            old[1].extend(sorted(set(family)))
        for entry in words_of(
            address, "cities", "states", "countries", "city_names", "provinces", "departments", "regions"
        ):
            places.add(entry)
    for bit, more in ((names.GIVEN, MORE_GIVEN), (names.FAMILY, MORE_FAMILY)):
        for word in more:
            kinds[word] |= bit
    pools["more"] = ([one.title() for one in MORE_GIVEN], [one.title() for one in MORE_FAMILY])
    for code in ("en", "de", "fr", "es", "it", "pt", "nl", "pl"):
        talk = Locale(code)
        places |= {zone["city"] for zone in talk.time_zones.values() if "city" in zone}
        places |= {one for one in talk.territories.values() if len(one) < 30}
        for calendar in (talk.months["format"]["wide"], talk.days["format"]["wide"]):
            for word in calendar.values():
                kinds[word.lower()] |= names.COMMON
        for word in talk.languages.values():
            if " " not in word:
                kinds[word.lower()] |= names.COMMON
    for entry in places | set(THINGS["place"]) | set(CITIES):
        for word in LATIN.findall(entry.lower()):
            if len(word) > 2:
                kinds[word] |= names.PLACE
    for locale in LOREM.values():
        for entry in words_of(provider("lorem", locale), "word_list"):
            if " " not in entry and len(entry) > 2:
                kinds[entry.lower()] |= names.COMMON
    for locale in ("de_AT", "fr_FR", "es_ES", "en_US"):
        for entry in words_of(provider("job", locale), "jobs"):
            for word in re.findall(r"[^\W\d_]{4,}", entry.lower()):
                kinds[word] |= names.COMMON
    for word in [*EVERYDAY, *VOCABULARY, *(one.lower() for field in ("noun", "head") for one in THINGS[field])]:
        kinds[word] |= names.COMMON
    for word in FUNCTION_WORDS:
        # as a name it is so rare that a sentence would have to say so
        kinds[word] = names.COMMON
    return kinds, language, pools, sorted(places | {one.title() for one in CITIES})


def dialogue(limit: int) -> list[str]:
    folder = os.environ.get("ASSENT_DATA")
    if not folder:
        print("ASSENT_DATA is not set: no real dialogue among the negatives", file=sys.stderr)
        return []
    texts = []
    with gzip.open(Path(folder, "conversations/hh-rlhf-harmless/test.jsonl.gz"), "rt") as lines:
        texts += [json.loads(line)["chosen"] for line in lines][:1500]
    with Path(folder, "conversations/arena-hard/conversations.jsonl").open() as lines:
        texts += [m["content"] for line in lines for m in json.loads(line)["messages"]]
    return texts[:limit]


def everyday_words(texts: list[str], known: dict[str, int]) -> None:
    """Mark words that dialogue writes small as everyday words: Will, Rose, Mark."""
    small = Counter(word for text in texts for word in re.findall(r"(?<![\w'])[a-z]{2,}", text))
    for word, count in small.items():
        if count >= 6 or (count >= 3 and known.get(word, 0)):
            known[word] = known.get(word, 0) | names.COMMON


class Maker:
    """Fills sentences with names and things, and knows which words of the result are names."""

    def __init__(self, pools: dict[str, tuple[list[str], list[str]]], places: list[str]) -> None:
        self.chance = random.Random(SEED)
        self.pools, self.places = pools, places
        self.words = {
            lang: [one for one in words_of(provider("lorem", locale), "word_list") if one.isalpha() and len(one) > 3]
            for lang, locale in LOREM.items()
        }

    def name(self, lang: str, form: str) -> str:
        chance = self.chance
        pool = self.pools[lang if lang in self.pools and chance.random() < 0.75 else chance.choice(sorted(self.pools))]
        given, family = chance.choice(pool[0]), chance.choice(pool[1])
        if form == "given":
            return given
        if form == "family":
            return family
        roll = chance.random()
        if roll < 0.03:
            return f"{given} {family[0]}."
        if roll < 0.07:
            return f"{given} {chance.choice('ABCDEFGHJKLMPRST')}. {family}"
        if roll < 0.12:
            return f"{given} {chance.choice(pool[0])} {family}"
        if lang in {"es", "pt"} and roll < 0.4:
            return f"{given} {family} {chance.choice(pool[1])}"
        if roll < 0.16:
            return f"{given} {family}-{chance.choice(pool[1])}"
        return f"{given[0]}. {family}" if roll < 0.19 else f"{given} {family}"

    def line(self, lang: str, template: str) -> tuple[str, list[tuple[int, int]]]:
        pieces, spans, length = [], [], 0
        for piece in re.split(r"(\{\w+\})", template):
            if piece in {"{full}", "{given}", "{family}", "{upgiven}", "{upfamily}"}:
                text = self.name(lang, piece[1:-1].removeprefix("up"))
                text = text.upper() if piece.startswith("{up") else text
                spans.append((length, length + len(text)))
            elif piece == "{place}":
                text = self.chance.choice(self.places)
            elif piece == "{kin}":
                text = self.chance.choice(KIN[lang if lang in KIN else "en"])
            elif piece == "{word}":
                text = self.chance.choice(self.words[lang if lang in self.words else "en"])
                text = text[0].upper() + text[1:]
            elif piece == "{compound}":
                first, second = self.chance.sample(THINGS["noun"], 2)
                text = first + self.chance.choice(("", "", "s")) + second.lower()
            elif piece.startswith("{") and piece[1:-1] in THINGS:
                text = self.chance.choice(THINGS[piece[1:-1]])
            elif piece == "{n}":
                text = str(self.chance.randint(1, 400))
            else:
                text = piece
            pieces.append(text)
            length += len(text)
        return "".join(pieces), spans


def rows(text: str, spans: list[tuple[int, int]], known: dict[str, int], *, real: bool) -> list[tuple[list[str], int]]:
    made = []
    for start, parts, kinds in names.runs(text, known):
        if real and any(kind & names.GIVEN and not kind & (names.COMMON | names.PLACE) for kind in kinds):
            continue
        described_parts = names.features(text, start, parts, kinds, known, german=names.is_german(text))
        for (_, left, right), described in zip(parts, described_parts, strict=True):
            label = any(a <= left and right <= b for a, b in spans)
            # the words of names that no list knows are not learnt by heart: others will stand there
            by_heart = label and "k0" in described
            made.append(([one for one in described if one[0] != "w"] if by_heart else described, int(label)))
    return made


def train(kinds: dict[str, int], maker: Maker, texts: list[str]) -> array:
    chance = maker.chance
    samples: list[tuple[list[str], int]] = []
    everyone = sorted({one.lower() for pool in maker.pools.values() for names_ in pool for one in names_})
    everyday = sorted({one.lower() for words in maker.words.values() for one in words} - set(FUNCTION_WORDS))
    everyday += [one.lower() for field in ("noun", "head") for one in THINGS[field]]
    THINGS["plain"] = [one for one in THINGS["brand"] if not kinds.get(one.lower(), 0) & (names.GIVEN | names.FAMILY)]
    for index in range(LINES):
        if index % 500 == 0:
            hidden = set(chance.sample(everyone, int(HIDDEN * len(everyone))))
            unheard = set(chance.sample(everyday, int(HIDDEN_WORDS * len(everyday))))
            known = {
                # what is a word or a place as well stays what it is: else every place would look like a name
                word: kind
                for word, kind in kinds.items()
                if (word not in hidden or kind & ~3) and (word not in unheard or kind != names.COMMON)
            }
        lang = chance.choice(sorted(NO_NAMES))
        before, after = (chance.choice(NO_NAMES[lang]) if chance.random() < 0.3 else "" for _ in range(2))
        pool = PEOPLE if chance.random() < 0.5 else OTHER
        template = chance.choice(pool[lang] + pool["any"])
        text, spans = maker.line(lang, " ".join(one for one in (before, template, after) if one))
        samples += rows(text, spans, known, real=False)
    for text in texts:
        samples += 2 * rows(text, [], kinds, real=True)
    chance.shuffle(samples)
    print(f"{len(samples)} words, {sum(label for _, label in samples)} of names")
    often = Counter(one for described, _ in samples for one in described)
    indices, pointers = [], [0]
    for described, _ in samples:
        # what is rare would only blur the slot that it shares
        keep = [one for one in described if often[one] > RARE and chance.random() > 0.15]
        indices += [zlib.crc32(one.encode()) & (names.SLOTS - 1) for one in keep]
        pointers.append(len(indices))
    matrix = csr_matrix((np.ones(len(indices), np.float32), indices, pointers), shape=(len(samples), names.SLOTS))
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=12, tol=None, random_state=SEED, average=True)
    model.fit(matrix, [label for _, label in samples])
    print("intercept", model.intercept_[0])
    weights = model.coef_[0].copy()
    # every word has exactly one feature of this kind, so the intercept hides in those
    for form in "IUCM":
        for kind in range(16):
            weights[zlib.crc32(f"f{form},{kind}".encode()) & (names.SLOTS - 1)] += model.intercept_[0]
    return weights


def main() -> None:
    kinds, language, pools, places = gather()
    texts = dialogue(3000)
    everyday_words(texts, kinds)
    for one in reserved.NAMES | set(reserved.STREETS):
        kinds.pop(one.lower(), None)
    lines = "".join(f"{word}\t{kind}\t{language.get(word, '')}\n" for word, kind in sorted(kinds.items()))
    (FOLDER / "names.txt.gz").write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    weights = train(dict(kinds), Maker(pools, places), texts)
    scale = float(np.percentile(np.abs(weights), 99.97)) / 127
    packed = np.clip(np.round(weights / scale), -127, 127).astype(np.int8)
    (FOLDER / "tagger.bin").write_bytes(array("f", [scale]).tobytes() + packed.tobytes())
    print(len(kinds), "words listed")


if __name__ == "__main__":
    main()
