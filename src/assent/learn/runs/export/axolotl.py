"""Axolotl: one YAML file. It reads thinking and calls of tools, as far as the model's own chat template knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assent.learn.runs.export import DATA, WEIGHTS, Ready, rows_of, whole_alpha, yaml

if TYPE_CHECKING:
    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.export import ExportOrder
    from assent.learn.runs.export.rows import Form

PROGRAM: Final = "Axolotl"
VERSION: Final = "0.19.0"
FORM: Final[Form] = "tools"
SPLITS: Final = ("train", "validation")

_FILE: Final = "axolotl.yaml"


def ready(order: ExportOrder) -> Ready:
    """Write the config of a supervised fine-tuning."""
    config, train = order.config, order.config.train
    table: dict[str, Any] = {
        "base_model": str(order.base),
        "trust_remote_code": False,
        "datasets": [_data(order, "train")],
    }
    if "validation" in order.splits:
        table |= {"test_datasets": [_data(order, "validation")]}
    table |= {
        "dataset_prepared_path": f"{DATA}/prepared",
        "output_dir": WEIGHTS,
        "sequence_len": train.max_length,
        "sample_packing": train.packing,
        "train_on_inputs": not train.assistant_only_loss,
        "num_epochs": train.epochs,
        "micro_batch_size": train.batch,
        "gradient_accumulation_steps": train.accumulate,
        "learning_rate": train.learning_rate,
        "lr_scheduler": train.schedule,
        "warmup_ratio": train.warmup,
        "weight_decay": train.weight_decay,
        "optimizer": "adamw_torch",
        "seed": config.run.seed,
        **_arithmetic(config),
        **_adapter(config),
        "logging_steps": 1,
    }
    if train.steps is not None:
        table |= {"max_steps": train.steps}
    if train.save_every is not None:
        table |= {"save_steps": train.save_every}
    environment = {"AXOLOTL_DO_NOT_TRACK": "1", "WANDB_MODE": "disabled"}
    if config.run.device == "cpu":
        # no key of its config says it
        environment |= {"CUDA_VISIBLE_DEVICES": ""}
    return Ready({_FILE: yaml(table)}, f"axolotl train {_FILE}", environment=environment)


def _data(order: ExportOrder, split: str) -> dict[str, Any]:
    everybody = not order.config.train.assistant_only_loss
    return {
        "path": rows_of(split),
        "ds_type": "parquet",
        "split": "train",
        "type": "chat_template",
        "field_messages": "messages",
        "roles_to_train": ["system", "user", "assistant", "tool"] if everybody else ["assistant"],
        "train_on_eos": "turn",
    }


def _arithmetic(config: RunConfig) -> dict[str, Any]:
    return {"bf16": config.train.precision == "bfloat16", "fp16": False, "tf32": False}


def _adapter(config: RunConfig) -> dict[str, Any]:
    if config.lora is None:
        return {}
    targets = config.lora.targets
    found: dict[str, Any] = {
        "adapter": "lora",
        "lora_r": config.lora.rank,
        "lora_alpha": whole_alpha(config.lora),
        "lora_dropout": config.lora.dropout,
    }
    return found | ({"lora_target_linear": True} if targets == "all-linear" else {"lora_target_modules": list(targets)})
