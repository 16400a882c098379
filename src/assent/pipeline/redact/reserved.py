"""The shapes that surrogates have and hardly anything else has, so that redacted text is known as such.

A surrogate carries a tag: its last signs follow from the others by a public hash. Names and
streets come from words that are made up for the purpose. Machine addresses lie in ranges that
nobody has: mail at `mail.example` (RFC 2606), IPv4 in 240.0.0.0/4 (RFC 1112, section 4), private
ones in 10.0.0.0/8, IPv6 in 2001:db8::/32 (RFC 3849), MAC in locally administered 02:00.
"""

# ruff: noqa: PLR0911, SIM905 - one answer for each type, one line for each table

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_HEX: Final = re.compile(r"[0-9a-fA-F]*")

TAGS: Final = {"card": 5, "iban": 4, "national_id": 4, "phone": 4, "secret": 5, "mac": 4}
"""How many signs at the end of a surrogate are its tag."""
CHECKED: Final[dict[str, Sequence[int]]] = {"card": (-1,), "iban": (2, 3), "national_id": (-2, -1)}
"""Signs that are check digits: no part of the tag, worked out last."""

_GIVEN_STEMS: Final = (
    "Alvo Bren Corvi Daldi Elwi Fenni Garno Hesti Irmo Jorvi Kaldi Lormi Mervo Nolvi Orsti Pelvi".split()
)
_FAMILY_STEMS: Final = "Ackle Borne Cresk Dunval Ersk Farl Grent Holv Jasp Kestr Lund Morv Nesk Ostr Pelk Rask".split()
GIVEN_ENDS: Final = {
    "en": "wyn dell ric ford lan sie thea bel".split(),
    "de": "bert hild mar gund win traud olf linde".split(),
    "fr": "ette ane gard sande lien mond rine vette".split(),
    "es": "cio lina rado vira sino mera tano drina".split(),
    "it": "zio letta renzo nella fino betta gio vina".split(),
}
FAMILY_ENDS: Final = {
    "en": "worthy bury combe stowe thorpe wick shaw lowe".split(),
    "de": "hauser inger bacher reuther mooser felder brinck hoff".split(),
    "fr": "eaulieu ignac oubert antier evoix illac emont arnaud".split(),
    "es": "andez-o aldivar eguera omonte urriaga iranda obledo ellana".replace("andez-o", "andezo").split(),
    "it": "otelli andrini ucchesi amonti elleri arelli onesco inardi".split(),
}
GIVEN: Final = {lang: tuple(stem + end for stem in _GIVEN_STEMS for end in ends) for lang, ends in GIVEN_ENDS.items()}
FAMILY: Final = {
    lang: tuple(stem + end for stem in _FAMILY_STEMS for end in ends) for lang, ends in FAMILY_ENDS.items()
}
STREETS: Final = tuple(stem + end for stem in _FAMILY_STEMS for end in ("ova", "erin", "aly", "umo"))
NAMES: Final = frozenset(one for lists in (GIVEN, FAMILY) for words in lists.values() for one in words)
_STREETS: Final = frozenset(STREETS)


def _hash(kind: str, body: str) -> int:
    return int.from_bytes(hashlib.sha256(f"assent surrogate {kind} {body}".encode()).digest()[:24])


def positions(value: str) -> list[int]:
    """Return where a value has ASCII letters and digits, save those that an escape is made of."""
    return [
        at for at, one in enumerate(value) if one.isascii() and one.isalnum() and not (at and value[at - 1] == "\\")
    ]


def sign(old: str, number: int, *, hexadecimal: bool) -> tuple[str, int]:
    """Choose a sign of the class of the old one by a number; return the rest of the number."""
    if old.isdigit():
        return str(number % 10), number // 10
    size = 6 if hexadecimal else 26
    new = _LOWER[number % size]
    return (new.upper() if old.isupper() else new), number // size


def tagged(kind: str, value: str) -> str:
    """Write the tag into a value; a value is a surrogate if this changes nothing."""
    places = positions(value)
    checked = {places[at] for at in CHECKED.get(kind, ()) if -len(places) <= at < len(places)}
    free = [at for at in places if at not in checked]
    size = TAGS[kind]
    ends = set(free[-size:])
    body = "".join(value[at] for at in free if at not in ends)
    number = _hash(kind, body.lower() if kind in {"mac", "iban"} else body)
    hexadecimal = kind == "mac" or (kind == "secret" and is_hex(value))
    signs = list(value)
    for at in sorted(ends):
        signs[at], number = sign(value[at], number, hexadecimal=hexadecimal)
    return "".join(signs)


def is_hex(value: str) -> bool:
    """Tell whether all letters of a value are hexadecimal digits."""
    return _HEX.fullmatch("".join(value[at] for at in positions(value))) is not None


def numbered(word: str, number: int) -> str:
    """Write a word of which seven digits, the last three a tag, make a handle: `user4821377`."""
    body = f"{number % 10_000:04}"
    return f"{word}{body}{_hash(word, body) % 1000:03}"


def lettered(number: int) -> str:
    """Write four letters and the four digits of their tag: what a surrogate of a mail address begins with."""
    body = ""
    for _ in range(4):
        body, number = body + _LOWER[number % 26], number // 26
    return f"{body}{_hash('mail', body) % 10_000:04}"


def ipv4_tail(body: str) -> int:
    """Return the last number of an IPv4 surrogate, 1 to 250."""
    return _hash("ip", body) % 250 + 1


def ipv6_tail(body: str) -> str:
    """Return the last group of an IPv6 surrogate."""
    return f"{_hash('ip', body.lower()) % 0xEFFF + 0x1000:x}"


