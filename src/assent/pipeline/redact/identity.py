"""Rules for national numbers, documents and dates of birth. A number without its check digit needs its name before it."""

# ruff: noqa: E501, ISC004 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assent.pipeline.redact import checks
from assent.pipeline.redact.rule import Rule, before

if TYPE_CHECKING:
    from collections.abc import Callable


def _number(
    pattern: str, triggers: tuple[str, ...], check: Callable[[str], bool], cue: str, *, alone: bool = True
) -> Rule:
    """Make the rule of a number that has a check: found `alone`, or only after its cue; a wrong check needs the cue."""
    cues = re.compile(cue)

    def judge(match: re.Match[str]) -> int:
        plain = checks.letters_and_digits(match[0])
        good = len(set(plain)) > 1 and check(plain)
        if good and alone:
            return 100
        return (100 if good else 75) if before(match, cues, 48) else 0

    edges = r"(?<![A-Za-z0-9_.+-])(?<!\d )" + pattern + r"(?![A-Za-z0-9_]|[-.]\d| \d)"
    return Rule("national_id", triggers, re.compile(edges), judge)


def _ssn(plain: str) -> bool:
    return plain[:3] not in {"000", "666"} and plain[0] != "9" and plain[3:5] != "00" and plain[5:] != "0000"


_NO_NINO: Final = frozenset({"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"})
_TAX_CUE: Final = r"(?i)steuer|\bidnr|tax id|\btin\b|identifikationsnummer"

