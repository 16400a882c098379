"""Versions of a home: nothing decides without the gate and a second person; one command brings back what was before."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.services.cut_world import World, world
from tests.unit.services.detector.small_detector import folder, texts

from assent.domain.errors import Invalid, NotFound, Refused
from assent.interfaces.api.health import Metrics
from assent.services.approve import approve, ask
from assent.services.detector.compare import compare, page, scores_of
from assent.services.detector.gate import GateTerms
from assent.services.detector.registry import (
    REGISTRY,
    keep_report,
    open_detector,
    open_shadow,
    promote,
    read_registry,
    register,
    rollback,
    run_in_shadow,
)
from assent.services.detector.watch import ALARM, BINS, Seen, drift, keep_seen, newest_drift, stability

NOW = datetime(2026, 5, 1, tzinfo=UTC)
WHO = {"by": "rita", "reason": "see the report", "now": NOW}


def agreed(kept: World, title: str) -> None:
    ask(
        kept.store, id=f"ask {title}", act="promote", target=title, by="rita", reason="better", now=NOW,
        valid=timedelta(days=7),
    )  # fmt: skip
    approve(kept.store, f"ask {title}", by="sam", now=NOW)


def passed(home: Path, title: str, incumbent: str) -> None:
    """Keep a report that lets a version through, as `compare` writes it."""
    version = read_registry(home).named(title)
    keep_report(home, version, {"passed": True, "incumbent": incumbent, "candidate_manifest": version.manifest})


def test_nothing_decides_without_the_gate_and_a_second_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = folder(tmp_path)
    monkeypatch.setattr("assent.learn.harm.cascade.shipped", lambda: first)
    home = tmp_path / "home"
    with world(tmp_path / "store") as kept:
        register(home, folder(tmp_path, "2"), **WHO)
        assert register(home, folder(tmp_path, "2"), **WHO).state == "candidate"
        assert len(read_registry(home).versions) == 1
        assert open_detector(home, "active").name == "small@1"  # the one that comes with the package
        with pytest.raises(Refused, match="nobody has compared"):
            promote(home, kept.store, "small@2", **WHO)
        passed(home, "small@2", "another@7")
        with pytest.raises(Refused, match="another comparison"):
            promote(home, kept.store, "small@2", **WHO)
        passed(home, "small@2", "small@1")
        with pytest.raises(Refused, match="second person"):
            promote(home, kept.store, "small@2", **WHO)
        agreed(kept, "small@2")
        assert promote(home, kept.store, "small@2", **WHO).state == "active"
        assert open_detector(home, "active").name == "small@2"
        assert promote(home, kept.store, "small@2", **WHO).state == "active"  # again changes nothing


def test_one_command_goes_back_as_often_as_there_is_something_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = folder(tmp_path)
    monkeypatch.setattr("assent.learn.harm.cascade.shipped", lambda: first)
    home = tmp_path / "home"
    with world(tmp_path / "store") as kept:
        for before, version in (("small@1", "2"), ("small@2", "3")):
            register(home, folder(tmp_path, version), **WHO)
            passed(home, f"small@{version}", before)
            agreed(kept, f"small@{version}")
            promote(home, kept.store, f"small@{version}", **WHO)
        assert [one.state for one in read_registry(home).versions] == ["retired", "active"]
        assert rollback(home, **WHO).title == "small@2"
        assert open_detector(home, "active").name == "small@2"
        assert rollback(home, **WHO) is None
        assert open_detector(home, "active").name == "small@1"
        with pytest.raises(Refused, match="nothing is before it"):
            rollback(home, **WHO)
        assert [one.act for one in read_registry(home).acts] == [
            "register", "promote", "register", "promote", "rollback", "rollback",
        ]  # fmt: skip


def test_one_version_at_a_time_runs_in_the_shadow(tmp_path: Path) -> None:
    for version in ("1", "2"):
        register(tmp_path / "home", folder(tmp_path, version), **WHO)
    assert open_shadow(tmp_path / "home") is None
    run_in_shadow(tmp_path / "home", "small@1", **WHO)
    run_in_shadow(tmp_path / "home", "small@2", **WHO)
    assert open_shadow(tmp_path / "home").name == "small@2"
    assert [one.state for one in read_registry(tmp_path / "home").versions] == ["candidate", "shadow"]
    with pytest.raises(NotFound):
        run_in_shadow(tmp_path / "home", "small@9", **WHO)


def test_what_is_not_what_it_says_is_not_taken_in(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "linear.npz").write_bytes(b"other")
    with pytest.raises(Invalid, match="not the one that its manifest names"):
        register(tmp_path / "home", made, **WHO)
    (tmp_path / "home" / "detectors" / REGISTRY).write_text("{}") if (
        tmp_path / "home" / "detectors"
    ).exists() else None
    broken = tmp_path / "broken" / "detectors"
    broken.mkdir(parents=True)
    (broken / REGISTRY).write_text('{"versions": 3}')
    with pytest.raises(Invalid, match="no registry"):
        read_registry(tmp_path / "broken")


def test_a_comparison_is_kept_with_every_number_and_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = folder(tmp_path)
    monkeypatch.setattr("assent.learn.harm.cascade.shipped", lambda: first)
    home = tmp_path / "home"
    version = register(home, folder(tmp_path, "2"), **WHO)
    rows = list(texts())
    ticks = iter(range(10_000))
    with world(tmp_path / "store") as kept:
        found = compare(
            home, kept.store, version, [], rows, terms=GateTerms(rounds=200), now=NOW, ticks=lambda: float(next(ticks))
        )
    assert not found.judgement.passed  # the same detector under another version flags no fewer
    keep_report(home, version, found.report)
    report = json.loads((home / "detectors" / "small-2" / "gate.json").read_text())
    assert report["checks"] == json.loads(json.dumps(found.report["checks"]))
    assert report["incumbent"] == "small@1"
    shown = page(found.report)
    assert shown.count("<tr>") == len(found.report["checks"]) + 1
    assert "may not decide" in shown
    assert scores_of(open_detector(home, "small@2"), rows).scores.shape == (len(rows),)


def test_drift_is_the_population_stability_index_and_alarms_where_it_is_declared(tmp_path: Path) -> None:
    reference, moved = [0] * BINS, [0] * BINS
    reference[2], reference[9], moved[2], moved[9] = 400, 100, 250, 250
    # 0.8 and 0.2 of the scores became 0.5 and 0.5: 0.141 of one bin and 0.275 of the other
    assert stability(reference, moved) == pytest.approx(0.4159, abs=1e-4)
    with world(tmp_path) as kept:
        for count in (reference, reference, moved, moved):
            seen = Seen()
            for place, number in enumerate(count):
                for _ in range(number):
                    seen.add(((place + 0.5) / BINS, "clear"))
            keep_seen(kept.store, "small@1", None, seen, NOW)
            found = drift(kept.store, "small@1")
            if count is reference:
                assert found.state in {"too few", "steady"}
        assert (found.reference, found.recent, found.state) == (500, 1_500, "watch" if found.index < ALARM else "alarm")
        assert found.index > 0.1
        assert newest_drift(kept.store) == found
        metrics = Metrics()
        metrics.drifted(found.detector, found.index)
        assert 'assent_detector_drift{detector="small@1"}' in metrics.text().decode()
