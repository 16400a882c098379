"""Surrogates: made-up values of the same type and shape, the same for the same value, by a key."""

# ruff: noqa: E501, PLR0911 - one answer for each type, one line for each table

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from typing import Final

from assent.pipeline.redact import checks, reserved
from assent.pipeline.redact.names import language_of

_PREFIX: Final = re.compile(
    r"github_pat_|gh[pousr]_|gl[a-z]+-|xox[a-z]-|xapp-|(?:[srp]k)_(?:live|test)_|whsec_|AIza|ya29\.|GOCSPX-|1//0|"
    r"sk-(?:proj-|ant-|svcacct-|or-v1-|admin-)?|hf_|api_org_|r8_|gsk_|npm_|pypi-|dckr_pat_|SG\.|key-|re_|A(?:KIA|SIA|BIA|CCA|ROA|IDA)|"
    r"do[opr]_v1_|shp[a-z]{2}_|dapi|hv[sb]\.|lin_api_|sbp_|AGE-SECRET-KEY-1|eyJ|figd_|ntn_|secret_|NRAK-"
)
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|[^nr])")
"""Escapes of JSON and source code that stand for one sign; line ends stay, for a private key is made of lines."""
_CAPITAL: Final = re.compile(r"[^\W\d_]+")
_SOLVED: Final = (
    checks.nir, checks.cpf, checks.bsn, checks.aadhaar, checks.ean, checks.belgian, checks.pesel, checks.swedish,
)  # fmt: skip
_HOSTS: Final = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com")


