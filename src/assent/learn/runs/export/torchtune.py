"""torchtune: one YAML file of components, for its recipes on one device.

torchtune builds models itself, so the sizes of the base are read from its `config.json`; it knows fewer families than
the others, and its chats hold questions and answers only.
"""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import NotFound, Refused
from assent.learn.runs.export import WEIGHTS, Ready, rows_of, yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.export import ExportOrder
    from assent.learn.runs.export.rows import Form

PROGRAM: Final = "torchtune"
VERSION: Final = "0.6.1"
FORM: Final[Form] = "plain"
SPLITS: Final = ("train",)

_FILE: Final = "torchtune.yaml"
_LLAMA_3: Final = 128_256
"""Size of the vocabulary of Llama 3 and later; before it the tokenizer was another."""

_ATTENTION: Final = {"q_proj": "q_proj", "k_proj": "k_proj", "v_proj": "v_proj", "o_proj": "output_proj"}
_MLP: Final = frozenset({"gate_proj", "up_proj", "down_proj"})
_ELSEWHERE: Final = "change the key, or train with another program: --for axolotl"


def ready(order: ExportOrder) -> Ready:
    """Write the config of a recipe. Raises `Refused` for a family, a file or a key that torchtune has no part for."""
    config, train = order.config, order.config.train
    _refuse(config)
    family, model = _model(order.base)
    recipe = "full_finetune_single_device" if config.lora is None else "lora_finetune_single_device"
    table: dict[str, Any] = {
        "output_dir": WEIGHTS,
        "model": _lora(model, config) if config.lora else model,
        "tokenizer": {**_tokenizer(order.base, family), "max_seq_len": train.max_length},
        "checkpointer": {
            "_component_": "torchtune.training.FullModelHFCheckpointer",
            "checkpoint_dir": str(order.base),
            "checkpoint_files": _files(order.base),
            "recipe_checkpoint": None,
            "output_dir": WEIGHTS,
            "model_type": family,
        },
        "resume_from_checkpoint": False,
        "dataset": {
            "_component_": "torchtune.datasets.chat_dataset",
            "source": "parquet",
            "data_files": rows_of("train"),
            "split": "train",
            "conversation_column": "messages",
            "conversation_style": "openai",
            "train_on_input": not train.assistant_only_loss,
            "packed": train.packing,
        },
        "seed": config.run.seed,
        "shuffle": True,
        "batch_size": train.batch,
        "epochs": train.epochs,
        "max_steps_per_epoch": train.steps,
        "gradient_accumulation_steps": train.accumulate,
        "optimizer": {
            "_component_": "torch.optim.AdamW",
            "lr": train.learning_rate,
            "weight_decay": train.weight_decay,
        },
        "lr_scheduler": {
            "_component_": "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup",
            "num_warmup_steps": _warmup_steps(order),
        },
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "device": "cpu" if config.run.device == "cpu" else "cuda",
        "dtype": "bf16" if train.precision == "bfloat16" else "fp32",
        "clip_grad_norm": None,
        "compile": False,
        "enable_activation_checkpointing": False,
        "enable_activation_offloading": False,
        "optimizer_in_bwd": False,
        "metric_logger": {"_component_": "torchtune.training.metric_logging.DiskLogger", "log_dir": f"{WEIGHTS}/logs"},
        "log_every_n_steps": 1,
        "log_peak_memory_stats": False,
        "profiler": {"_component_": "torchtune.training.setup_torch_profiler", "enabled": False},
    }
    return Ready({_FILE: yaml(table)}, f"tune run {recipe} --config {_FILE}", f"{WEIGHTS}/epoch_{train.epochs - 1}")


def _refuse(config: RunConfig) -> None:
    """Refuse the keys that torchtune would not heed."""
    train = config.train
    unheeded = {
        "train.schedule": train.schedule != "cosine",
        "train.save_every": train.save_every is not None,
        "train.steps": train.steps is not None and train.epochs > 1,
        # how many steps packed rows come to is known to torchtune only, and it counts the rise in steps
        "train.warmup": train.packing and train.warmup > 0,
        "lora.targets": config.lora is not None
        and config.lora.targets != "all-linear"
        and not set(config.lora.targets) <= _ATTENTION.keys() | _MLP,
    }
    for key, here in unheeded.items():
        if here:
            raise Refused(f"torchtune {VERSION} cannot do what `{key}` asks", _ELSEWHERE)


def _warmup_steps(order: ExportOrder) -> int:
    train = order.config.train
    steps = order.conversations // (train.batch * train.accumulate) * train.epochs
    return ceil(train.warmup * (min(steps, train.steps) if train.steps else steps))


