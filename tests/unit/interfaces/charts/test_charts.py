"""Pictures stand alone: no script, no address of anybody, a name, words for it, and both colour schemes."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from assent.interfaces.charts import forecast, lineage
from assent.interfaces.charts.drawing import COLOURS
from assent.services.forecast import Bucket, Forecast

NS = "{http://www.w3.org/2000/svg}"
AT = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "</style><script>alert(1)</script>"


def ahead(rule: str = "base") -> Forecast:
    starts = [datetime(2026 + number // 12, number % 12 + 1, 1, tzinfo=UTC) for number in range(60)]
    buckets = tuple(Bucket(start, {rule: number, "training": 7}) for number, start in enumerate(starts))
    return Forecast(AT, "month", buckets, later=12, held=3, endless=4)


def pictures() -> list[str]:
    boxes = [[lineage.Box("source a", ("1 conversation",))], [lineage.Box(HOSTILE, (HOSTILE,), here=True)]]
    return [forecast.svg(ahead()), forecast.svg(ahead(HOSTILE)), lineage.svg("Lineage", boxes)]


@pytest.mark.parametrize("picture", pictures())
def test_a_picture_stands_alone(picture: str) -> None:
    root = ET.fromstring(picture)
    assert not list(root.iter(f"{NS}script"))
    assert not re.findall(r"@import|url\(|javascript:|\son\w+=", re.sub(r">[^<]*<", "><", picture))
    addresses = set(re.findall(r"https?://[^\s\"'<]+", picture))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{NS}title", f"{NS}desc"]
    assert "prefers-color-scheme" in picture


def test_the_same_forecast_gives_the_same_bytes() -> None:
    assert forecast.svg(ahead()) == forecast.svg(ahead())


def test_a_forecast_of_nothing_is_drawn() -> None:
    empty = Forecast(AT, "month", (Bucket(AT, {}),), 0, 0, 0)
    assert "nothing ends in this time" in forecast.svg(empty)


def test_what_a_chart_shows_it_says_in_words() -> None:
    told = ET.fromstring(forecast.svg(ahead())).find(f"{NS}desc")
    assert told is not None
    assert (told.text or "").startswith("2026-01: 7; 2026-02: 8")
    assert (told.text or "").endswith("later 12 · without an end 4 · held 3")


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_seen_on_white_and_on_black(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 2.5
    assert contrast(colour, "#16181c") >= 2.5


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""
    values = sorted((luminance(one), luminance(other)))
    return (values[1] + 0.05) / (values[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
