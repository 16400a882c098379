"""Rules for addresses of people and machines: mail, phone, IP, MAC, cards and accounts."""

# ruff: noqa: E501, SIM905 - patterns and lists of words are easier to compare on one line

from __future__ import annotations

import ipaddress
import re
from typing import Final

from assent.pipeline.redact import checks
from assent.pipeline.redact.rule import Rule, always, before

_ENDINGS: Final = frozenset(
    "com org net edu gov mil int info biz name dev app cloud email example test local localhost internal invalid "
    "online site store shop tech xyz blog live news agency company group team work world life media studio design "
    "systems solutions services support consulting health care law legal bank finance school university academy "
    "museum travel jobs mobi pro tel asia cat coop post africa berlin hamburg koeln bayern wien paris bzh london "
    "amsterdam madrid barcelona eus gal roma moscow tokyo nyc corp lan home intranet page link click digital global "
    "network software technology energy engineering social chat space website".split()
)
"""Last labels of more than two letters that mail is sent to; any two letters may be a country."""


def _mail(match: re.Match[str]) -> int:
    text = match.string
    ending = match[0].rsplit(".", 1)[1].lower()
    if (len(ending) > 2 and ending not in _ENDINGS) or ending in {"py", "js", "rs", "md", "sh", "go", "ts"}:
        return 0
    if match[0].startswith("git@") and text[match.end() : match.end() + 1] in {":", "/"}:
        return 0
    return 100


MAIL: Final = Rule(
    "mail",
    (r"[\w\x80-\xff+-](?:@|%40)[\w\x80-\xff-]+\.[a-z]{2}",),
    re.compile(r"(?<![\w.+@/-])[\w][\w.+'%-]{0,63}?(?:@|%40)(?:[^\W_](?:[\w-]*[^\W_])?\.)+[A-Za-z]{2,24}(?![\w@-])"),
    _mail,
)


SPELLED_MAIL: Final = Rule(
    "mail",
    (r"[\[({<] ?(?:at|arobase|chiocciola|arroba) ?[\])}>]",),
    re.compile(
        r"(?i)(?<!\w)[\w.+-]+ ?[\[({<] ?(?:at|arobase|chiocciola|arroba) ?[\])}>] ?[\w-]+"
        r"(?:(?: ?[\[({<] ?(?:dot|punkt|point|punto) ?[\])}>] ?|\.)[\w-]+)*(?: ?[\[({<] ?(?:dot|punkt|point|punto) "
        r"?[\])}>] ?|\.)[a-z]{2,10}(?!\w)"
    ),
    always,
)

_NOBODY_V4: Final = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "1.2.3.4"})
"""Addresses that stand in every manual."""
_VERSION: Final = re.compile(
    r"(?i)(?:\bv|\bver\.?|version|release|build|firmware|revision|assembly\w*|[A-Za-z]/|==|>=|<=|~=|\^|§|section|"
    r"chapter|\boid\b|fw)[\"']?\s{0,2}[:=]?\s{0,2}[\"']?$"
)


def _ipv4(match: re.Match[str]) -> int:
    try:
        address = ipaddress.IPv4Address(match[0])
    except ValueError:
        return 0
    useless = (
        address.is_loopback or address.is_unspecified or address.is_multicast or match[0].startswith(("0.", "255."))
    )
    if useless or match[0] in _NOBODY_V4 or before(match, _VERSION, 20):
        return 0
    network = match[0].endswith(".0.0") or (match[0].endswith(".0") and match.string.startswith("/", match.end()))
    return 0 if network else 100


IPV4: Final = Rule(
    "ip",
    (r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",),
    # tcpdump writes the port behind a fifth full stop
    re.compile(
        r"(?<![\w.])(?<!\d-)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\w|-\d)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?=\.\d{1,5}(?: > |: ))"
    ),
    _ipv4,
)


def _ipv6(match: re.Match[str]) -> int:
    try:
        address = ipaddress.IPv6Address(match[0])
    except ValueError:
        return 0
    groups = [one for one in match[0].split(":") if one]
    if address.is_loopback or address.is_unspecified or address.is_multicast or len(groups) < 2:
        return 0
    return 100 if any(one.isdigit() or len(one) > 2 for one in groups) and len(match[0]) > 5 else 0


IPV6: Final = Rule(
    "ip",
    (r"(?:[0-9a-f]{1,4}:){3}[0-9a-f:]", r"[0-9a-f]{2,4}::[0-9a-f]", r":[0-9a-f]{1,4}::"),
    re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:])"),
    _ipv6,
)

