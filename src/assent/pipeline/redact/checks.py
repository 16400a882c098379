"""Check digits of cards, accounts and national numbers: which strings of digits can be real.

Sources: ISO/IEC 7812-1 (Luhn), ISO 13616 (IBAN), ISO/IEC 7064 (MOD 11,10 and MOD 11-2), and the
published rules of each country's number.
"""

from __future__ import annotations

from typing import Final

IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
"""Length of an IBAN by country (ISO 13616 registry)."""

_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip
_VERHOEFF: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURNS: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def digits_of(text: str) -> str:
    """Keep the ASCII digits."""
    return "".join(one for one in text if "0" <= one <= "9")


def letters_and_digits(text: str) -> str:
    """Keep ASCII letters and digits, upper case."""
    return "".join(one for one in text.upper() if "0" <= one <= "9" or "A" <= one <= "Z")


def luhn(digits: str) -> bool:
    """Tell whether the last digit is the Luhn digit of the others."""
    total = 0
    for place, one in enumerate(reversed(digits)):
        value = int(one) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(digits: str) -> bool:
    """Tell whether digits have the prefix and length of an issuer and a Luhn digit."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    issued = (
        (digits[0] == "4" and size in {13, 16, 19})
        or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or two == 35))
        or (size == 15 and two in {34, 37})
        or (size in {16, 19} and (four == 6011 or two in {62, 65} or 644 <= four // 10 <= 649))
        or (size == 14 and (two in {36, 38, 39} or 300 <= four // 10 <= 305))
        or (size in {16, 18, 19} and four in {5018, 5020, 5038, 6304, 6759, 6761, 6762, 6763})
    )
    return issued and len(set(digits)) > 1 and luhn(digits)


def mod97(iban: str) -> bool:
    """Tell whether an IBAN without blanks has valid check digits."""
    return int("".join(str(int(one, 36)) for one in iban[4:] + iban[:4])) % 97 == 1


def nir(text: str) -> bool:
    """Tell whether a French number of 15 signs has its key; Corsican departments count as 19 and 18."""
    body = text[:13].replace("2A", "19").replace("2B", "18")
    return len(text) == 15 and body.isdigit() and text[13:].isdigit() and 97 - int(body) % 97 == int(text[13:])


def tax_id(digits: str) -> bool:
    """Tell whether eleven digits are a German tax number: one digit comes again, and MOD 11,10."""
    repeats = sorted(digits[:10].count(one) for one in set(digits[:10]))
    if len(digits) != 11 or digits[0] == "0" or repeats[-1] not in {2, 3} or repeats[-2:-1] == [2]:
        return False
    product = 10
    for one in digits[:10]:
        total = (int(one) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def dni(text: str) -> bool:
    """Tell whether a Spanish DNI or NIE has its letter."""
    number = {"X": "0", "Y": "1", "Z": "2"}.get(text[0], text[0]) + text[1:-1]
    return number.isdigit() and text[-1] == _DNI_LETTERS[int(number) % 23]


def codice_fiscale(text: str) -> bool:
    """Tell whether sixteen signs have the last letter that the others ask for."""
    total = 0
    for place, one in enumerate(text[:15]):
        even = int(one) if one.isdigit() else ord(one) - 65
        total += even if place % 2 else _ODD[one]
    return text[15] == chr(65 + total % 26)


def bsn(digits: str) -> bool:
    """Tell whether nine digits pass the Dutch eleven test."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return len(digits) == 9 and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0


def cpf(digits: str) -> bool:
    """Tell whether eleven digits have both check digits of a Brazilian CPF."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(
        sum((at + 1 - i) * int(digits[i]) for i in range(at)) * 10 % 11 % 10 == int(digits[at]) for at in (9, 10)
    )


def aadhaar(digits: str) -> bool:
    """Tell whether twelve digits pass Verhoeff's check."""
    state = 0
    for place, one in enumerate(reversed(digits)):
        state = int(_VERHOEFF[state][int(_VERHOEFF_TURNS[place % 8][int(one)])])
    return len(digits) == 12 and digits[0] not in "01" and state == 0


def ean(digits: str) -> bool:
    """Tell whether thirteen digits have the EAN digit (Swiss AHV)."""
    return len(digits) == 13 and sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def belgian(digits: str) -> bool:
    """Tell whether eleven digits have the Belgian key, for either century."""
    key = int(digits[9:])
    return key in {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}


def pesel(digits: str) -> bool:
    """Tell whether eleven digits have the last digit of a Polish PESEL."""
    total = sum(w * int(d) for w, d in zip((1, 3, 7, 9, 1, 3, 7, 9, 1, 3), digits[:10], strict=True))
    return (10 - total % 10) % 10 == int(digits[10])


def chinese(text: str) -> bool:
    """Tell whether eighteen signs have the last one that MOD 11-2 asks for."""
    total = sum(int(one) * pow(2, 17 - place, 11) for place, one in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


def swedish(digits: str) -> bool:
    """Tell whether a personal number of ten or twelve digits has a month, a day and the Luhn digit."""
    short = digits[-10:]
    return 1 <= int(short[2:4]) <= 12 and 1 <= int(short[4:6]) <= 31 and luhn(short)
