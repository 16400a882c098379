"""Rules for telephone numbers: by their shape where it is telling, else by the words before them."""

# ruff: noqa: E501, ISC004, SIM905 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import re
from typing import Final

from assent.pipeline.redact.checks import digits_of
from assent.pipeline.redact.rule import Rule, before

_COUNTRIES: Final = frozenset(
    (
        "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 "
        "81 82 84 86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 "
        "233 234 235 236 237 238 239 240 241 242 243 244 245 248 249 250 251 252 253 254 255 256 257 258 260 261 "
        "262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 "
        "373 374 375 376 377 378 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 "
        "509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 "
        "687 688 689 690 691 692 850 852 853 855 856 880 886 960 961 962 963 964 965 966 967 968 970 971 972 973 "
        "974 975 976 977 992 993 994 995 996 998"
    ).split()
)
"""Country codes of ITU-T E.164."""

CUE: Final = re.compile(
    r"(?i)(?:\b(?:tele)?(?:phone|fon|foon|fono|fone)\b|phone|\btel[.:]?\b|t[ée]l[ée]?(?:phone|fono|fone)?\b|\bmobil\w*|"
    r"\bcell\w*|\bfax\b|\bcall(?:ed|ing)?\b|\btext(?:ed)? (?:me|him|her|us)|whatsapp|\bsignal\b|\bhandy|rufnummer|"
    r"durchwahl|erreich\w*|anruf\w*|ruf\w* (?:mich|uns|an)|(?:r[ae]p)?appel\w*|richiam\w*|joign\w*|joindre|portable|m[óo]vil|ll[aá]m\w*|"
    r"chiam\w*|recapito|celular|telem[óo]vel|\bsms\b|reach (?:me|us|him|her)|\bring (?:me|us)|hotline|msisdn|"
    r"contact (?:number|no)|(?:my|new|our|his|her|their|your|meine?|seine?|ihre?|deine?|neue|mon|son|ton|nouveau|mi|su|tu|nuevo|mio|suo|tuo|nuovo|meu|seu) (?:\w+ )?(?:num(?:m?er|ber)|num[ée]ro|n[úu]mero)|dial\b|gsm|komórk\w*|電話|携帯|电话|手机|전화)"
)
_NOT_DIALLED: Final = re.compile(
    r"(?i)(?:\bid\b|\bids\b|order|invoice|ticket|ref\b|reference|serial|isbn|issn|sku|tracking|timestamp|epoch|version|"
    r"commit|port\b|pid\b|rechnung|bestell\w*|auftrag|facture|commande|factura|pedido|fattura|ordine|kunden\w*|"
    r"case|batch|part (?:no|number)|model|doi|sum|total|price|bytes|offset|\$|€|£|siret|siren|vat|ust)\W{0,4}(?:(?:n[or°º]|nr|"
    r"number|num)\W{0,3})?$"
)
_DATE: Final = re.compile(r"(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d)(?!\d)")
_GROUPS: Final = r"\(?\d{1,5}\)?(?:[ ./-]{0,2}\(?\d{1,8}\)?){1,6}"


def _country(digits: str) -> bool:
    return any(digits[:size] in _COUNTRIES for size in (1, 2, 3))


def _international(match: re.Match[str]) -> int:
    digits = digits_of(match[0]).removeprefix("00") if match[0].startswith("00") else digits_of(match[0])
    if not _country(digits) or not 8 <= len(digits) <= 15:
        return 0
    if match[0].startswith("00") and len(digits) == len(match[0]) - 2 and not before(match, CUE):
        return 0
    return 100


INTERNATIONAL: Final = Rule(
    "phone",
    (r"\+ ?\(?[1-9][0-9 .()/-]{7}", r"00[1-9][0-9 .()/-]{8}", r"%2b[1-9][0-9]{7}", r"tel:"),
    re.compile(
        r"(?<![\w+.)])(?:\+ ?\(?|%2[Bb]|00)[1-9]\d{0,3}\)?(?:[ .\-/  ]{0,2}\(?\d{1,12}\)?){1,6}(?![\w@]|[.,]\d)"
    ),
    _international,
)


def _american(match: re.Match[str]) -> int:
    digits = digits_of(match[0])[-10:]
    if digits[0] in "01" or digits[3] in "01":
        return 100 if before(match, CUE) else 0
    return 0 if before(match, _NOT_DIALLED, 20) else 100


AMERICAN: Final = Rule(
    "phone",
    (r"[0-9]{3}\)? ?[-. /]? ?[0-9]{3}[-. ][0-9]{4}",),
    re.compile(
        r"(?<![\w.,/+%-])(?<!\d )(?:(?:\+?1[-. ]?)?\(\d{3}\)[ -]?\d{3}[-. ]\d{4}|(?:1([-. ]))?\d{3}([-. ])\d{3}\2\d{4})"
        r"(?![\w-]|\.\d| \d)(?: ?(?:x|ext\.?) ?\d{2,5})?"
    ),
    _american,
)

