"""Redaction beside Presidio as it comes: precision and recall by type on the test half, and speed on the same text.

Presidio runs in the environment whose interpreter ASSENT_PEERS names. Its names come from a spaCy model where one is
installed there; with none it looks by patterns only, and that is said. A finding counts for a labelled span if it has
the type of the span and overlaps it.
"""

# ruff: noqa: E501 - made-up texts and tables are easier to read on one line

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from assent.pipeline.redact.find import candidates
from assent.pipeline.redact.finding import RedactTerms
from benchmarks.redact_set.make import Document, documents

REPEAT = 2
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
    if counts is None or not sum(counts):
        return f"{'-':>7} {'-':>7} {'-':>7}"
    hit, miss, false = counts
    precision, recall = hit / max(hit + false, 1), hit / max(hit + miss, 1)
    return f"{precision:7.3f} {recall:7.3f} {2 * precision * recall / max(precision + recall, 1e-9):7.3f}"


def ours(texts: list[str], terms: RedactTerms) -> tuple[float, list[list[tuple[str, int, int]]]]:
    candidates(texts[0], terms)
    best, found = 1e9, []
    for _ in range(REPEAT):
        start = time.process_time()
        found = [[one[:3] for one in candidates(text, terms) if one.score >= terms.sure] for text in texts]
        best = min(best, time.process_time() - start)
    return best, found


def dialogue(limit: int) -> list[str]:
    """Read real conversations from the folder ASSENT_DATA, to measure speed on."""
    folder = os.environ.get("ASSENT_DATA")
    if not folder:
        print("ASSENT_DATA is not set: speed on dense labelled texts only", file=sys.stderr)
        return []
    with gzip.open(Path(folder, "conversations/hh-rlhf-harmless/test.jsonl.gz"), "rt") as lines:
        return [json.loads(line)["chosen"] for line in lines][:limit]


def peer_found(texts: list[str]) -> dict[str, Any]:
    """Run Presidio in its own environment."""
    command = [os.environ["ASSENT_PEERS"], "-c", PEER]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def speed(name: str, texts: list[str]) -> None:
    """Print both speeds on the same texts."""
    everything = RedactTerms()
    size = sum(len(text.encode()) for text in texts) / 1e6
    whole, structured = ours(texts, everything)[0], ours(texts, RedactTerms(types=everything.types - {"name"}))[0]
    print(
        f"{name}: {size:.2f} MB, structured {size / structured:.2f} MB/s, with names {size / whole:.2f} MB/s of processor time"
    )
    if os.environ.get("ASSENT_PEERS"):
        answer = peer_found(texts)
        peer = answer["seconds"]
        print(
            f"  Presidio (model {answer['model']}): {size / peer:.3f} MB/s: {peer / structured:.0f}x slower than structured, {peer / whole:.0f}x than with names"
        )


def main() -> None:
    rows = documents("test")
    texts = [row.text for row in rows]
    mine, peer = score(rows, ours(texts, RedactTerms())[1]), {}
    if os.environ.get("ASSENT_PEERS"):
        found = peer_found(texts)["found"]
        peer = score(rows, [[(PEER_TYPES.get(kind, kind), start, end) for kind, start, end, _ in one] for one in found])
    else:
        print("ASSENT_PEERS is not set: nothing to compare with", file=sys.stderr)
    print(f"{len(rows)} texts, {sum(len(row.spans) for row in rows)} spans")
    print(f"{'':14} {'spans':>6} | ours: precision, recall, F1 | presidio: precision, recall, F1")
    for kind, counts in mine.items():
        print(f"{kind:14} {counts[0] + counts[1]:6} | {shown(counts)} | {shown(peer.get(kind))}")
    speed("labelled texts", texts)
    talk = dialogue(400)
    if talk:
        speed("dialogue", talk)


if __name__ == "__main__":
    main()