NUMBERS: Final = (
    _number(r"\d{3}-\d{2}-\d{4}", (r"[0-9]{3}-[0-9]{2}-[0-9]{4}",), _ssn, r"(?i)ssn|social"),
    _number(r"\d{3} ?\d{2} ?\d{4}", (r"ssn", r"social sec"), _ssn, r"(?i)\bssn\b|ssn\W|social.security", alone=False),
    _number(
        r"[A-Za-z]{2}([ -]?)\d{2}\1\d{2}\1\d{2}\1[A-Da-d]",
        (r"[a-z]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[a-d]",),
        lambda plain: not set("DFIQUV") & set(plain[:2]) and plain[1] != "O" and plain[:2] not in _NO_NINO,
        r"(?i)national insurance|\bni\b|nino",
    ),
    _number(
        r"[12][ .]?\d{2}[ .]?\d{2}[ .]?(?:\d{2}|2[ABab])[ .]?\d{3}[ .]?\d{3}(?:[ .-]{0,3}\d{2})",
        (r"[12][ .]?[0-9]{2}[ .]?[0-9]{2}[ .]?[0-9][0-9ab][ .]?[0-9]{3}[ .]?[0-9]{3}",),
        checks.nir,
        r"(?i)s[ée]cu|\bnir\b|insee|social",
    ),
    _number(r"[1-9]\d \d{3} \d{3} \d{3}", (r"[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}",), checks.tax_id, _TAX_CUE),
    _number(r"[1-9]\d{10}", (r"steuer|idnr|tax.?id|identifikationsn",), checks.tax_id, _TAX_CUE, alone=False),
    _number(
        r"(?:\d{8}|\d{1,2}\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]",
        (r"[0-9]{8}[ -]?[a-z]", r"[0-9]\.[0-9]{3}\.[0-9]{3}[ -]?[a-z]"),
        lambda plain: len(plain) == 9 and checks.dni(plain),
        r"(?i)\bdni\b|\bnif\b|documento|identidad",
    ),
    _number(
        r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", (r"[xyz][ -]?[0-9]{7}[ -]?[a-z]",), checks.dni, r"(?i)\bnie\b|extranjer"
    ),
    _number(
        r"\d{2} ?\d{6} ?[A-Z] ?\d{3}",
        (r"[0-9]{2} ?[0-9]{6} ?[a-z] ?[0-9]{3}",),
        lambda plain: 1 <= int(plain[2:4]) <= 31 and 1 <= int(plain[4:6]) <= 12,
        r"(?i)versicherung|\brv\b|\bsv\b|rente",
    ),
    _number(
        r"[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z]",
        (r"[a-z]{6}[0-9]{2}[a-ehlmpr-t][0-9]{2}[a-z][0-9]{3}[a-z]",),
        lambda plain: int(plain[9:11]) % 40 in range(1, 32),
        r"(?i)codice fiscale|\bcf\b",
    ),
    _number(
        r"\d{4}[. ]?\d{2}[. ]?\d{3}",
        (r"bsn|burgerservice|sofi",),
        checks.bsn,
        r"(?i)bsn|burgerservice|sofi",
        alone=False,
    ),
    _number(r"\d{3}\.\d{3}\.\d{3}-\d{2}", (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",), checks.cpf, r"(?i)\bcpf\b"),
    _number(r"\d{11}", (r"cpf",), checks.cpf, r"(?i)\bcpf\b", alone=False),
    _number(
        r"[2-9]\d{3}([ -])\d{4}\1\d{4}", (r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}",), checks.aadhaar, r"(?i)aadha+r|uidai"
    ),
    _number(r"[2-9]\d{11}", (r"aadha",), checks.aadhaar, r"(?i)aadha+r|uidai", alone=False),
    _number(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", (r"[a-z]{3}p[a-z][0-9]{4}[a-z]",), lambda _: True, r"\bPAN\b"),
    _number(r"756\.?\d{4}\.?\d{4}\.?\d{2}", (r"756\.?[0-9]{4}\.?[0-9]{4}",), checks.ean, r"(?i)ahv|avs"),
    _number(
        r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", (r"[0-9]{2}-[0-9]{3}\.[0-9]{2}",), checks.belgian, r"(?i)rijksreg|national"
    ),
    _number(r"\d{11}", (r"pesel",), checks.pesel, r"(?i)pesel", alone=False),
    _number(r"\d{9}", (r"\bnif\b|contribuinte",), lambda _: True, r"(?i)\bnif\b|contribuinte", alone=False),
    _number(r"(?:19|20)?\d{6}[-+]\d{4}", (r"[0-9]{6}[-+][0-9]{4}",), checks.swedish, r"(?i)person\w*nummer"),
    _number(r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]", (r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9x]",), checks.chinese, r"身份证"),
)

_DOCUMENT: Final = (
    r"passport|reisepass(?:nummer)?|passeport|pasaporte|passaporto|paspoort|passaporte|driver'?s? licen[cs]e|"
    r"driving licen[cs]e|licence de conduire|permis de conduire|f[üu]hrerschein\w*|patente|carn[ée] de conducir|"
    r"national id(?:entity)?|identity card|id card|personalausweis\w*|ausweis\w*|carte d'identit[ée]|cni|"
    r"carta d'identit[àa]|c[ée]dula|curp|rfc|tax id|itin|\bein\b|social insurance number|\bsin\b|\bnhs\b|medicare|"
    r"national_id|passport_no|sozialversicherungs\w*|rentenversicherungs\w*|versicherungs(?:nummer|nr\.?)|nric|"
    r"tax file number|\btfn\b|\bahv\b|svnr|partita iva"
)
DOCUMENT: Final = Rule(
    "national_id",
    (
        r"(?:passport|reisepass|passeport|pasaporte|passaport|paspoort|licen[cs]e|permis de|hrerschein|patente|conducir|"
        r"national.id|id card|identity card|ausweis|identit|dula|curp|rfc|tax id|itin|\bein\b|insurance num|\bsin\b|\bnhs\b|"
        r"medicare|versicherungs|nric|file number|tfn|svnr|partita iva|cni|\bahv|carta d)[^\n]{0,40}[0-9]",
    ),
    re.compile(
        rf"(?i)(?:{_DOCUMENT})[\"']?(?:\W{{0,3}}(?:number|no|nr|num|n[°º]|n[úu]mero|numero|num[ée]ro|nummer|#|is|ist|est|es|"
        r"è|de|der|lautet))*[\"']?[ \t]{0,2}[.:=#]?[ \t]{0,2}[\"']?(?P<v>(?-i:[A-Z]{0,4}[ -]?\d[A-Z0-9]{2,}(?:[ -]?[A-Z0-9]{2,}){0,4}))"
        r"(?![\w])"
    ),
    lambda match: 90 if 6 <= len(plain := checks.letters_and_digits(match["v"])) <= 18
    and sum(one.isdigit() for one in plain) >= 4 else 0,
)  # fmt: skip

_MONTHS: Final = (
    r"jan[a-zà-ÿ]*\.?|feb[a-zà-ÿ]*\.?|m[aä]r[a-zà-ÿ]*\.?|apr[a-zà-ÿ]*\.?|ma[yio][a-zà-ÿ]*|jun[a-zà-ÿ]*\.?|jul[a-zà-ÿ]*\.?|aug[a-zà-ÿ]*\.?|sep[a-zà-ÿ]*\.?|o[ck]t[a-zà-ÿ]*\.?|nov[a-zà-ÿ]*\.?|"
    r"de[cz][a-zà-ÿ]*\.?|janv[a-zà-ÿ]*\.?|f[ée]v[a-zà-ÿ]*\.?|mars|avr[a-zà-ÿ]*\.?|juin|juil[a-zà-ÿ]*\.?|ao[uû]t|d[ée]c[a-zà-ÿ]*\.?|ene[a-zà-ÿ]*\.?|abr[a-zà-ÿ]*\.?|"
    r"ago[a-zà-ÿ]*\.?|dic[a-zà-ÿ]*\.?|gen[a-zà-ÿ]*\.?|mag[a-zà-ÿ]*\.?|giu[a-zà-ÿ]*\.?|lug[a-zà-ÿ]*\.?|set[a-zà-ÿ]*\.?|ott[a-zà-ÿ]*\.?"
)
_BIRTH: Final = (
    r"date.?of.?birth|birth.?da(?:te|y)|\bd\.?o\.?b\.?|\bborn|geburts(?:datum|tag)|\bgeb(?:oren|\.|\b)|n[ée]e?(?:\(e\))?[ _]le|"
    r"\bn[ée]e?\\?[\"']\s?(?:=>|[:=])|\bbday\b|\bddn\b|\bnac\.|"
    r"(?:date de )?naissance|nacimiento|naci[óo]|\bnac[íi]\b|nacid[oa]|cumplea[ñn]os|nat[oa] (?:il|a)|nascita|nascimento|nascid[oa]|"
    r"geboortedatum|geboren|compleanno|anniversaire|urodz\w*|f[öo]delse\w*|生年月日|出生"
)
BORN: Final = Rule(
    "date_of_birth",
    (
        r"(?:birth|d\.?o\.?b|\bborn\b|geburts|\bgeb\b|\bgeboren|\bn\xc3\xa9|\bne[_\"'\\]|bday|\bddn\b|\bnac(?:\.|\xc3|i)|naissance|nacimi|naci\b|naci\xc3|nacid|cumplea|"
        r"\bnat[oa] |nascit|nascim|nascid|geboorte|compleanno|anniversaire|urodz|delse|\xe7\x94\x9f\xe5\xb9\xb4|"
        r"\xe5\x87\xba\xe7\x94\x9f)[^\n]{0,48}(?:[0-9]|\n[^\n]{0,6}[0-9])",
    ),
    re.compile(
        rf"(?i)(?:{_BIRTH})(?:[^\d\n]{{0,24}}|[^\d\n]{{0,12}}\n[^\d\n]{{0,6}}|[^\d\n]{{0,40}}?(?:\b(?:on|am|le|el|il|was|is)\s))(?P<v>(?:19|20)\d\d[-./]\d{{1,2}}[-./]\d{{1,2}}|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|"
        rf"\d{{1,2}}[-./]\d{{1,2}}[-./](?:19|20)?\d\d|\d{{1,2}}(?:st|nd|rd|th|er|\.|º)?[\s-](?:de\s|of\s)?(?:{_MONTHS}),?[\s-](?:de\s|del\s)?(?:19|20)\d\d|"
        r"(?:19|20)\d\d年\d{1,2}月\d{1,2}日)(?!\d|[./-]\d)"
    ),
    lambda _: 100,
)
BORN_IN_WORDS: Final = Rule(
    "date_of_birth",
    BORN.triggers,
    re.compile(
        rf"(?i)(?:{_BIRTH})[^\d\n]{{0,24}}?\b(?P<v>(?:{_MONTHS})\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:19|20)\d\d)(?!\d)"
    ),
    lambda _: 100,
)
BIRTH_LAST: Final = Rule(
    "date_of_birth",
    (r"[0-9]{2,4}[^\n0-9]{1,24}geboren",),
    re.compile(
        rf"(?P<v>\d{{1,2}}[-./]\d{{1,2}}[-./](?:19|20)?\d\d|(?:19|20)\d\d-\d\d-\d\d|\d{{1,2}}\.?\s(?i:{_MONTHS})\s(?:19|20)\d\d)[^\d\n.]{{1,24}}\bgeboren"
    ),
    lambda _: 100,
)

STAR: Final = Rule(
    "date_of_birth",
    (r"\* ?[0-9]{1,2}\.[0-9]{1,2}\.(?:19|20)[0-9]{2}",),
    re.compile(r"(?<![\w*)\]])\*[ ]?(?P<v>\d{1,2}\.\d{1,2}\.(?:19|20)\d\d)(?![\d*])"),
    lambda _: 90,
)
"""The star that German writes before a birth."""

RULES: Final = (BIRTH_LAST, *NUMBERS, DOCUMENT, BORN, BORN_IN_WORDS, STAR)