MAC: Final = Rule(
    "mac",
    (r"(?:[0-9a-f]{2}[:.-]){5}[0-9a-f]{2}", r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}"),
    re.compile(
        r"(?<![\w:-])(?:(?<!\.)[0-9A-Fa-f]{2}([:.-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}|"
        r"(?<!\.)[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![\w-]|[.:]\w)"
    ),
    lambda match: 100 if len(set(match[0].lower()) - set(":-.")) > 1 and not re.fullmatch(r"[\d.]+", match[0]) else 0,
)

BARE_MAC: Final = Rule(
    "mac",
    (
        r"(?:\bmac|ether|hwaddr|hardware|ger.{1,2}t|device|dispositiv|appareil|physi[ck]al|physique|wlan|wi-?fi)[^\n]{0,60}[0-9a-f]{12}",
    ),
    re.compile(
        r"(?i)(?:\bmac\b|\bmac[-_ ]?add\w*|ether|hwaddr|hardware|ger[äa]t|device|dispositiv\w*|appareil|physi[ck]al\w*|physique|wlan|wi-?fi)[^\n]{0,60}?(?<![\w/-])(?P<v>[0-9a-f]{12})(?![\w-])"
    ),
    lambda match: 75 if re.search(r"\d", match["v"]) and re.search(r"(?i)[a-f]", match["v"]) else 0,
)
"""Twelve figures of a network card, where the words before say so."""

_CARD_CUE: Final = re.compile(
    r"(?i)card|visa|master|amex|american express|\bpan\b|kreditkarte|karte|carte|tarjeta|carta|cart[ãa]o|kaart|karta"
)


def _card(match: re.Match[str]) -> int:
    digits = checks.digits_of(match[0])
    if not checks.card(digits):
        return 0
    if len(digits) == len(match[0]) and len(digits) not in {15, 16} and not before(match, _CARD_CUE):
        return 0
    return 100


CARD: Final = Rule(
    "card",
    (r"[2-6](?:[0-9][ -]?){12}[0-9]", r"[2-6][0-9]{3}[^\n0-9]{1,3}[0-9]{4}[^\n0-9]{1,3}[0-9]{4}[^\n0-9]{1,3}[0-9]{4}"),
    re.compile(
        r"(?<![\w.])(?<![\d][ -])(?<!\+)(?:[2-6]\d{3}([ .\-/_·\xa0\u2009\u202f])\d{4}\1\d{4}\1\d{4}(?!\w|[.-]\d|[ ]\d{3})|"
        r"[2-6]\d{3}(?:[ -]?\d){8,14}\d(?!\w|[.-]\d| \d{2}))"
    ),
    _card,
)

_IBAN_CUE: Final = re.compile(r"(?i)iban|account|konto|compte|cuenta|conto|rekening|conta\b")


def iban_end(match: re.Match[str]) -> int:
    """Return where an IBAN ends that may be followed by more letters, 0 if it is none."""
    size = checks.IBAN_LENGTHS.get(match[0][:2].upper(), 0)
    kept = 0
    for place, one in enumerate(match[0]):
        kept += one.isalnum()
        if size and kept == size:
            rest = match[0][place + 1 : place + 2]
            return 0 if rest.isalnum() else match.start() + place + 1
    return 0


def _iban(match: re.Match[str]) -> int:
    end = iban_end(match)
    if not end:
        return 0
    plain = checks.letters_and_digits(match.string[match.start() : end])
    if checks.mod97(plain):
        return 100
    return 70 if before(match, _IBAN_CUE) else 0


IBAN: Final = Rule(
    "iban",
    (r"[a-z]{2}[0-9]{2}[ -]?[a-z0-9]{2,4}[ -]?[a-z0-9]{2,4}[ -]?[0-9]{2}",),
    re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,32}"),
    _iban,
)

RULES: Final = (MAIL, SPELLED_MAIL, IPV4, IPV6, MAC, BARE_MAC, CARD, IBAN)