def birth_year(eights: int) -> int:
    """Return the one year in eight that surrogates have; `eights` counts from 1900."""
    return 1900 + 8 * eights + _hash("year", str(eights)) % 8


def birth_day(year: int, month: str) -> int:
    """Return the day that a surrogate has, 1 to 12: it can be read as a month as well."""
    return _hash("day", f"{year % 100} {month}") % 12 + 1


_NUMBERED: Final = re.compile(r"(?P<word>user|repo)(?P<number>\d{4})\d{3}")
_WORD: Final = re.compile(r"[^\W\d_]+")
_DATE: Final = re.compile(
    r"(?P<y>\d{4})(?P<s>[-./])(?P<m>\d\d?)(?P=s)(?P<d>\d\d?)|(?P<d2>\d\d?)(?P<s2>[-./])(?P<m2>\d\d?)(?P=s2)(?P<y2>\d{2,4})"
)
STREET_WORDS: Final = frozenset(
    (
        "street st avenue ave road rd boulevard blvd lane ln drive dr court ct place pl terrace ter way circle "
        "cir square sq parkway pkwy highway hwy close crescent cres gardens grove mews row trail trl plaza hill "
        "walk alley loop path pike green quay wharf vale rise broadway run point ridge landing crossing heights "
        "park view common mall north south east west n s e w ne nw se sw apt apartment unit suite ste flat floor "
        "fl room rm po box p o straße strasse str weg gasse platz allee ring damm ufer markt chaussee straat laan "
        "plein gracht kade am an auf im in der den dem zum zur unter rue av bd place chemin allée allee impasse "
        "quai cours route passage faubourg villa de la las los l du des d le les calle c avenida avda pza paseo "
        "carrer carrera camino ronda travesía travesia glorieta urbanización del el y n núm via viale v piazza p "
        "za piazzale corso so largo vicolo strada lungomare lungotevere contrada della dello delle dei degli di "
        "da do dos das rua travessa alameda praça praca estrada ul ulica aleja al os piso apto bajo int interno "
        "esc bis ter quater sur sous van von und et e a b f g h bulevardul jalan escalera derecha izquierda km "
        "num"
    ).split()
)
"""Words of an address that say nothing about where it is."""
STREET_ENDS: Final = (
    "straße", "strasse", "str", "weg", "gasse", "platz", "allee", "ring", "damm", "ufer", "steig", "graben", "markt",
    "hof", "chaussee", "stieg", "pfad", "straat", "laan", "plein", "gracht", "kade", "singel", "dijk", "gatan", "vägen",
    "gade", "vej", "veien", "katu", "tie",
)  # fmt: skip


def street_word(word: str) -> str:
    """Return the stem of a street's name: `Tarrenweg` has the end `weg`."""
    end = next((end for end in STREET_ENDS if word.endswith(end) and len(word) > len(end)), "")
    return word.removesuffix(end) if end else word


def _is_place(value: str) -> bool:
    words = [word for word in _WORD.findall(value) if word.lower() not in STREET_WORDS and len(word) > 2]
    return bool(words) and all(street_word(word) in _STREETS for word in words)


def _is_date(value: str) -> bool:
    match = _DATE.fullmatch(value)
    if match:
        year, month, day = (match[a] or match[b] for a, b in (("y", "y2"), ("m", "m2"), ("d", "d2")))
        month = str(int(month))
    elif re.fullmatch(r"\d{8}", value):
        year, month, day = value[:4], str(int(value[4:6])), value[6:]
    else:
        numbers = re.findall(r"\d+", value)
        if "年" in value:
            year, month, day = numbers
        elif len(numbers) == 2:
            (day, year), month = numbers, month_key(value)
        else:
            return False
    long = int(year) if len(year) == 4 else 1900 + int(year)
    return long == birth_year((long - 1900) // 8) and int(day) == birth_day(long, month)


def month_key(value: str) -> str:
    """Return the first letters of the longest word of a date: its month."""
    words: list[str] = _WORD.findall(value)
    return max(words, key=len, default="")[:3].lower()


def is_surrogate(kind: str, value: str) -> bool:
    """Tell whether a value has the shape of a surrogate of its type."""
    if kind in TAGS:
        return len(positions(value)) > TAGS[kind] + 2 and tagged(kind, value) == value and _tail_fits(kind, value)
    if kind == "name":
        words = _WORD.findall(value)
        return bool(words) and all(word.capitalize() in NAMES for word in words if len(word) > 2)
    if kind == "mail":
        local, _, domain = value.replace("%40", "@").partition("@")
        return domain == "mail.example" and len(local) == 8 and lettered_is(local)
    if kind == "ip":
        return _is_ip(value)
    if kind == "address":
        return _is_place(value)
    if kind == "date_of_birth":
        return _is_date(value)
    wanted = "repo" if kind == "repository" else "user"
    return any(
        one["word"] == wanted and numbered(wanted, int(one["number"])) == one[0] for one in _NUMBERED.finditer(value)
    )


def _tail_fits(kind: str, value: str) -> bool:
    return kind != "mac" or value[:2] == "02"


def lettered_is(local: str) -> bool:
    """Tell whether eight signs are four letters and their tag."""
    return local[:4].isalpha() and local[4:] == f"{_hash('mail', local[:4]) % 10_000:04}"


def _is_ip(value: str) -> bool:
    if ":" in value:
        body, _, tail = value.rpartition(":")
        return body.lower().startswith(("2001:db8:", "fd00:")) and tail.lower() == ipv6_tail(body)
    if not re.fullmatch(r"(?:\d{1,3}\.){3}\d{1,3}", value):
        return False
    body, _, tail = value.rpartition(".")
    first, _, third = body.split(".")
    return (int(first) >= 240 or (first == "10" and int(third) >= 240)) and int(tail) == ipv4_tail(body)
