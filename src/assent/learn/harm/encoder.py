"""The second stage: a small sentence encoder in whole numbers, run without any training library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from assent.learn.harm.extra import needing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_TOKENS: Final = 96
"""Tokens of one text that are read; longer texts come in windows (`windows.py`)."""


class Encoder:
    """An ONNX model from tokens to one vector a text, its words, and the heads that read the vector."""

    def __init__(self, model: bytes, words: bytes, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Load the model for one thread: a server scores several texts at a time in several threads."""
        with needing("the encoder of this detector"):
            from onnxruntime import (  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415
                InferenceSession,
                SessionOptions,
            )
            from tokenizers import Tokenizer  # noqa: PLC0415
            from tokenizers.models import WordPiece  # noqa: PLC0415
            from tokenizers.normalizers import BertNormalizer  # noqa: PLC0415
            from tokenizers.pre_tokenizers import BertPreTokenizer  # noqa: PLC0415
            from tokenizers.processors import BertProcessing  # noqa: PLC0415
        known = {word: number for number, word in enumerate(words.decode().splitlines())}
        self._tokens = Tokenizer(WordPiece(known, unk_token="[UNK]", max_input_chars_per_word=64))  # noqa: S106
        self._tokens.normalizer = BertNormalizer(lowercase=True)
        self._tokens.pre_tokenizer = BertPreTokenizer()
        self._tokens.post_processor = BertProcessing(("[SEP]", known["[SEP]"]), ("[CLS]", known["[CLS]"]))
        self._tokens.enable_truncation(MOST_TOKENS)
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._weights = weights
        self._bias = bias

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the log-odds of each head for each text."""
        return self.vectors(texts) @ self._weights + self._bias

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vector of each text.

        Texts go through one by one: what runs in whole numbers is scaled by the largest number at hand, so a text's
        score would depend on its neighbours in a batch; and on a processor a batch saves nothing.
        """
        found = np.empty((len(texts), self._weights.shape[0]), np.float32)
        for place, read in enumerate(self._tokens.encode_batch(list(texts))):
            ids = np.array([read.ids], np.int64)
            found[place] = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]
        return found
