"""Rules for names that something says to be names: an introduction, a key, a mail address behind, whatever the case."""

# ruff: noqa: E501, ISC004 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.names import COMMON, FAMILY, GIVEN, load
from assent.pipeline.redact.rule import Rule

_CAP: Final = r"[A-ZÀ-ÖØ-ÞŁŚŻŠŽČİĐ][^\W\d_]*(?:['’-][^\W\d_]+)*\.?"
_NAME: Final = rf"{_CAP}(?:[ ](?:(?:de|del|della|di|da|do|dos|van|von|der|den|la|le|bin|al|el)[ ]){{0,2}}{_CAP}){{0,3}}"

INTRODUCED: Final = Rule(
    "name",
    (
        r"my name is |my name's |name's |ich hei(?:\xc3\x9f|ss)e |mein name ist |m'appelle |mon nom est |me llamo |mi nombre es |mi chiamo |il mio nome |meu nome |me chamo |ik heet ",
    ),
    re.compile(
        r"(?i)(?:name is|name's|hei(?:ß|ss)e|name ist|m'appelle|nom est|llamo|nombre es|chiamo|nome [èe]|chamo|heet)[ ]"
        r"(?P<v>[^\W\d_]{2,20}(?:[ '-][^\W\d_]{2,20}){0,2}?)(?=$|[.,;!?\n)]|[ ](?:and|und|et|y|e|en|i|ich|je|from|aus|de|born|but|aber)\b)"
    ),
    lambda match: _introduced(match["v"]),
)


def _introduced(value: str) -> int:
    known = load().kinds
    words = [known.get(word, 0) for word in re.split(r"[ '-]", value.lower())]
    if value[0].isupper():
        return 80 if not words[0] & COMMON or words[0] & (GIVEN | FAMILY) else 0
    return 70 if words[0] & GIVEN and (not words[0] & COMMON or len(words) > 1) else 0


KEYED: Final = Rule(
    "name",
    (
        r"(?:(?:first|last|full|given|family|maiden|middle|sur|display|customer|client|contact|patient|employee|holder|owner|author|"
        r"recipient|sender|student|guest|vor|nach|familien|person|real|legal|spouse|tenant|passenger|driver)[ _-]?name|nom|pr\xc3\xa9nom|prenom|"
        r"apellidos?|nombre|cognome|nome|imi\xc4\x99|nazwisko|signed-off-by|co-authored-by|reviewed-by)[\"'\x60\\]{0,2} ?[:=]",
    ),
    re.compile(
        r"(?:(?i:(?:first|last|full|given|family|maiden|middle|sur|display|customer|client|contact|patient|employee|holder|owner|author|"
        r"recipient|sender|student|guest|vor|nach|familien|person|real|legal|spouse|tenant|passenger|driver)[ _-]?name|\bnom|pr[ée]nom|apellidos?|"
        r"\bnombre(?: completo)?|cognome|\bnome(?: completo)?|imię|nazwisko|signed-off-by|co-authored-by|reviewed-by))"
        rf"\\?[\"'`]?\s?[:=]\s?\\?[\"'`]?(?P<v>{_NAME})(?![\w(@])"
    ),
    lambda match: (
        0 if match["v"] in {"None", "True", "False", "Optional", "String", "Text", "Field", "Name", "Column"} else 85
    ),
)
BEFORE_MAIL: Final = Rule(
    "name",
    (r" <[\w.+-]+@",),
    re.compile(
        rf"(?<![\w.@-])(?P<v>{_CAP}[ ](?:(?:de|van|von|der|la|di|da)[ ]){{0,2}}{_CAP}(?:[ ]{_CAP})?)\"?[ ]<(?=[\w.+-]+@)"
    ),
    lambda _: 85,
)
EASTERN: Final = Rule(
    "name",
    (
        r"\xe6\x88\x91\xe5\x8f\xab|\xe5\x90\x8d\xe5\xad\x97\xe6\x98\xaf|\xe5\x90\x8d\xe5\x89\x8d\xe3\x81\xaf|\xe5\xa7\x93\xe5\x90\x8d",
    ),
    re.compile(r"(?:我叫|名字是|名字叫|名前は|姓名[::]\s?)(?P<v>[\u4e00-\u9fff]{2,4}?)(?=[,,。.、!!\s]|です|と申|$)"),
    lambda _: 80,
)

RULES: Final = (INTRODUCED, KEYED, BEFORE_MAIL, EASTERN)
