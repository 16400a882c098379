"""Rules for postal addresses: a street and a house number in the order of each language, and the town after it."""

# ruff: noqa: E501, ISC004 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.rule import Rule, before

_CAP: Final = r"[A-ZÀ-ÖØ-ÞŁŚŻŹĆŠŽČÉ][\w'’.-]*"
_SMALL: Final = r"(?:de la|de las|de los|de l['’]|de|del|della|dello|delle|dei|degli|des|du|d['’]|la|le|les|l['’]|el|los|las|van|von|der|den|di|da|do|dos|das|al|y|e|et|und|am|an|im|zum|zur|sur|sous)"
_NUMBER: Final = r"\d{1,5}(?: ?[-/] ?\d{1,4})?(?: ?[A-Za-z](?![\w'’]))?"
_GAP: Final = r"(?:,[ ]?|[ ]?\\n|\n[ \t]{0,8}|[ ]·[ ]|[ ][-–][ ]|[ ])"
_PLACE: Final = r"(?:St\.[ -])?[A-ZÀ-ÖØ-ÞŁŚŻŹĆŠŽČÉ][\w'’-]*"
_TOWN: Final = rf"{_PLACE}(?:[ -](?:{_SMALL}[ ])?{_PLACE}){{0,3}}"
_POSTCODE_TOWN: Final = rf"(?:{_GAP}(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?: ?[A-Z]{{2}})?,?[ ]{_TOWN}(?:[ ](?:\([A-Z]{{2}}\)|[A-Z]{{2}}(?![\w])|a\.d\. ?\w+|am {_CAP}))?)?"

_AT_HOME: Final = re.compile(
    r"(?i)(?:wohn\w*|adress\w*|anschrift|liefer\w*|hause|live[sd]?|address|adres\w*|indirizzo|domicil\w*|abit\w*|resid\w*|sede|"
    r"presso|habit\w*|vivo|vive|direcci[óo]n|moved|ship\w*|send|deliver\w*)[^\d\n]{0,24}$|\bin $"
)
_TOWN_AFTER: Final = re.compile(
    r"\d{4,5}(?: [A-Z]{2})?,? \D+$|\d{3} \d{2} \D+$|[A-Z]{2},? \d{5}|[A-Z]\d[A-Z\d]? ?\d[A-Z]{2}$"
)
_WEAK_KIND: Final = re.compile(
    r"(?:Point|Park|View|Run|Green|Path|Row|Common|Mall|Rise|Loop|Walk|Trail|Crossing|Heights|Ridge|Landing|Way|Hill)$"
)
_STRONG_END: Final = re.compile(
    r"(?i)(?:straße|strasse|str\.|\wgasse|\wallee|chaussee|\wweg|straat|laan|gracht|gatan|vägen|veien)[ ]\d"
)
_LOOSE_KIND: Final = re.compile(r"(?:via|route|place|cours|passage|square|villa|largo|corso|strada|camino|carrera) ")


def _known(match: re.Match[str]) -> bool:
    """Tell whether a town follows the street, or words before it say that somebody is there."""
    return _TOWN_AFTER.search(match[0]) is not None or before(match, _AT_HOME, 44)


def _english(match: re.Match[str]) -> int:
    return 90 if not _WEAK_KIND.search(match[0]) or _known(match) else 0


def _german(match: re.Match[str]) -> int:
    return (
        90
        if _STRONG_END.search(match[0])
        or (_known(match) and not re.match(r"(?:Im|In) (?:Jahr|Kapitel|Abschnitt|Schritt)", match[0]))
        else 0
    )


def _latin(match: re.Match[str]) -> int:
    if _LOOSE_KIND.match(match[0]) or re.match(
        r"\d+,? (?:place|route|cours|passage|square|villa) [A-Z](?:[A-Z]|\w{0,2}\b)", match[0]
    ):
        return 90 if _known(match) else 0
    return 90


