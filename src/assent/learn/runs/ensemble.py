"""Trained weights behind one small interface: how likely a text is to them, and how they would go on.

One model answers by itself; the models of several shards answer together, by the mean of their probabilities for
the next token. Nothing is drawn by chance: the same weights give the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from assent.learn.runs.config import RunConfig
    from assent.learn.runs.template import Template

_NUMBERS: Final = 1 << 26
"""Logits worked out at once, and by that the memory a batch takes (4 bytes each, a few times over)."""
_AT_ONCE: Final = 64
"""Texts that are continued at once."""
_CONTEXT: Final = 2_048
"""Tokens seen at once where a model has room for more: what is before them changes little and costs much."""


class Scores(NamedTuple):
    """Of each token of a text after the first: minus the log of its probability (nats), and whether it came first."""

    nats: NDArray[np.float64]
    first: NDArray[np.bool_]


def opened(folder: Path, config: RunConfig) -> Ensemble:
    """Load what a run made, or a checkpoint of it, onto the device that its configuration names.

    Raises `NotFound` or `Refused` for a folder that holds no model.
    """
    from assent.learn.runs.model import load_model, load_tokenizer

    shards = sorted(folder.glob("shard-*"), key=lambda path: int(path.name.removeprefix("shard-"))) or [folder]
    tokenizer = load_tokenizer(shards[0])
    return _together([load_model(shard, config) for shard in shards], tokenizer, config)


def untaught(config: RunConfig) -> Ensemble:
    """Return the model with which a run begins: the base as it is, or one that has learned nothing yet."""
    from assent.learn.runs.model import make_model, make_tokenizer

    tokenizer = make_tokenizer(config)
    return _together([make_model(config, tokenizer, config.run.seed)], tokenizer, config)


def _together(models: list[Any], tokenizer: Any, config: RunConfig) -> Ensemble:
    import torch

    from assent.learn.runs.template import Template, own_template

    on = {"auto": "cuda" if torch.cuda.is_available() else "cpu"}.get(config.run.device, config.run.device)
    own = tokenizer.chat_template == own_template(tokenizer)
    try:
        template = Template(tokenizer, own=own, assistant_only=True)
    except Refused:
        # a base that was taught all that is said, and does not tell what of it the assistant says
        template = Template(tokenizer, own=own, assistant_only=config.train.assistant_only_loss)
    return Ensemble([model.to(on) for model in models], tokenizer, template)


class _Window(NamedTuple):
    text: int
    start: int
    scored: int
    end: int


class Ensemble:
    """Models of the same tokenizer that answer together; most often it is one."""

    def __init__(self, models: Sequence[Any], tokenizer: Any, template: Template) -> None:
        """Take models that are loaded (transformers) and stand on one device, and how conversations are written."""
        self.models = [model.eval() for model in models]
        self.tokenizer = tokenizer
        self.template = template
        room = min(getattr(model.config, "max_position_embeddings", None) or _CONTEXT for model in self.models)
        self.context: int = min(room, _CONTEXT)
        """Tokens that are seen at once."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned, of all models together."""
        return sum(parameter.numel() for model in self.models for parameter in model.parameters())

    def plain(self, text: str) -> list[int]:
        """Return the tokens of somebody's text; what looks like a mark in it is none."""
        return list(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def prompt(self, before: Sequence[dict[str, Any]], begun: str = "") -> list[int]:
        """Return the tokens of a conversation up to where the assistant goes on from what it has `begun`."""
        written = self.template.tokens([*before, {"role": "assistant", "content": "x"}])
        start = next((at for at in range(len(written.ids), 0, -1) if written.learned[at - 1]), 0)
        while start and written.learned[start - 1]:
            start -= 1
        return [*written.ids[:start], *self.plain(begun)]

    def written(self, ids: Sequence[int]) -> str:
        """Return tokens as text, without marks."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def scores(self, texts: Sequence[Sequence[int]]) -> list[Scores]:
        """Score texts of tokens. Longer ones than the context are read in windows that overlap by half."""
        found = [Scores(np.zeros(max(len(text) - 1, 0)), np.zeros(max(len(text) - 1, 0), bool)) for text in texts]
        windows = sorted(self._windows(texts), key=lambda window: window.end - window.start)
        for batch in self._batches(windows):
            for window, nats, first in self._scored(texts, batch):
                place = slice(window.scored - 1, window.end - 1)
                found[window.text].nats[place] = nats
                found[window.text].first[place] = first
        return found

    def continued(self, prefixes: Sequence[Sequence[int]], length: int) -> list[list[int]]:
        """Go on from each prefix by `length` tokens, always the most likely one. Too long prefixes lose their start."""
        room = max(self.context - length, 1)
        cut = [list(prefix[-room:]) for prefix in prefixes]
        found: list[list[int]] = [[] for _ in cut]
        by_length: dict[int, list[int]] = {}
        for place, prefix in enumerate(cut):
            by_length.setdefault(len(prefix), []).append(place)
        for places in by_length.values():
            for start in range(0, len(places), _AT_ONCE):
                some = places[start : start + _AT_ONCE]
                for place, more in zip(some, self._continued([cut[at] for at in some], length), strict=True):
                    found[place] = more
        return found

    def endings(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return minus the log of the probability of each text's end, behind what all of them begin with alike.

        The beginning is read once: many texts that differ in a few tokens cost little more than those tokens.
        """
        import torch

        alike = _alike(texts)
        ends = [text[alike:] for text in texts]
        together = max(min(_NUMBERS // self.models[0].config.vocab_size // max(map(len, ends)), 1_024), 1)
        device = self.models[0].device
        begin = torch.tensor([[*texts[0][:alike]]], device=device)
        found = []
        with torch.inference_mode():
            for start in range(0, len(ends), together):
                some = ends[start : start + together]
                longest = max(map(len, some))
                ids = torch.tensor([[*end, *[0] * (longest - len(end))] for end in some], device=device)
                there = torch.tensor([[1] * len(end) + [0] * (longest - len(end)) for end in some], device=device)
                seen = torch.cat([torch.ones(len(some), alike, dtype=torch.long, device=device), there], dim=1)
                logits = []
                for model in self.models:
                    begun = model(input_ids=begin, use_cache=True)
                    cache = begun.past_key_values
                    cache.batch_repeat_interleave(len(some))
                    answer = model(input_ids=ids, past_key_values=cache, attention_mask=seen, use_cache=True)
                    first = begun.logits[:, -1:].expand(len(some), -1, -1)
                    logits.append(torch.cat([first, answer.logits[:, :-1]], dim=1))
                nats = -self._mean(logits).gather(2, ids[:, :, None])[:, :, 0].double()
                found.append((nats * there).sum(1).cpu().numpy())
        return np.concatenate(found)

    def alone(self, number: int) -> Ensemble:
        """Return one of the models, to be asked by itself."""
        return Ensemble([self.models[number]], self.tokenizer, self.template)

    def _windows(self, texts: Sequence[Sequence[int]]) -> Iterator[_Window]:
        step = max(self.context // 2, 1)
        for place, text in enumerate(texts):
            start, scored = 0, 1
            while scored < len(text):
                end = min(start + self.context, len(text))
                yield _Window(place, start, scored, end)
                start, scored = start + step, end

    def _batches(self, windows: list[_Window]) -> Iterator[list[_Window]]:
        room = max(_NUMBERS // self.models[0].config.vocab_size, self.context)
        batch: list[_Window] = []
        for window in windows:
            # sorted by length, so the newest is the longest, and the others are padded to it
            if batch and (len(batch) + 1) * (window.end - window.start) > room:
                yield batch
                batch = []
            batch.append(window)
        if batch:
            yield batch

    def _scored(
        self, texts: Sequence[Sequence[int]], batch: list[_Window]
    ) -> Iterator[tuple[_Window, NDArray[np.float64], NDArray[np.bool_]]]:
        import torch

        longest = max(window.end - window.start for window in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        there = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, window in enumerate(batch):
            size = window.end - window.start
            ids[row, :size] = torch.tensor([*texts[window.text][window.start : window.end]])
            there[row, :size] = 1
        device = self.models[0].device
        with torch.inference_mode():
            given = {"input_ids": ids.to(device), "attention_mask": there.to(device), "use_cache": False}
            likely = self._mean([model(**given).logits[:, :-1] for model in self.models])
            truth = given["input_ids"][:, 1:]
            nats = -likely.gather(2, truth[:, :, None])[:, :, 0].double().cpu().numpy()
            first = (likely.argmax(2) == truth).cpu().numpy()
        for row, window in enumerate(batch):
            place = slice(window.scored - window.start - 1, window.end - window.start - 1)
            yield window, nats[row, place], first[row, place]

    def _continued(self, prefixes: list[list[int]], length: int) -> list[list[int]]:
        import torch

        step = torch.tensor(prefixes, device=self.models[0].device)
        seen: list[Any] = [None] * len(self.models)
        made = []
        with torch.inference_mode():
            for _ in range(length):
                logits = []
                for place, model in enumerate(self.models):
                    answer = model(input_ids=step, past_key_values=seen[place], use_cache=True)
                    seen[place] = answer.past_key_values
                    logits.append(answer.logits[:, -1:])
                step = self._mean(logits)[:, -1].argmax(1, keepdim=True)
                made.append(step)
        found: list[list[int]] = torch.cat(made, dim=1).tolist()
        return found

    @staticmethod
    def _mean(logits: list[Any]) -> Any:
        """Return the logs of the mean of the models' probabilities."""
        import torch

        logs = [one.float().log_softmax(-1) for one in logits]
        return logs[0] if len(logs) == 1 else torch.stack(logs).logsumexp(0) - float(np.log(len(logs)))


def _alike(texts: Sequence[Sequence[int]]) -> int:
    """Count the tokens that all texts begin with; at least one token is left behind them."""
    most = min(map(len, texts)) - 1
    return next((at for at, said in enumerate(zip(*texts, strict=False)) if at == most or len(set(said)) > 1), most)