class Surrogates:
    """Makes surrogates for one person (or one conversation) of one cut."""

    def __init__(self, key: bytes, whose: str) -> None:
        """Derive what follows from the cut's key and whose text it is."""
        self._key = hmac.new(key, f"surrogates {whose}".encode(), hashlib.sha256).digest()

    def number(self, kind: str, value: str) -> int:
        """Return the number that a value's surrogate is made from."""
        return int.from_bytes(
            hmac.new(self._key, f"{kind} {value}".encode("utf-8", "replace"), hashlib.sha512).digest()
        )

    def instead_of(self, kind: str, value: str) -> str:
        """Return the surrogate of a value: same type, same shape, safe inside strings of JSON and Python."""
        if kind == "name":
            return self._name(value)
        if kind == "mail":
            at = "%40" if "%40" in value else "@"
            return f"{reserved.lettered(self.number(kind, value.lower().replace('%40', '@')))}{at}mail.example"
        if kind == "ip":
            return self._ip(value)
        if kind == "address":
            return self._address(value)
        if kind == "date_of_birth":
            return self._date(value)
        if kind == "path_user":
            lead = re.match(r".*(?:[\\/]|%2[Ff]|(?:home|Users)-)", value)
            return (lead[0] if lead else "") + self._numbered("user", value[lead.end() if lead else 0 :])
        if kind == "username":
            return self._numbered("user", value)
        if kind == "repository":
            return self._repository(value)
        return self._shaped(kind, value)

    def _numbered(self, word: str, value: str) -> str:
        return reserved.numbered(word, self.number(word, value.lower()))

    def _name(self, value: str) -> str:
        lang = language_of(value)
        words = [word for word in _CAPITAL.findall(value) if len(word) > 2]
        place = 0

        def instead(match: re.Match[str]) -> str:
            nonlocal place
            word = match[0]
            if len(word) <= 2 and len(words) > 0:
                return word[0] if word[0].isascii() and not word.islower() else ("J" if not word.isascii() else word)
            place += 1
            last = place == len(words) and len(words) > 1
            pool = (reserved.FAMILY if last else reserved.GIVEN)[lang]
            new = pool[self.number("name", word.lower()) % len(pool)]
            return new.upper() if word.isupper() and len(word) > 1 else (new.lower() if word.islower() else new)

        made = _CAPITAL.sub(instead, _ESCAPE.sub("e", value))
        if not words:
            made = reserved.FAMILY[lang][self.number("name", value) % 128]
        return made if made.isascii() else made.encode("ascii", "ignore").decode()

    def _ip(self, value: str) -> str:
        number = self.number("ip", value.lower())
        if ":" in value:
            private = ipaddress.IPv6Address(value) in ipaddress.IPv6Network("fc00::/7")
            body = f"{'fd00' if private else '2001:db8'}:{number % 0xEFFF + 0x1000:x}:{number // 65536 % 0xEFFF + 0x1000:x}:"
            return f"{body}:{reserved.ipv6_tail(body)}"
        private = any(
            ipaddress.IPv4Address(value) in ipaddress.IPv4Network(one)
            for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
        )
        body = (
            f"10.{number % 256}.{240 + number // 256 % 16}"
            if private
            else f"{240 + number % 15}.{number // 16 % 256}.{number // 4096 % 256}"
        )
        return f"{body}.{reserved.ipv4_tail(body)}"

    def _address(self, value: str) -> str:
        plain = _ESCAPE.sub("e", value)

        def instead(match: re.Match[str]) -> str:
            word = match[0]
            if word.isdigit():
                number = self.number("address", word)
                return str(number % 9 + 1) + "".join(str(number // 10**at % 10) for at in range(1, len(word)))
            if word.lower() in reserved.STREET_WORDS or len(word) <= 2:
                return word
            stem = reserved.street_word(word)
            return reserved.STREETS[self.number("address", word) % len(reserved.STREETS)] + word[len(stem) :]

        made = re.sub(r"\\.|[^\W_]+", lambda one: one[0] if one[0][0] == "\\" else instead(one), plain)
        if re.search(r"[^\W\d_]{3}", made) and reserved.is_surrogate("address", made):
            return made
        return f"{reserved.STREETS[self.number('address', value) % len(reserved.STREETS)]} {self.number('no', value) % 90 + 10}"

    def _date(self, value: str) -> str:
        number = self.number("date", value)
        year = reserved.birth_year(number % 10 + 3)
        month = number // 10 % 12 + 1
        match = re.fullmatch(r"(\d{4})([-./])(\d\d?)[-./](\d\d?)|(\d\d?)([-./])(\d\d?)[-./](\d{2,4})", value)
        if re.fullmatch(r"\d{8}", value):
            return f"{year}{month:02}{reserved.birth_day(year, str(month)):02}"
        if match is None and "年" not in value:
            day = str(reserved.birth_day(year, reserved.month_key(value)))
            return re.sub(r"\d+", lambda found: str(year) if len(found[0]) == 4 else day, value)
        day = f"{reserved.birth_day(year, str(month)):02}"
        if match is None:
            return f"{year}年{month}月{int(day)}日"
        if match[1]:
            return f"{year}{match[2]}{month:02}{match[2]}{day}"
        shown = str(year) if len(match[8]) == 4 else f"{year % 100:02}"
        return f"{day}{match[6]}{month:02}{match[6]}{shown}"

    def _repository(self, value: str) -> str:
        match = re.match(r"((?:[a-z+]+://)?(?:[^\s/@]+@)?)([\w.-]+)((?::\d+)?[:/])(.*?)(\.git)?$", value)
        if match is None:
            return self._numbered("repo", value)
        lead, host, mark, path, end = match.groups()
        shown = host if host.lower().removeprefix("www.") in _HOSTS else "git.example"
        lead = lead if "@" not in lead or lead.endswith(("git@", "hg@")) else lead.rpartition("/")[0] + "/git@"
        parts = path.split("/")
        names = [self._numbered("user", one) for one in parts[:-1]] + [self._numbered("repo", parts[-1])]
        return f"{lead}{shown}{mark}{'/'.join(names)}{end or ''}"

    def _shaped(self, kind: str, value: str) -> str:
        """Replace letters by letters and digits by digits, keep what says the kind, and write the tag."""
        if kind == "secret" and len(reserved.positions(value)) < 8 and "-----" not in value:
            value = "kx7mq2vt9wz4" if ":" not in value else "kx7mq2:vt9wz4"
        value = _ESCAPE.sub("x", value)
        canonical = checks.letters_and_digits(value) if kind != "secret" else value
        made = value
        for attempt in range(60):
            made = self._shaped_once(kind, value, self.number(kind, f"{attempt} {canonical}"))
            solved = _solve(kind, value, reserved.tagged(kind, made))
            if solved is not None:
                return solved
        return reserved.tagged(kind, made)

    @staticmethod
    def _shaped_once(kind: str, value: str, number: int) -> str:
        places = reserved.positions(value)
        keep = _kept(kind, value)
        hexadecimal = kind == "mac" or (kind == "secret" and reserved.is_hex(value))
        signs = list(value)
        source = number
        for count, at in enumerate(places):
            if count < keep:
                continue
            if source < 1 << 64:
                source = int.from_bytes(hashlib.sha512(f"{number} {at}".encode()).digest())
            signs[at], source = reserved.sign(value[at], source, hexadecimal=hexadecimal)
        if kind == "mac":
            signs[places[0]], signs[places[1]] = "0", "2"
        elif places and value[places[0]] in "123456789" and signs[places[0]] == "0":
            signs[places[0]] = value[places[0]]
        return "".join(one if one.isascii() else "x" for one in signs)


def _kept(kind: str, value: str) -> int:
    """Return how many signs at the start say the kind: issuer, country, prefix of a key."""
    if kind == "card":
        return 4
    if kind == "iban":
        return 2
    if kind == "phone":
        digits = checks.digits_of(value)
        zeros = len(digits) - len(digits.lstrip("0"))
        return min(zeros + (2 if zeros == 2 or value.startswith("+") else 1), max(0, len(digits) - 6))
    if kind == "secret":
        match = _PREFIX.match(value)
        return len(reserved.positions(match[0])) if match else 0
    return 1 if kind == "national_id" and value[:1].isdigit() else 0


def _solve(kind: str, old: str, made: str) -> str | None:
    """Work out the check digits of a surrogate; None if there are none that fit."""
    places = reserved.positions(made)
    if kind == "card":
        return next(
            (new for one in range(10) if checks.luhn(checks.digits_of(new := _put(made, places[-1:], str(one))))), None
        )
    if kind == "iban":
        plain = checks.letters_and_digits(made)
        rest = 98 - int("".join(str(int(one, 36)) for one in plain[4:] + plain[:2] + "00")) % 97
        return _put(made, places[2:4], f"{rest:02}")
    if kind != "national_id":
        return made
    plain_old = checks.letters_and_digits(old)
    check = next(
        (one for one in _SOLVED if plain_old.isdigit() and len(plain_old) == _size(one) and _holds(one, plain_old)),
        None,
    )
    if check is None:
        return _solve_letters(plain_old, made, places)
    for one in range(100):
        new = _put(made, places[-2:], f"{one:02}")
        if _holds(check, checks.letters_and_digits(new)):
            return new
    return None


def _size(check: object) -> int:
    sizes = {checks.nir: 15, checks.cpf: 11, checks.bsn: 9, checks.aadhaar: 12, checks.ean: 13, checks.belgian: 11}
    return sizes.get(check, 11 if check is checks.pesel else 10)  # type: ignore[call-overload,no-any-return]


def _holds(check: object, plain: str) -> bool:
    try:
        return bool(check(plain))  # type: ignore[operator]
    except ValueError:
        return False


def _solve_letters(old: str, made: str, places: list[int]) -> str:
    """Give a Spanish or an Italian number the letter that the others ask for."""
    check = next(
        (check for check, size in ((checks.dni, 9), (checks.codice_fiscale, 16)) if len(old) == size and old[-1].isalpha()
         and (old[1:8].isdigit() if size == 9 else old[:6].isalpha())),
        None,
    )  # fmt: skip
    if check is None:
        return made
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        new = _put(made, places[-1:], letter if made[places[-1]].isupper() else letter.lower())
        if _holds(check, checks.letters_and_digits(new)):
            return new
    return made


def _put(text: str, places: list[int], signs: str) -> str:
    changed = list(text)
    for at, one in zip(places, signs, strict=True):
        changed[at] = one
    return "".join(changed)
