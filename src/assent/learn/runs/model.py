"""Models and tokenizers: from scratch, from a local folder, or from a checkpoint. Nothing is ever fetched.

A model from scratch reads bytes: its tokenizer is made without looking at any text, so that no one's words can be found
in its vocabulary, and forgetting a person never changes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assent.domain.errors import NotFound, Refused
from assent.learn.runs.extra import needing
from assent.learn.runs.template import END, MARKS, OWN, PAD, own_template

if TYPE_CHECKING:
    from assent.learn.runs.config import LoraTable, RunConfig, Shape

_ADAPTER: Final = "adapter_config.json"
_BYTES: Final = 256


def make_tokenizer(config: RunConfig) -> Any:
    """Return the tokenizer of a run, with its chat template. Raises `NotFound` if the base folder is none."""
    if config.model is None or config.model.base is None:
        return _byte_tokenizer()
    tokenizer = _from_folder("AutoTokenizer", base_folder(config))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if uses_own_template(config, tokenizer):
        tokenizer.chat_template = own_template(tokenizer)
    return tokenizer


def uses_own_template(config: RunConfig, tokenizer: Any) -> bool:
    """Tell whether conversations are written in the own form. Raises `Refused` if the base lacks one it should have."""
    if config.model is None or config.model.base is None or config.model.template == "own":
        return True
    if config.model.template == "base" and not tokenizer.chat_template:
        raise Refused("the base model has no chat template", 'set `template = "own"`')
    return not tokenizer.chat_template


def make_model(config: RunConfig, tokenizer: Any, seed: int) -> Any:
    """Return the model with which training begins, on the CPU; chance comes from `seed` alone."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = config.model.shape if config.model is not None else None
        model = _from_scratch(shape, tokenizer) if shape is not None else _from_folder(_CAUSAL, base_folder(config))
        return model if config.lora is None else _with_adapter(model, config.lora, config)


def load_model(folder: Path, config: RunConfig, *, trainable: bool = False) -> Any:
    """Load what `save_model` wrote: whole weights, or an adapter on the base that the configuration names.

    Loads on the CPU. Raises `NotFound` if there is nothing.
    """
    if not (folder / _ADAPTER).exists():
        return _from_folder(_CAUSAL, folder)
    with needing("an adapter"):
        from peft import PeftModel

    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.run.seed)
        shape = config.model.shape if config.model is not None else None
        if shape is None:
            base = _from_folder(_CAUSAL, base_folder(config))
        else:
            raise Refused("an adapter needs a base model", "name a `base` in [model]")
    return PeftModel.from_pretrained(base, str(folder), is_trainable=trainable, local_files_only=True)


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer that lies with weights."""
    return _from_folder("AutoTokenizer", folder)


def save_model(model: Any, tokenizer: Any, folder: Path, config: RunConfig) -> None:
    """Write weights (safetensors), configuration and tokenizer; of a model with an adapter the adapter alone."""
    if config.lora is not None and config.model is not None:
        for settings in model.peft_config.values():
            # The folder as it was named, so that the bytes do not depend on where somebody's models lie.
            settings.base_model_name_or_path = config.model.base
            settings.inference_mode = True
    model.save_pretrained(str(folder), safe_serialization=True)
    tokenizer.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)


def base_folder(config: RunConfig) -> Path:
    """Return the folder of the base model. Raises `NotFound` if there is no model in it."""
    base = Path(config.model.base or "") if config.model is not None else Path()
    if not (base / "config.json").is_file():
        fix = "name a folder with `config.json` and safetensors; nothing is fetched from anywhere"
        raise NotFound(f"there is no model in `{base}`", fix)
    return base


_CAUSAL: Final = "AutoModelForCausalLM"


def _from_folder(kind: str, folder: Path) -> Any:
    with needing("training"):
        import torch
        import transformers

    if not folder.is_dir():
        raise NotFound(f"there is no model in `{folder.name}`", "look at the run's folder")
    more = {"use_safetensors": True, "dtype": torch.float32} if kind == _CAUSAL else {}
    try:
        return getattr(transformers, kind).from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, **more
        )
    except (OSError, ValueError) as error:
        fix = "it must hold a causal language model of transformers with its tokenizer and safetensors"
        raise Refused(f"the model in `{folder.name}` cannot be read: {type(error).__name__}", fix) from error


def _byte_tokenizer() -> Any:
    with needing("training"):
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

    # Every byte is a token of its own: the printable stand-ins of the byte-level alphabet in the order of their bytes.
    signs = _signs_of_bytes()
    made = Tokenizer(models.BPE(vocab={sign: at for at, sign in enumerate(signs)}, merges=[], cache_capacity=0))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, chat_template=OWN, clean_up_tokenization_spaces=False
    )


def _signs_of_bytes() -> list[str]:
    kept = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    moved = [byte for byte in range(_BYTES) if byte not in kept]
    return [chr(byte) if byte in kept else chr(_BYTES + moved.index(byte)) for byte in range(_BYTES)]


def _from_scratch(shape: Shape, tokenizer: Any) -> Any:
    with needing("training"):
        from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.width,
            # Two thirds of four times the width, as gated layers have a third matrix; in steps of 8.
            intermediate_size=-(-shape.width * 8 // 3 // 8) * 8,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _with_adapter(model: Any, lora: LoraTable, config: RunConfig) -> Any:
    with needing("an adapter"):
        from peft import LoraConfig, get_peft_model

    if config.model is None or config.model.base is None:
        raise Refused("an adapter needs a base model", "name a `base` in [model], or take [lora] out")
    targets = lora.targets if isinstance(lora.targets, str) else sorted(lora.targets)
    try:
        return get_peft_model(
            model,
            LoraConfig(
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules=targets,
                task_type="CAUSAL_LM",
            ),
        )
    except ValueError as error:
        fix = "name modules of the base model in `targets`, or `all-linear`"
        raise Refused("the base model has no module that [lora] targets", fix) from error
