"""Compare a version with the one that decides, on the frozen benchmark, and keep every number."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from assent.domain.instants import format_instant
from assent.learn.harm.bands import find
from assent.learn.harm.figures import false_flags_at
from assent.learn.harm.port import Piece
from assent.learn.harm.report import score_all
from assent.services.detector.benchmark import benchmark_digest
from assent.services.detector.gate import GateTerms, Scores, Trial, judge, pooled_only
from assent.services.detector.registry import DEFAULT, open_detector, read_registry
from assent.services.detector.watch import shadow_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from assent.learn.harm.cascade import Cascade
    from assent.learn.harm.labelled import Labelled
    from assent.services.detector.gate import Judgement
    from assent.services.detector.registry import Version
    from assent.store.port import Figures

_AT_ONCE: Final = 256
_TIMED: Final = 3
"""Rounds of which the fastest counts: what else the machine does must not decide."""
_TIMED_TEXTS: Final = 400


class Compared(NamedTuple):
    """What the gate says, as a record to keep."""

    judgement: Judgement
    report: dict[str, Any]


def compare(
    home: Path,
    store: Figures,
    version: Version,
    seeds: Sequence[Cascade],
    rows: Sequence[Labelled],
    *,
    terms: GateTerms,
    now: datetime,
    ticks: Callable[[], float],
) -> Compared:
    """Put a registered version to the gate against the one that decides.

    `seeds` are the same training with other seeds. `ticks` are seconds that never jump back. A version learned from a
    cut if its manifest names one among its sources.
    """
    registry = read_registry(home)
    incumbent, candidate = open_detector(home, "active"), open_detector(home, version.title)
    pairs = shadow_pairs(store, incumbent.name, candidate.name)
    trial = Trial(
        rows=rows,
        incumbent=scores_of(incumbent, rows),
        seeds=[scores_of(one, rows) for one in (candidate, *seeds)],
        speeds=_speeds(incumbent, candidate, rows, ticks),
        shadow=sum(pairs.values()),
        cut="; ".join(source.name for source in candidate.manifest.sources if source.name.startswith("cut ")),
    )
    found = judge(trial, terms)
    report = {
        "at": format_instant(now),
        "candidate": candidate.name,
        "candidate_manifest": version.manifest,
        "incumbent": incumbent.name,
        "incumbent_manifest": "" if registry.active is None else registry.active.manifest,
        "benchmark": benchmark_digest(rows),
        "texts": len(rows),
        "passed": found.passed,
        "a_gate_on_pooled_figures_alone": pooled_only(trial),
        "threshold": found.threshold,
        "cut": trial.cut,
        "shadow": pairs,
        "terms": asdict(terms) | {"identity": sorted(terms.identity)},
        "checks": [asdict(check) for check in found.checks],
    }
    return Compared(found, report)


def scores_of(detector: Cascade, rows: Sequence[Labelled]) -> Scores:
    """Score texts, and say of each whether the detector leaves it to people or flags it as it is deployed."""
    scores: list[float] = []
    called: list[bool] = []
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        for row, one in zip(some, detector.score([Piece(row.text, row.surface) for row in some]), strict=True):
            scores.append(one.score)
            called.append(find(detector.manifest, one, row.surface, row.text).outcome != "clear")
    return Scores(detector.name, np.array(scores, np.float64), np.array(called, np.bool_))


def flagged_by_version(home: Path, rows: Sequence[Labelled], recall: float = 0.9) -> dict[str, float]:
    """Return the share of harmless texts that each version flags where it finds this share of the harmful ones.

    The package's detector comes first, then every version of the home, the oldest first: all on the same texts.
    """
    harmful = np.array([bool(row.harms) for row in rows], np.bool_)
    detectors = [open_detector(home, name) for name in (DEFAULT, *(one.title for one in read_registry(home).versions))]
    return {one.name: false_flags_at(recall, score_all(one, rows), harmful) for one in detectors}


def page(report: dict[str, Any]) -> str:
    """Write a report as a page that anybody can read, with every number."""
    title = f"{report['candidate']} against {report['incumbent']}"
    said = "may decide" if report["passed"] else "may not decide"
    head = f"<h1>{escape(title)}</h1><p><strong>{escape(report['candidate'])} {said}.</strong> "
    head += f"{report['texts']:,} texts of benchmark <code>{escape(report['benchmark'])}</code>, "
    head += f"{escape(report['at'])}. Learned from: {escape(report['cut'] or 'no cut')}.</p>"
    rows = "".join(
        f"<tr><td>{'holds' if check['passed'] else '<strong>fails</strong>'}</td><td>{escape(check['rule'])}</td>"
        f"<td>{escape(check['where'])}</td><td>{escape(_numbers(check['numbers']))}</td></tr>"
        for check in report["checks"]
    )
    titles = "<tr><th></th><th>rule</th><th>where</th><th>numbers</th></tr>"
    table = f"<table><thead>{titles}</thead><tbody>{rows}</tbody></table>"
    style = "body{font:1rem system-ui;margin:2rem;max-width:72rem}td,th{text-align:start;padding:.3rem .6rem}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body>{head}{table}</body></html>\n"
    )


def _numbers(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())


def _speeds(
    incumbent: Cascade, candidate: Cascade, rows: Sequence[Labelled], ticks: Callable[[], float]
) -> tuple[float, float]:
    """Measure texts a second of both in turns, so that a busy machine slows both."""
    pieces = [Piece(row.text, row.surface) for row in rows[:_TIMED_TEXTS]]
    best = [float("inf"), float("inf")]
    for _ in range(_TIMED):
        for place, one in enumerate((incumbent, candidate)):
            began = ticks()
            one.score(pieces)
            best[place] = min(best[place], ticks() - began)
    return tuple(round(len(pieces) / max(took, 1e-9), 1) for took in best)  # type: ignore[return-value]