_ENGLISH_KIND: Final = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Ter|Way|Circle|Cir|Square|Sq|"
    "Parkway|Pkwy|Highway|Hwy|Close|Crescent|Cres|Gardens|Grove|Mews|Row|Trail|Trl|Plaza|Hill|Walk|Alley|Loop|Path|Pike|"
    "Green|Quay|Wharf|Vale|Rise|Broadway|Run|Point|Ridge|Landing|Crossing|Heights|Park|View|Common|Mall"
)
_UNIT: Final = r"(?:,?[ ](?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Fl|Room|Rm|#)\.?[ ]?#?[\w-]{1,6})?"
_UK: Final = r"[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}"
_STATE: Final = r"(?:[A-Z]{2}|[A-Z][a-z]+(?:[ ][A-Z][a-z]+)?)"
ENGLISH: Final = Rule(
    "address",
    (rf"[0-9][a-z]? (?:[\w.'-]+ ){{1,4}}(?:{_ENGLISH_KIND.lower()})\b", r"\bp\.? ?o\.? box", r"[0-9] broadway"),
    re.compile(
        rf"(?:(?:Flat|Apt\.?|Apartment|Unit|Suite)[ ]\w{{1,5}},[ ])?(?<![\w.,$€£#:/-])(?:\d{{1,5}}[A-Za-z]?(?:-\d{{1,4}})?[ ](?:[NSEW]\.?[ ]|North[ ]|South[ ]|East[ ]|West[ ])?"
        rf"(?:Broadway|(?:(?:[A-Z][\w'’.-]*|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,4}}(?:{_ENGLISH_KIND})\b\.?)(?:[ ](?:[NSEW]{{1,2}})\b)?|P\.?[ ]?O\.?[ ]Box[ ]\d{{1,6}}){_UNIT}"
        rf"(?:{_GAP}(?:{_CAP}[ ]?){{1,3}}(?:,[ ]?{_CAP}(?:[ ]{_CAP})?)?,?[ ]?(?:{_STATE}[ ,]{{1,2}}\d{{5}}(?:-\d{{4}})?|{_UK}|{_STATE}[ ]\d{{4}}|[A-Z]{{2}}(?![\w])[ ]?(?:[A-Z]\d[A-Z][ ]?\d[A-Z]\d)?)|{_GAP}{_UK})?"
    ),
    _english,
)

_GERMAN_END: Final = "straße|strasse|str\\.|weg|gasse|platz|allee|ring|damm|ufer|steig|graben|markt|hof|chaussee|stieg|pfad|straat|laan|plein|gracht|kade|singel|dijk|gatan|vägen|vej|veien|katu"
GERMAN: Final = Rule(
    "address",
    (
        r"(?:stra(?:\xc3\x9f|ss)e|str\.|weg|gasse|platz|allee|ring|damm|ufer|steig|graben|markt|hof|chaussee|stieg|pfad|straat|laan|plein|gracht|"
        r"kade|singel|dijk|gatan|v\xc3\xa4gen|vej|veien|katu) [0-9]",
        r"\b(?:am|an der|an den|im|in der|zum|zur|unter den|auf der|auf dem) [\w\x80-\xff-]+ [0-9]",
    ),
    re.compile(
        rf"(?<![\w-])(?:(?:[A-ZÄÖÜ][\w.'’-]*[ -]){{0,3}}(?:[A-ZÄÖÜ][\w'’-]*?(?:{_GERMAN_END})|(?:Straße|Strasse|Str\.|Weg|Gasse|Platz|Allee|Ring|Damm|Ufer|Markt|Chaussee|Straat|Laan|Plein|Gracht|Kade)(?:[ ](?:des|der|am|von|zum)[ ]\d?\d?\.?[ ]?{_CAP}){{0,2}})"
        rf"|(?:Am|An der|An den|Im|In der|Zum|Zur|Unter den|Auf der|Auf dem)[ ]{_CAP})[ ]\d{{1,4}}(?:[ ]?[-/][ ]?\d{{1,4}})?(?:[ ]?[a-hA-H](?!\w))?(?![\w.,]*\d|[ ]?(?:%|Uhr|Jahre|km|€))"
        rf"(?:{_GAP}(?:[A-Z]{{1,2}}-)?(?:\d{{4,5}}(?:[ ][A-Z]{{2}})?|\d{{3}}[ ]\d{{2}})[ ]{_TOWN})?"
    ),
    _german,
)

