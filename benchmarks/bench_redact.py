"""Redaction beside Presidio as it comes: precision and recall by type on texts written apart, and speed on the same.

Presidio runs in the environment whose interpreter ASSENT_PEERS names. Its names come from a spaCy model where one is
installed there; with none it looks by patterns only, and that is said. A finding counts for a labelled span if it has
the type of the span and overlaps it.
"""

# ruff: noqa: E501 - made-up texts and tables are easier to read on one line

from __future__ import annotations

import gzip
import json
import subprocess
from collections import Counter
from functools import partial
from typing import Any

from assent.pipeline.redact.find import candidates
from assent.pipeline.redact.finding import RedactTerms
from benchmarks.board.rounds import (
    Times,
    cpu,
    growth,
    in_turn,
    no_data,
    no_peers,
    peers_environment,
    public_data,
    setting,
    thirds,
)
from benchmarks.board.values import Figure, Growth, Headline, Result, Spread, Table, Words
from benchmarks.redact_set.make import Document, documents
from benchmarks.redact_set.unseen import unseen

ROUNDS = setting("ROUNDS", 5, small=2)
TEXTS = setting("TEXTS", 458, small=64)
TALKS = setting("TALKS", 400, small=16)
DIALOGUE = public_data() / "conversations/hh-rlhf-harmless/test.jsonl.gz"
EVERYTHING = RedactTerms()
STRUCTURED = RedactTerms(types=EVERYTHING.types - {"name"})
PEER_TYPES = {
    "CREDIT_CARD": "card", "EMAIL_ADDRESS": "mail", "IBAN_CODE": "iban", "IP_ADDRESS": "ip", "MAC_ADDRESS": "mac", "PHONE_NUMBER": "phone",
    "US_SSN": "national_id", "UK_NINO": "national_id", "ES_NIF": "national_id", "ES_NIE": "national_id", "IT_FISCAL_CODE": "national_id",
    "DE_TAX_ID": "national_id", "FR_NIR": "national_id", "PERSON": "name", "LOCATION": "address", "STREET_ADDRESS": "address",
    "US_ITIN": "national_id", "UK_NHS": "national_id", "US_PASSPORT": "national_id", "US_DRIVER_LICENSE": "national_id",
}  # fmt: skip
PEER = """
import json, sys, time
import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
model = next((m for m in ("en_core_web_lg", "en_core_web_sm", "fr_core_news_sm") if spacy.util.is_package(m)), None)
class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}
    def load(self): pass
engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
texts = json.load(sys.stdin)
engine.analyze(texts[0], "en")
start = time.process_time()
found = [[(one.entity_type, one.start, one.end, one.score) for one in engine.analyze(text, "en")] for text in texts]
print(json.dumps({"seconds": time.process_time() - start, "found": found, "model": model}))
"""


def score(rows: list[Document], found: list[list[tuple[str, int, int]]]) -> dict[str, tuple[int, int, int]]:
    """Count hits, misses and false findings by type."""
    hits, misses, false = Counter[str](), Counter[str](), Counter[str]()
    for row, got in zip(rows, found, strict=True):
        used = set()
        for kind, start, end in row.spans:
            over = {one for one in got if one[0] == kind and one[1] < end and start < one[2]}
            used |= over
            (hits if over else misses)[kind] += 1
        false.update(one[0] for one in set(got) - used)
    return {kind: (hits[kind], misses[kind], false[kind]) for kind in sorted({*hits, *misses, *false})}


def shown(counts: tuple[int, int, int] | None) -> str:
    """Write precision, recall and F1."""
    if counts is None or not counts[0]:
        return "finds none"
    precision, recall, f1 = of(counts)
    return f"{precision:.3f}, {recall:.3f}, {f1:.3f}"


