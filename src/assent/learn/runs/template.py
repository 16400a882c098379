"""A conversation as tokens: what is said by whom, what the assistant thinks, what it calls, and what of it is learned.

Models from scratch speak in the marks below. What people wrote is never read as a mark, even where it looks like one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from assent.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TURN: Final = "<|turn|>"
END: Final = "<|end|>"
THINK: Final = "<|think|>"
SAY: Final = "<|say|>"
CALL: Final = "<|call|>"
PAD: Final = "<|pad|>"
MARKS: Final = (PAD, TURN, END, THINK, SAY, CALL)
"""The marks: padding, before a turn, after a turn, before what is thought, after it, before a call of a tool."""

OWN: Final = (
    "{%- for message in messages -%}"
    "{{- '<|turn|>' + message['role'] -}}"
    "{%- if message['name'] -%}{{- ' ' + message['name'] -}}{%- endif -%}"
    "{{- '\\n' -}}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}"
    "{%- if message['reasoning_content'] -%}{{- '<|think|>' + message['reasoning_content'] + '<|say|>' -}}{%- endif -%}"
    "{{- message['content'] or '' -}}"
    "{%- for call in message['tool_calls'] or [] -%}"
    "{{- '<|call|>' + call['function']['name'] + '\\n' + call['function']['arguments'] -}}"
    "{%- endfor -%}"
    "{{- '<|end|>' -}}"
    "{%- endgeneration -%}"
    "{%- else -%}"
    "{{- (message['content'] or '') + '<|end|>' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|turn|>assistant\\n' -}}{%- endif -%}"
)
"""The template that goes with the weights, for programs that talk to them."""


class Tokens(NamedTuple):
    """A conversation as ids, whether each is learned, and where it may be split: the ends of turns, rising."""

    ids: list[int]
    learned: list[bool]
    ends: list[int]


class Template:
    """Makes tokens of conversations with one tokenizer, in the own form or in that of a base model."""

    def __init__(self, tokenizer: Any, *, own: bool, assistant_only: bool) -> None:
        """Take a tokenizer of transformers. Raises `Refused` if the base does not tell what the assistant says."""
        self._tokenizer = tokenizer
        self._assistant_only = assistant_only
        self._of_base = None if own else _learnable(tokenizer, assistant_only=assistant_only)
        vocabulary = tokenizer.get_vocab()
        ending = END if END in vocabulary else tokenizer.eos_token or END
        self._marks = {mark: self._known(ending if mark == END else mark, vocabulary) for mark in MARKS}

    def tokens(self, messages: Sequence[dict[str, Any]]) -> Tokens:
        """Make tokens of a conversation. Raises `ValueError` if a base model's template does not take it."""
        return self._own(messages) if self._of_base is None else self._base(messages, self._of_base)

    def _own(self, messages: Sequence[dict[str, Any]]) -> Tokens:
        found = Tokens([], [], [])
        for message in messages:
            said = message["role"] == "assistant"
            head = message["role"] + (f" {message['name']}" if message.get("name") else "")
            for text, is_mark, spoken in (
                (TURN, True, False),
                (f"{head}\n", False, False),
                *((text, is_mark, said) for text, is_mark in _pieces(message)),
                (END, True, said),
            ):
                ids = self._marks[text] if is_mark else self._plain(text)
                found.ids.extend(ids)
                found.learned.extend([spoken or not self._assistant_only] * len(ids))
            found.ends.append(len(found.ids))
        return found

    def _base(self, messages: Sequence[dict[str, Any]], template: str) -> Tokens:
        from jinja2 import TemplateError

        try:
            made = self._tokenizer.apply_chat_template(
                [_with_arguments(message) for message in messages],
                chat_template=template,
                tokenize=True,
                return_dict=True,
                return_assistant_tokens_mask=self._assistant_only,
            )
        except (TemplateError, TypeError) as error:
            raise ValueError("the chat template of the base model does not take this conversation") from error
        ids = list(made["input_ids"])
        learned = [bool(value) for value in made["assistant_masks"]] if self._assistant_only else [True] * len(ids)
        ends = [at + 1 for at in range(len(ids) - 1) if learned[at] and not learned[at + 1]]
        return Tokens(ids, learned, [*ends, len(ids)])

    def _plain(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def _known(self, mark: str, vocabulary: dict[str, int]) -> list[int]:
        return [vocabulary[mark]] if mark in vocabulary else self._plain(mark)


def own_template(tokenizer: Any) -> str:
    """Return the own template as this tokenizer writes it: a base model ends a turn with its own end mark."""
    if END in tokenizer.get_vocab() or not tokenizer.eos_token:
        return OWN
    return OWN.replace(END, tokenizer.eos_token)


def _pieces(message: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    if message["role"] == "assistant" and (thought := message.get("reasoning_content")):
        yield THINK, True
        yield thought, False
        yield SAY, True
    yield message.get("content") or "", False
    for call in message.get("tool_calls") or () if message["role"] == "assistant" else ():
        yield CALL, True
        yield f"{call['function']['name']}\n{call['function']['arguments']}", False


def _with_arguments(message: dict[str, Any]) -> dict[str, Any]:
    """Read the arguments of calls, which templates expect as values and cuts hold as text."""
    calls = message.get("tool_calls")
    if not calls:
        return message
    read = [
        {**call, "function": {**call["function"], "arguments": _value(call["function"]["arguments"])}} for call in calls
    ]
    return {**message, "tool_calls": read}


def _value(arguments: str) -> Any:
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {"input": arguments}
    return value if isinstance(value, dict) else {"input": value}


def _learnable(tokenizer: Any, *, assistant_only: bool) -> str:
    template = str(tokenizer.chat_template)
    if not assistant_only or "{% generation" in template or "{%- generation" in template:
        return template
    from trl.chat_template_utils import get_training_chat_template

    try:
        known = get_training_chat_template(tokenizer)
    except (ValueError, NotImplementedError):
        known = None
    if known is None:
        fix = 'set `template = "own"` or `assistant_only_loss = false`, or mark it in the template: `{% generation %}`'
        raise Refused("the chat template of the base model does not say which tokens are the assistant's", fix)
    return str(known)