_TELLING: Final = re.compile(
    r"0[1-9](?:[ .-]\d\d){4}|\(?0\d{1,4}\)?[ /-]+\d{3,8}(?:[ -]?\d{1,5}){0,3}|0[67]\d{8}|07\d{3}[ -]?\d{6}|"
    r"\(?0\d{1,4}\)?(?: ?[/.-] ?| )\d{2,4}(?:[ .-]\d{1,4}){1,3}|"
    r"\(?01\d{2,4}\)? ?\d{5,6}|0\d{2} \d{4} \d{4}|0[2-9]\d?[ /-]\d{6,8}|06[ -]\d{8}|0\d{1,3}[-/]\d{3,4}[ -]?\d{3,5}"
)
"""Shapes with a trunk zero that hardly anything but a telephone number has."""


def _national(match: re.Match[str]) -> int:
    size = len(digits_of(match[0]))
    if not 8 <= size <= 13 or _DATE.match(match[0]) or _DATE.search(match[0]):
        return 0
    if before(match, CUE, 45):
        return 100
    if size < 9 or size > 12 or before(match, _NOT_DIALLED, 24):
        return 0
    return 80 if _TELLING.fullmatch(match[0]) and len(set(digits_of(match[0]))) > 2 else 0


NATIONAL: Final = Rule(
    "phone",
    (r"[^0-9.,]\(?0[1-9][0-9 ()./-]{5,9}[0-9]", r"^\(?0[1-9][0-9 ()./-]{5,9}[0-9]"),
    re.compile(
        r"(?<![\w.,:/+%#$€£-])(?<!\d )(?:\(0[1-9]\d{0,4}\)|0[1-9]\d{0,11})(?:[ ./-]{0,3}\(?\d{2,8}\)?){0,5}(?![\w%@]|[.,:/-]\d)"
    ),
    _national,
)


def _mobile(match: re.Match[str]) -> int:
    if before(match, CUE, 45):
        return 100
    return 0 if before(match, _NOT_DIALLED, 24) else 60


MOBILE: Final = Rule(
    "phone",
    (
        r"[36-9][0-9]{2}[ .-][0-9]{2,3}[ .-][0-9]{2,3}",
        r"3[0-9]{2}[ .-][0-9]{6,7}",
        r"\(?[1-9][0-9]\)? ?9?[0-9]{4}-[0-9]{4}",
    ),
    re.compile(
        r"(?<![\w.,:/+%#$€£-])(?<!\d )(?:[679]\d\d([ -])\d{3}\1\d{3}|[679]\d\d([ .-])\d\d\2\d\d\2\d\d|3[2-9]\d[ .-]\d{6,7}|"
        r"3[2-9]\d ?\d{3} \d{3,4}|3[2-9]\d[.-]\d\d[.-]\d\d[.-]?\d{3}|\([1-9]\d\) ?9?\d{4}-\d{4})(?![\w%@€$]|[.,:/-]\d| \d| [€$£]| (?:EUR|USD|Euro|euro))"
    ),
    _mobile,
)


def _cued(match: re.Match[str]) -> int:
    value = match["v"]
    if not 7 <= len(digits_of(value)) <= 15 or _DATE.match(value):
        return 0
    return 0 if re.search(r"\d\.\d+$", value) and value.count(".") == 1 else 90


CUED: Final = Rule(
    "phone",
    (
        r"(?:phone|fono?|fone|foon|tel|mobil|cell|fax|call|text|whatsapp|handy|rufnummer|durchwahl|portable|m\xc3\xb3vil|"
        r"movil|celular|sms|hotline|msisdn|appel\w*|joi\w*|ruf\w*|ll[^ ]{1,2}m\w*|chiam\w*|reach|erreich\w*|num[^ ]{1,2}ro|"
        r"contact)[^0-9\n]{0,30}\(?[0-9][0-9 ./()-]{5}",
        r"(?:\xe9\x9b\xbb\xe8\xa9\xb1|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba|\xec\xa0\x84\xed\x99\x94|"
        r"\xe6\x90\xba\xe5\xb8\xaf)",
    ),
    re.compile(CUE.pattern + r"[^\d\n,;]{0,30}?(?<![\w.,+/-])(?P<v>" + _GROUPS + r")(?![\w@%]|[.,:/-]\d)"),
    _cued,
)

RULES: Final = (INTERNATIONAL, AMERICAN, NATIONAL, MOBILE, CUED)