_FRENCH_KIND: Final = (
    "rue|avenue|av\\.|boulevard|bd|blvd|place|chemin|all[ée]e|impasse|quai|cours|route|passage|square|faubourg|villa"
)
_LATIN_KIND: Final = (
    r"rue|avenue|av\.|boulevard|bd|blvd|place|chemin|all[ée]e|impasse|quai|cours|route|passage|square|faubourg|villa|"
    r"calle|c/|avenida|avda\.?|plaza|pza\.?|paseo|pº\.?|carrer|carrera|camino|ronda|traves[íi]a|glorieta|urbanizaci[óo]n|"
    r"via|viale|v\.le|piazza|p\.za|piazzale|corso|c\.so|largo|vicolo|strada|lungomare|lungotevere|contrada|"
    r"rua|travessa|alameda|pra[çc]a|estrada|ul\.|ulica|aleja|al\.|os\.|strada|bulevardul|jalan"
)
LATIN: Final = Rule(
    "address",
    (
        r"\b(?:rue|avenue|av\.|boulevard|bd|blvd|place|chemin|all(?:e|\xc3\xa9)e|impasse|quai|cours|route|passage|square|faubourg|villa|"
        r"calle|c/|avenida|avda|plaza|pza|paseo|p\xc2\xba\.?|carrer|carrera|camino|ronda|traves|glorieta|urbanizaci|via|viale|v\.le|piazza|"
        r"p\.za|piazzale|corso|c\.so|largo|vicolo|strada|lungomare|lungotevere|contrada|rua|travessa|alameda|pra\xc3?.{1,2}a|estrada|ul\.|"
        r"ulica|aleja|al\.|os\.|bulevardul|jalan)(?:[ /][^\n]{1,60}[0-9]|\.[^\n]{1,60}[0-9])",
        r"[0-9][ ,][^\n]{0,8}(?:rue|avenue|av\.|boulevard|bd|blvd|place|chemin|all(?:e|\xc3\xa9)e|impasse|quai|cours|route|passage|square|faubourg|villa) ",
    ),
    re.compile(
        rf"(?<![\w.-])(?:{_NUMBER}(?:[ ](?:bis|ter|quater))?,?[ ](?i:{_FRENCH_KIND})[ ](?:{_SMALL}[ ]?){{0,2}}{_CAP}(?:[ -](?:{_SMALL}[ ]?)?{_CAP}){{0,4}}"
        rf"|(?i:{_LATIN_KIND})(?:[ ]|(?<=[./]))(?:{_SMALL}[ ]?){{0,2}}(?:{_CAP}|\d{{1,2}} (?:de )?\w+)(?:[ -](?:{_SMALL}[ ]?)?{_CAP}){{0,4}}(?:,[ ]?|[ ])(?:n\.?[ ]?[º°o]?\.?[ ]?|n[uú]m\.?[ ]?|s/n|km[ ]?)?\d{{1,4}}(?: ?[-/] ?\d{{1,4}})?(?:[ ]?[A-Za-z](?!\w))?(?![\w.]*\d)"
        rf"(?:,[ ](?:\d{{1,2}}[ºª°](?:[ ]?\w{{1,3}}(?!\w))?|piso[ ]\d+\w?|apto\.?[ ]?\d+|[Bb]ajo|int(?:erno|\.)?[ ]?\d+|esc(?:\.|alera)?[ ]\w+)){{0,3}}){_POSTCODE_TOWN}"
    ),
    _latin,
)
POSTCODE_TOWN: Final = Rule(
    "address",
    (
        r"(?:wohn|lebe|plz|postleitzahl|ans(?:chrift|\xc3\xa4ssig)|adress|habite|r\xc3\xa9sid|vivo en|cap\b|abito|domicil|resid|code postal)[^\n]{0,24}[0-9]{5}",
    ),
    re.compile(
        rf"(?i:wohn\w*|lebe|plz|anschrift|adress\w*|habit\w*|domicil\w*|resid\w*|abito|vivo|code postal)[^\d\n]{{0,20}}(?P<v>(?:[A-Z]{{1,2}}-)?\d{{5}}[ ]{_TOWN})"
    ),
    lambda _: 70,
)

_CAPITAL: Final = r"[A-ZÀ-ÖØ-ÞŁŚŻŠŽČİĐ][\w'’-]*"
_PROPER: Final = rf"{_CAPITAL}(?:\.(?=[ ]))?"
BEFORE_A_POSTCODE: Final = Rule(
    "address",
    (r"[0-9][a-z]?,? [0-9]{4,5} [a-z\xc3]", r"[a-z\xb0-\xbf],? [a-z]{1,2}[0-9][0-9a-z]? ?[0-9][a-z]{2}\b"),
    re.compile(
        rf"(?<![\w.-]){_PROPER}(?:[ ](?:{_SMALL}[ ])?{_PROPER}){{0,3}}[ ]\d{{1,4}}(?:[ ]?[a-hA-H])?,[ ](?:[A-Z]{{1,2}}-)?\d{{4,5}}[ ]{_CAPITAL}(?:[ -]{_CAPITAL}){{0,2}}"
        rf"|(?<![\w.,-])(?:(?:Flat|Unit|Apartment|Apt\.?)[ ]\w{{1,5}},[ ])?\d{{1,4}}[A-Za-z]?[ ](?:{_PROPER}[ ]?){{1,4}},[ ](?:{_PROPER}[ ]){{1,3}}{_UK}(?!\w)"
    ),
    lambda _: 75,
)
"""A street of any kind: a number, then a postcode and a town."""

RULES: Final = (ENGLISH, GERMAN, LATIN, BEFORE_A_POSTCODE, POSTCODE_TOWN)