def of(counts: tuple[int, int, int]) -> tuple[float, float, float]:
    hit, miss, false = counts
    precision, recall = hit / max(hit + false, 1), hit / max(hit + miss, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def ours(texts: list[str], terms: RedactTerms) -> list[list[tuple[str, int, int]]]:
    return [[one[:3] for one in candidates(text, terms) if one.score >= terms.sure] for text in texts]


def dialogue() -> list[str]:
    """Read real conversations, to measure speed on."""
    if not DIALOGUE.exists():
        return []
    with gzip.open(DIALOGUE, "rt") as lines:
        return [json.loads(line)["chosen"] for line in lines][:TALKS]


def peer_found(texts: list[str]) -> dict[str, Any]:
    """Run Presidio in its own environment."""
    command = [peers_environment(), "-c", PEER]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def speed(name: str, texts: list[str]) -> tuple[list[Figure], list[Figure], Growth]:
    """Measure speed on these texts, of ours and of the peer; returns figures, ratios, and the growth of ours."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    sides = {"without names": partial(ours, texts, STRUCTURED), "with names": partial(ours, texts, EVERYTHING)}
    times = in_turn(sides, ROUNDS, cpu)
    figures = [Figure(f"{name}, {side}", times.rate(side, size), "MB a CPU second") for side in sides]
    ratios = []
    if peers_environment():
        peer = float(peer_found(texts)["seconds"])
        figures.append(Figure(f"{name}, Presidio", Spread.single(size / peer), "MB a CPU second"))
        ratios = [
            Figure(f"{name}, {side}, against Presidio", Spread.of([s / peer for s in times[side]])) for side in sides
        ]
    by_size = {count: partial(ours, texts[:count], EVERYTHING) for count in thirds(len(texts))}
    grown: Times = in_turn({str(count): work for count, work in by_size.items()}, ROUNDS, cpu)
    return figures, ratios, growth(f"{name}, CPU", {count: grown[str(count)] for count in by_size}, of="texts")


def measure() -> Result:
    """Score both on the half of the texts written apart that nobody looks at, then time both on the same texts."""
    rows = unseen()[:TEXTS]
    texts = [row.text for row in rows]
    mine, peer, absent, notes = score(rows, ours(texts, EVERYTHING)), {}, [], []
    own = documents("test")
    known = score(own, ours([row.text for row in own], EVERYTHING))
    if peers_environment():
        answer = peer_found(texts)
        found = answer["found"]
        peer = score(rows, [[(PEER_TYPES.get(kind, kind), start, end) for kind, start, end, _ in one] for one in found])
        notes.append(f"Presidio had {answer['model'] or 'no model for names: it looked by patterns only'}.")
    else:
        absent.append(no_peers("Presidio"))
    spans = sum(hit + miss for hit, miss, _ in mine.values())
    lines = [
        (kind, f"{n[0] + n[1]:,}", shown(n), shown(peer.get(kind)) if peer else "", shown(known.get(kind)))
        for kind, n in mine.items()
    ]
    figures, ratios, grown = speed("labelled texts", texts)
    grows = [grown]
    if talk := dialogue():
        more, others, grown = speed("dialogue", talk)
        figures, ratios, grows = [*figures, *more], [*ratios, *others], [*grows, grown]
    else:
        absent.append(no_data("real dialogue"))
    columns = ("type", "spans", "precision, recall, F1", "Presidio", "assent, on texts of our own")
    table = Table(columns, tuple(lines))
    return Result(
        tuple(figures), tuple(ratios), tuple(grows), (table,), (f"{spans:,} labelled spans.", *notes), tuple(absent)
    )


HEADLINE = Headline(
    Words(
        title="Redaction",
        work=(
            f"{TEXTS:,} texts with labelled spans in five languages: chats, code, JSON, logs, and texts that hold nothing. "
            "They were written apart from the rules, and nobody looked at them when rules were mended. Any overlap "
            "with the right type is a hit."
        ),
        peer="Presidio out of the box, on the same texts, in an environment of its own",
        remarks=(
            (
                "When these texts came, before any rule was mended on their other half, it was 0.777 of the names at a "
                "precision of 0.930, 0.178 of the accounts, 0.706 of the dates of birth, 0.773 of the repositories, "
                "0.864 of the secrets, 0.861 of the telephones, 0.869 of the addresses, and the rest as it is. The "
                "texts of our own were looked at while the rules were written, so they flatter."
            ),
        ),
    ),
    measure,
)
