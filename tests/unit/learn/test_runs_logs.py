"""A run tells its figures to a file and, asked to, to MLflow: never who runs it, and never more than once a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assent.domain.errors import Refused
from assent.learn.runs.logs import EXPERIMENT, RunLog

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def figures(step: int, loss: float) -> dict[str, float | int]:
    return {"shard": 0, "slice": 1, "step": step, "loss": loss, "lr": 0.1, "tokens": 9, "seconds": 2.0}


def test_a_run_that_is_resumed_goes_on_in_one_run_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    broken = RunLog(tmp_path, "run-7", "figures")
    broken.write(figures(1, 2.5))
    broken.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    with RunLog(tmp_path, "run-7", "figures") as log:
        log.write(figures(2, 1.5))

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path / 'figures' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "shard-0/slice-1/loss")
    assert [(one.step, one.value) for one in history] == [(1, 2.5), (2, 1.5)]
    assert run.data.tags == {"mlflow.runName": "run-7"}
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [2.5, 1.5]


def test_a_run_does_not_begin_if_mlflow_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(Refused, match="MLflow cannot be written to"):
        RunLog(tmp_path, "run-7", "figures")
