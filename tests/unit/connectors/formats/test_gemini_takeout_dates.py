from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.connectors.formats.gemini_takeout_dates import looks_like_date, parse_date

NOON = datetime(2026, 4, 12, 12, 0, tzinfo=UTC)

DATES = [
    "Apr 12, 2026, 12:00:00 PM UTC",
    "Apr 12, 2026, 12:00:00\u202fPM GMT",
    "April 12, 2026 at 8:00:00 AM EDT",
    "12 Apr 2026, 13:00:00 BST",
    "12.04.2026, 14:00:00 MESZ",
    "12. April 2026 um 14:00 MESZ",
    "12 avr. 2026, 14:00:00 CEST",
    "12 avril 2026 à 14:00:00 UTC+2",
    "12 abr 2026, 14:00:00 CEST",
    "12 de abril de 2026, 9:00:00 GMT-3",
    "12 apr 2026, 14:00:00 CEST",
    "12 aprile 2026 alle ore 14:00:00 CEST",
    "12 de abr. de 2026, 09:00:00 BRT",
    "12 apr. 2026 14:00:00 CEST",
    "12-04-2026 14:00:00 CEST",
    "2026-04-12T12:00:00Z",
    "2026-04-12 14:00:00 +02:00",
    "Apr 12, 2026, 12:00:00 PM GMT+00:00",
]


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_read_in_its_language(text: str) -> None:
    assert parse_date(text) == NOON
    assert looks_like_date(text)


MONTHS = {
    "English": "January February March April May June July August September October November December",
    "German": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "French": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Portuguese": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
    "short French": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "short German": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "short Dutch": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "short Italian": "gen feb mar apr mag giu lug ago set ott nov dic",
}


@pytest.mark.parametrize("language", MONTHS)
def test_every_month_is_known(language: str) -> None:
    found = [parse_date(f"5 {month} 2026, 12:00:00 UTC") for month in MONTHS[language].split()]
    assert found == [datetime(2026, number, 5, 12, 0, tzinfo=UTC) for number in range(1, 13)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "12 Apr 2026",
        "12 Apr 2026, 12:00:00",
        "12 Apr 2026, 12:00:00 IST",
        "31 Feb 2026, 12:00:00 UTC",
        "12 Foo 2026, 12:00:00 UTC",
        "12 Apr 2026, 25:00:00 UTC",
        "12 Apr 2026, 12:00:00 UTC+99",
        "12 Apr 0001, 12:00:00 UTC",
        "4/12/2026, 12:00:00 UTC",
        "12.13.2026, 12:00:00 UTC",
        "12 Apr 2026, 12:00:00 UTC+24",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC
