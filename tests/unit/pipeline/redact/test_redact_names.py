"""Names that no list knows, names in small letters, and capitals that are no names."""

from __future__ import annotations

import pytest

from assent.pipeline.redact.find import find
from assent.pipeline.redact.names import load, score


def _names(text: str) -> list[str]:
    return [text[one.start : one.end] for one in find(text) if one.type == "name"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("INSERT INTO clients VALUES (7, 'Hannelore', 'Petersen', '1951-06-30');", ["Hannelore", "Petersen"]),
        ("Mon Trish/Gareth\nTue Gareth/Olga", ["Trish", "Gareth", "Gareth", "Olga"]),
        ('"passengers": ["ROSSI/CLARA MRS", "DUPONT/JEANMR"]', ["ROSSI", "CLARA", "DUPONT", "JEAN"]),
        ("my son leonardo is ill", ["leonardo"]),
        ("meine oma hildegard wird neunzig", ["hildegard"]),
        ("la signora rossini dice di no", ["rossini"]),
        ("[21:04] Wulfgarda: hello\n[21:05] Anna: hi", ["Wulfgarda", "Anna"]),
        ("['nom'            => 'Quillivarec']", ["Quillivarec"]),
    ],
)
def test_names_are_found_where_names_stand(text: str, names: list[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "open src/Components/Martin/index.tsx",
        "siamo in via Roma/Milano",
        "Die Versicherungsnummer und der Kontoauszug fehlen noch.",
        "my son rose early",
        "the header is X-API-Key",
        "L'adresse du serveur est là",
        "Americans and Germans met there",
    ],
)
def test_what_only_looks_like_a_name_is_none(text: str) -> None:
    assert _names(text) == []


def test_a_weight_is_the_same_when_asked_for_again() -> None:
    weights = load().weights
    assert score(["k0", "k0"], weights) == 2 * score(["k0"], weights)
