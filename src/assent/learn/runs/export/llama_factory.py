"""LLaMA-Factory: one YAML file of arguments, and `dataset_info.json`, in which its data must be registered.

It reads questions and answers in turn. Its form `openai` would read calls of tools too, but adds a sentence of its own
to the system message of every conversation; `sharegpt` with these tags adds nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from assent.learn.runs.export import WEIGHTS, Ready, rows_of, whole_alpha, yaml

if TYPE_CHECKING:
    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.export import ExportOrder
    from assent.learn.runs.export.rows import Form

PROGRAM: Final = "LLaMA-Factory"
VERSION: Final = "0.9.5"
FORM: Final[Form] = "plain"
SPLITS: Final = ("train", "validation")

_FILE: Final = "llama_factory.yaml"
_TAGS: Final = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def ready(order: ExportOrder) -> Ready:
    """Write the arguments of a supervised fine-tuning, and register its data. The chat template is the model's own."""
    config, train = order.config, order.config.train
    table: dict[str, Any] = {
        "model_name_or_path": str(order.base),
        "trust_remote_code": False,
        "stage": "sft",
        "do_train": True,
        "dataset_dir": ".",
        "dataset": "train",
    }
    if "validation" in order.splits:
        table |= {"eval_dataset": "validation", "eval_strategy": "epoch"}
    table |= {
        "cutoff_len": train.max_length,
        "packing": train.packing,
        "train_on_prompt": not train.assistant_only_loss,
        "output_dir": WEIGHTS,
        "num_train_epochs": train.epochs,
        "per_device_train_batch_size": train.batch,
        "gradient_accumulation_steps": train.accumulate,
        "learning_rate": train.learning_rate,
        "lr_scheduler_type": train.schedule,
        "warmup_ratio": train.warmup,
        "weight_decay": train.weight_decay,
        "seed": config.run.seed,
        "bf16": train.precision == "bfloat16",
        "use_cpu": config.run.device == "cpu",
        **_adapter(config),
        "logging_steps": 1,
        "report_to": "none",
    }
    if train.steps is not None:
        table |= {"max_steps": train.steps}
    if train.save_every is not None:
        table |= {"save_steps": train.save_every}
    registered = {split: _registered(split) for split in order.splits}
    files = {_FILE: yaml(table), "dataset_info.json": json.dumps(registered, ensure_ascii=False, indent=2) + "\n"}
    return Ready(files, f"llamafactory-cli train {_FILE}", environment={"WANDB_MODE": "disabled"})


def _registered(split: str) -> dict[str, Any]:
    return {
        "file_name": rows_of(split),
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": _TAGS,
    }


def _adapter(config: RunConfig) -> dict[str, Any]:
    if config.lora is None:
        return {"finetuning_type": "full"}
    targets = config.lora.targets
    return {
        "finetuning_type": "lora",
        "lora_rank": config.lora.rank,
        "lora_alpha": whole_alpha(config.lora),
        "lora_dropout": config.lora.dropout,
        "lora_target": "all" if targets == "all-linear" else ",".join(targets),
    }
