"""Another program gets a config it accepts, and rows only after the gate; what it cannot read is said."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.services.cut_world import NOW, chat, said
from tests.unit.services.run.run_world import SECOND, Provider, provider

from assent.domain.errors import Refused
from assent.services.run.export import Asked, Exported, begin, export
from assent.services.run.plan import folder_of
from assent.services.run.reach import every_run

# What the programs' own schemas know, of the keys that are written: axolotl 0.19.0 (AxolotlInputConfig), LLaMA-Factory
# 0.9.5 (its argument classes), torchtune 0.6.1 (the signatures of the components that its config names).
AXOLOTL = {
    *("adapter", "base_model", "bf16", "dataset_prepared_path", "datasets", "fp16", "gradient_accumulation_steps"),
    *("learning_rate", "logging_steps", "lora_alpha", "lora_dropout", "lora_r", "lora_target_linear", "lr_scheduler"),
    *("max_steps", "micro_batch_size", "num_epochs", "optimizer", "output_dir", "sample_packing", "save_steps", "seed"),
    *("sequence_len", "test_datasets", "tf32", "train_on_inputs", "trust_remote_code", "warmup_ratio", "weight_decay"),
}
BASE = {
    "model_type": "qwen2",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-06,
    "vocab_size": 151936,
}


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Provider]:
    with provider(tmp_path / "acme") as made:
        made.people("ann", "bob", chats=2)
        call = said(2, '{"cmd": "ls"}', by="assistant", marks=frozenset({"tool-payload"}), name="bash")
        answers = (said(3, "a.txt", by="tool"), said(4, "done", by="assistant"))
        made.keep(chat("tools", "ann", said(1, "run it"), call, *answers))
        made.cut()
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "config.json").write_text(json.dumps(BASE))
        for name in ("vocab.json", "merges.txt", "model.safetensors"):
            (tmp_path / "base" / name).touch()
        yield made


def asked(acme: Provider, program: str, *, lora: bool = True, device: str = "auto") -> Asked:
    base = acme.folder.parent / "base"
    text = (
        f'[run]\ntrainer = "external"\ndevice = "{device}"\n[model]\nbase = "{base}"\n[train]\nlearning_rate = 1e-5\n'
    )
    text += "[lora]\nrank = 4\nalpha = 8\n" if lora else ""
    return Asked("spring", program, text, acme.folder.parent / f"out-{program}", acme.folder)


def keys_of(text: str) -> set[str]:
    """The keys at the top of a YAML file that is written a key a line."""
    return {line.partition(":")[0] for line in text.splitlines() if line and line[0] not in " -"}


@pytest.mark.parametrize("lora", [True, False])
def test_axolotl_is_told_nothing_that_it_does_not_know(acme: Provider, lora: bool) -> None:
    done = export(acme.runs, asked(acme, "axolotl", lora=lora))
    text = (acme.folder.parent / "out-axolotl" / "axolotl.yaml").read_text()
    assert keys_of(text) <= AXOLOTL
    assert ("adapter" in keys_of(text)) is lora
    assert (done.conversations, dict(done.left_out)) == (5, {})


def test_axolotl_that_shall_not_use_a_gpu_sees_none(acme: Provider) -> None:
    # its config has no such key, and what it does not know it passes over in silence
    export(acme.runs, asked(acme, "axolotl", device="cpu"))
    out = acme.folder.parent / "out-axolotl"
    assert keys_of((out / "axolotl.yaml").read_text()) <= AXOLOTL
    assert 'export CUDA_VISIBLE_DEVICES=""' in (out / "train.sh").read_text()


@pytest.mark.parametrize("program", ["llama-factory", "torchtune"])
def test_what_a_program_cannot_read_is_left_out_and_counted(acme: Provider, program: str) -> None:
    done = export(acme.runs, asked(acme, program))
    assert (done.conversations, dict(done.left_out)) == (4, {"calls a tool": 1})
    assert "4 conversations can be read" in (acme.folder.parent / f"out-{program}" / "README.md").read_text()


def test_llama_factory_finds_its_data_registered(acme: Provider) -> None:
    export(acme.runs, asked(acme, "llama-factory"))
    out = acme.folder.parent / "out-llama-factory"
    info = json.loads((out / "dataset_info.json").read_text())
    (name,) = (name for name in info if "train" in json.dumps(info[name]))
    assert name in (out / "llama_factory.yaml").read_text()


@pytest.mark.parametrize("program", ["axolotl", "llama-factory", "torchtune"])
def test_no_row_is_copied_before_the_gate_and_only_those_that_passed_it(acme: Provider, program: str) -> None:
    done = export(acme.runs, asked(acme, program))
    out = acme.folder.parent / f"out-{program}"
    assert not any(b"question of" in path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert (
        tomllib.loads((folder_of(acme.runs, done.run.id) / "config.toml").read_text())["run"]["trainer"] == "external"
    )
    begun = begin(acme.runs, done.run.id)
    assert begun.run.state == "started"
    rows = pq.read_table(out / "data" / "train.parquet").num_rows
    assert rows == begun.rows["train"] == done.conversations


def planned(acme: Provider) -> Exported:
    return export(acme.runs, asked(acme, "axolotl"))


def test_a_withdrawal_between_the_export_and_the_start_stops_the_start(acme: Provider) -> None:
    done = planned(acme)
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    with pytest.raises(Refused, match="is stale"):
        begin(acme.runs, done.run.id)
    assert acme.store.run(done.run.id).state == "abandoned"
    assert not (folder_of(acme.runs, done.run.id) / "work").exists()


def test_on_a_stale_cut_nothing_is_written(acme: Provider) -> None:
    acme.choose("ann", "withdraw", NOW + SECOND)
    acme.clock = NOW + 2 * SECOND
    with pytest.raises(Refused, match="is stale"):
        planned(acme)
    assert not (acme.folder.parent / "out-axolotl").exists()
    assert list(every_run(acme.store)) == []


def test_rows_that_were_changed_after_the_start_are_not_handed_on(acme: Provider) -> None:
    done = planned(acme)
    begin(acme.runs, done.run.id)
    shard = next((Path(acme.store.cuts_named("spring")[-1].directory) / "data").glob("messages-*.jsonl"))
    shard.write_bytes(shard.read_bytes().replace(b"question", b"QUESTION"))
    with pytest.raises(Refused, match="is not the file that the manifest names"):
        begin(acme.runs, done.run.id)
    assert acme.store.run(done.run.id).state == "failed"
    assert not (folder_of(acme.runs, done.run.id) / "work").exists()
