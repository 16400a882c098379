"""One slice through TRL: its trainer is set so that nothing leaves the machine and chance comes from a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from assent.learn.runs.logs import figures_of
from assent.learn.runs.tokens import read_slice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.tokens import SliceRows

_LINES: Final = 500
"""Lines of log that one slice writes at most."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One slice to learn: its rows, the seed of its chance, and the folder for checkpoints inside it.

    `save` keeps the weights, as they are after some steps, for whoever draws how they learned.
    """

    rows: SliceRows
    seed: int
    halfway: Path
    save: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """What a slice took: steps and seconds of this call, tokens read, and the mean loss (nats a learned token)."""

    steps: int
    tokens: int
    seconds: float
    loss: float


def steps_of(rows: int, config: RunConfig, processes: int) -> int:
    """Count the steps that a slice of so many rows takes."""
    if not rows:
        return 0
    batches = -(-rows // (config.train.batch * processes))
    steps = -(-batches // config.train.accumulate) * config.train.epochs
    return min(steps, config.train.steps or steps)


def teach(
    model: Any,
    tokenizer: Any,
    lesson: Lesson,
    config: RunConfig,
    step: Callable[[int], None],
    line: Callable[[dict[str, float | int]], None],
) -> Learned:
    """Train `model` in place. `step` is told of steps done, `line` figures now and then.

    Goes on at the newest checkpoint in `lesson.halfway`, if there is one.
    """
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    class Quiet(SFTTrainer):  # type: ignore[misc]
        """The trainer of TRL, without its greeting to a server and without model cards."""

        def _send_telemetry(self) -> None:
            return

        def create_model_card(self, *_args: Any, **_more: Any) -> None:
            return

    began = perf_counter()
    last: dict[str, float | int] = {}

    class Watch(TrainerCallback):  # type: ignore[misc]
        """Hands on what happens."""

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_more: Any) -> None:
            step(state.global_step)

        def on_step_end(self, _args: Any, _state: Any, _control: Any, **_more: Any) -> None:
            step(1)

        def on_save(self, _args: Any, state: Any, _control: Any, **_more: Any) -> None:
            if state.is_world_process_zero:
                lesson.save(state.global_step)

        def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any], **_more: Any) -> None:
            figures = figures_of(logs)
            if figures is not None and state.is_world_process_zero:
                last.update(figures)
                line({"step": state.global_step, **figures, "seconds": round(perf_counter() - began, 3)})

    trainer = Quiet(
        model=model,
        args=_arguments(lesson, config),
        train_dataset=read_slice(lesson.rows),
        processing_class=tokenizer,
        callbacks=[Watch()],
    )
    trainer.remove_callback(PrinterCallback)
    halfway = _newest(lesson.halfway)
    result = trainer.train(resume_from_checkpoint=str(halfway) if halfway else None)
    before = json.loads((halfway / "trainer_state.json").read_bytes())["global_step"] if halfway else 0
    seconds = perf_counter() - began
    return Learned(result.global_step - before, int(last.get("tokens", 0)), seconds, float(result.training_loss))


def _arguments(lesson: Lesson, config: RunConfig) -> Any:
    from trl import SFTConfig

    train = config.train
    planned = steps_of(lesson.rows.rows, config, 1)
    return SFTConfig(
        output_dir=str(lesson.halfway),
        num_train_epochs=train.epochs,
        max_steps=train.steps or -1,
        per_device_train_batch_size=train.batch,
        gradient_accumulation_steps=train.accumulate,
        learning_rate=train.learning_rate,
        warmup_steps=train.warmup if train.warmup < 1 else planned,
        lr_scheduler_type=train.schedule,
        weight_decay=train.weight_decay,
        bf16=train.precision == "bfloat16",
        fp16=False,
        gradient_checkpointing=False,
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        seed=lesson.seed,
        data_seed=lesson.seed,
        use_cpu=config.run.device == "cpu",
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        logging_steps=max(1, planned // _LINES),
        logging_first_step=True,
        save_strategy="steps" if train.save_every else "no",
        save_steps=train.save_every or 500,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        push_to_hub=False,
        average_tokens_across_devices=True,
    )


def _newest(folder: Path) -> Path | None:
    """Find the newest checkpoint that is whole: its state is what the trainer writes last."""
    whole = []
    for state in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            whole.append((json.loads(state.read_bytes())["global_step"], state.parent))
        except (json.JSONDecodeError, KeyError):
            continue
    return max(whole)[1] if whole else None
