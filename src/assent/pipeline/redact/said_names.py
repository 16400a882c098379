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


_KIN: Final = (
    "son|daughter|brother|sister|husband|wife|boss|friend|cousin|uncle|aunt|nephew|niece|grandma|grandpa|girlfriend|boyfriend|neighbou?r|landlord|colleague|"
    "sohn|tochter|bruder|schwester|mann|frau|nachbarin|nachbar|onkel|tante|oma|opa|cousine|neffe|nichte|freundin|freund|chefin|chef|kollegin|kollege|schwager|"
    "fils|fille|frère|s(?:œ|oe)ur|mari|femme|voisine|voisin|tante|oncle|mamie|papi|copine|copain|neveu|nièce|"
    "hijo|hija|hermano|hermana|marido|mujer|jefe|jefa|vecino|vecina|tío|tía|abuela|abuelo|primo|prima|novio|novia|sobrino|sobrina|"
    "figlio|figlia|fratello|sorella|marito|moglie|vicino|vicina|zio|zia|nonna|nonno|cugino|cugina|nipote|fidanzato|fidanzata"
)
_OURS: Final = "my|our|his|her|your|mein|meine|meinem|meiner|meinen|unser|unsere|mon|ma|notre|mi|nuestro|nuestra|mio|mia|il mio|la mia"
KIN: Final = Rule(
    "name",
    (rf"\b(?:{_OURS}) (?:{_KIN})[ ,]".replace("œ", r"\xc5\x93").replace("è", r"\xc3\xa8").replace("í", r"\xc3\xad"),),
    re.compile(rf"(?i:\b(?:{_OURS}) (?:{_KIN}),? )(?P<v>[^\W\d_A-Z]{{3,20}})(?![\w'’@-])"),
    lambda match: _small(match["v"], GIVEN),
)
TITLED: Final = Rule(
    "name",
    (
        r"\b(?:herrn?|mrs?|miss|docteur|dottor|dottoressa|doctora?|signora?|se\xc3\xb1ora?|madame|monsieur|ma\xc3\xaetre) ",
    ),
    re.compile(
        r"\b(?i:herrn?|mrs?|miss|docteur|dottor|dottoressa|doctora?|signora?|señora?|madame|monsieur|maître) (?P<v>[^\W\d_A-Z]{3,20})(?![\w'’@-])"
    ),
    lambda match: _small(match["v"], FAMILY),
)
CALLED: Final = Rule(
    "name",
    (r"(?:s'appelle|se llama|si chiama|s nam(?:e is|ed)|r nam(?:e is|ed)| called|namens|hei(?:\xc3\x9f|ss)t) ",),
    re.compile(
        r"(?i:s['’]appelle|se llama|si chiama|\b(?:his|hers?|their) name is|\bnamed|\bcalled|\bnamens|\b(?:er|sie) heißt) (?P<v>[^\W\d_A-Z]{3,20})(?![\w'’@-])"
    ),
    lambda match: _small(match["v"], GIVEN),
)


def _small(value: str, kind: int) -> int:
    """Judge a word in small letters: a name that is no everyday word."""
    known = load().kinds.get(value, 0)
    return 70 if known & kind and not known & COMMON else 0


KEYED: Final = Rule(
    "name",
    (
        r"(?:(?:first|last|full|given|family|maiden|middle|sur|display|customer|client|contact|patient|employee|holder|owner|author|"
        r"recipient|sender|student|guest|vor|nach|familien|person|real|legal|spouse|tenant|passenger|driver)[ _-]?name|nom|pr\xc3\xa9nom|prenom|"
        r"apellidos?|nombre|cognome|nome|imi\xc4\x99|nazwisko|signed-off-by|co-authored-by|reviewed-by)[\"'\x60\\]{0,2} {0,20}[:=]",
    ),
    re.compile(
        r"(?:(?i:(?:first|last|full|given|family|maiden|middle|sur|display|customer|client|contact|patient|employee|holder|owner|author|"
        r"recipient|sender|student|guest|vor|nach|familien|person|real|legal|spouse|tenant|passenger|driver)[ _-]?name|\bnom|pr[ée]nom|apellidos?|"
        r"\bnombre(?: completo)?|cognome|\bnome(?: completo)?|imię|nazwisko|signed-off-by|co-authored-by|reviewed-by))"
        rf"\\?[\"'`]?\s?(?:[ ]{{0,20}}=>|[:=])\s?\\?[\"'`]?(?P<v>{_NAME})(?![\w(@])"
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

_ABOARD: Final = "(?:MRS?|MS|MISS|MSTR|MME|MLLE|SRA?|SIG|DR)"
PASSENGER: Final = Rule(
    "name",
    (r"[a-z]/[a-z]+ ?(?:mrs?|ms|miss|mstr|mme|mlle|sra?|sig|dr)\b",),
    re.compile(
        rf"(?<![\w/])(?P<v>[A-ZÀ-ÖØ-Þ]{{2,25}})(?=/[A-ZÀ-ÖØ-Þ]{{2,25}} ?{_ABOARD}\b)|(?<=[A-ZÀ-ÖØ-Þ]/)(?P<w>[A-ZÀ-ÖØ-Þ]{{2,25}}?)(?= ?{_ABOARD}\b)"
    ),
    lambda _: 80,
)

RULES: Final = (INTRODUCED, KIN, TITLED, CALLED, PASSENGER, KEYED, BEFORE_MAIL, EASTERN)