def _model(base: Path) -> tuple[str, dict[str, Any]]:
    """Return torchtune's name of the family, and the component that builds a model of these sizes."""
    sizes = _sizes(base)
    rope = sizes.get("rope_parameters") or sizes.get("rope_scaling") or {}
    kind, scaled = sizes.get("model_type"), rope.get("factor")
    table = {
        "vocab_size": sizes["vocab_size"],
        "num_layers": sizes["num_hidden_layers"],
        "num_heads": sizes["num_attention_heads"],
        "num_kv_heads": sizes.get("num_key_value_heads", sizes["num_attention_heads"]),
        "embed_dim": sizes["hidden_size"],
        "intermediate_dim": sizes["intermediate_size"],
        "max_seq_len": sizes["max_position_embeddings"],
        "norm_eps": sizes["rms_norm_eps"],
        "rope_base": rope.get("rope_theta") or sizes.get("rope_theta", 10_000.0),
    }
    tied = {"tie_word_embeddings": bool(sizes.get("tie_word_embeddings"))}
    if kind == "qwen2":
        return "QWEN2", {"_component_": "torchtune.models.qwen2.qwen2", **table, **tied}
    if kind == "mistral":
        return "MISTRAL", {"_component_": "torchtune.models.mistral.mistral", **table}
    if kind == "llama" and table["vocab_size"] == _LLAMA_3:
        if tied["tie_word_embeddings"]:
            scale = {"scale_factor": int(scaled)} if scaled else {}
            return "LLAMA3_2", {"_component_": "torchtune.models.llama3_2.llama3_2", **table, **scale, **tied}
        if scaled:
            built = {"_component_": "torchtune.models.llama3_1.llama3_1", **table, "scale_factor": int(scaled)}
            return "LLAMA3", built
        return "LLAMA3", {"_component_": "torchtune.models.llama3.llama3", **table}
    raise Refused(f"torchtune {VERSION} is given no model of the kind `{kind}` from here", "take --for axolotl")


def _lora(model: Mapping[str, Any], config: RunConfig) -> dict[str, Any]:
    """Turn a model's component into the one with adapters."""
    assert config.lora is not None  # noqa: S101 - asked before
    targets = config.lora.targets
    everything = targets == "all-linear"
    module, _, name = model["_component_"].rpartition(".")
    return {
        **model,
        "_component_": f"{module}.lora_{name}",
        "lora_attn_modules": [name for key, name in _ATTENTION.items() if everything or key in targets],
        "apply_lora_to_mlp": everything or bool(_MLP & set(targets)),
        "lora_rank": config.lora.rank,
        "lora_alpha": config.lora.alpha,
        "lora_dropout": config.lora.dropout,
    }


def _tokenizer(base: Path, family: str) -> dict[str, Any]:
    if family == "QWEN2":
        files = {"path": _there(base, "vocab.json"), "merges_file": _there(base, "merges.txt")}
        return {"_component_": "torchtune.models.qwen2_5.qwen2_5_tokenizer", **files}
    if family == "MISTRAL":
        return {
            "_component_": "torchtune.models.mistral.mistral_tokenizer",
            "path": _there(base, "tokenizer.model"),
        }
    return {
        "_component_": "torchtune.models.llama3.llama3_tokenizer",
        "path": _there(base, "original/tokenizer.model", "tokenizer.model"),
    }


def _there(base: Path, *names: str) -> str:
    for name in names:
        if (base / name).is_file():
            return str(base / name)
    fix = "save the tokenizer in its first form too, or train with another program: --for axolotl"
    raise NotFound(f"torchtune needs `{names[0]}`, which is not in `{base.name}`", fix)


def _files(base: Path) -> list[str]:
    found = sorted(path.name for path in base.glob("*.safetensors"))
    if not found:
        raise NotFound(f"there are no weights (`*.safetensors`) in `{base.name}`", "give the folder of a model")
    return found


def _sizes(base: Path) -> dict[str, Any]:
    try:
        found = json.loads((base / "config.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no `config.json` in `{base.name}`", "give the folder of a model") from None
    except ValueError:
        raise Refused(f"`config.json` in `{base.name}` is no JSON", "give the folder of a model") from None
    needed = {
        "vocab_size",
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_size",
        "intermediate_size",
        "max_position_embeddings",
        "rms_norm_eps",
    }
    if missing := sorted(needed - found.keys()):
        raise Refused(f"torchtune is given no model like `{base.name}` from here: it lacks `{missing[0]}`", _ELSEWHERE)
    sizes: dict[str, Any] = found
    return sizes
