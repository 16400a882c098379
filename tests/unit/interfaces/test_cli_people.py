"""Commands about who may act for whom: guardian, link, contract."""

from datetime import timedelta
from pathlib import Path

import pytest
from homes import NOW, Home, made

VERIFIED = ("--method", "card check", "--by", "support desk")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return made(tmp_path / "home")


def test_a_guardian_is_recorded_listed_and_ended(home: Home) -> None:
    assert "nobody" in home("guardian", "list", "c-7").out
    assert home("guardian", "add", "c-7", "p-31", *VERIFIED).status == 0
    [one] = home("guardian", "list", "c-7", "--json").lines()
    assert (one["guardian"], one["method"], one["ended"]) == ("p-31", "card check", None)
    assert home("guardian", "end", "c-7", "p-31", at=NOW + timedelta(days=1)).status == 0
    assert "ended 2026-01-02T12:00:00Z" in home("guardian", "list", "c-7").out


def test_a_guardian_needs_a_check_and_cannot_be_the_child(home: Home) -> None:
    assert home("guardian", "add", "c-7", "p-31", "--method", "x").status == 1
    assert "nobody is their own guardian" in home("guardian", "add", "c-7", "c-7", *VERIFIED).err
    assert home("guardian", "end", "c-7", "p-31").status == 3


def test_a_link_carries_refusals_along_and_stays(home: Home) -> None:
    home("choose", "device-1", "decline")
    linked = home("link", "device-1", "p-17", "--json").json()
    assert [one["purpose"] for one in linked["carried"]] == ["training"]
    assert "decline" in home("choose", "p-17", "show").out
    assert home("link", "device-1", "p-18").status == 2
    assert "no refusal to carry along" in home("link", "device-2", "p-17").out


def test_a_contract_is_kept_by_its_digest_and_is_no_choice_of_anybody(home: Home, tmp_path: Path) -> None:
    terms = tmp_path / "signed.txt"
    terms.write_text("the terms")
    added = home("contract", "add", "acme", "--purpose", "training", "--terms", terms, "--signed-by", "office")
    assert added.status == 0, added.err
    name = added.out.split()[1].rstrip(":")
    [one] = home("contract", "list", "--json").lines()
    assert (one["contract"], one["organisation"], one["purposes"], one["ends"]) == (name, "acme", ["training"], None)
    assert home("contract", "end", name, at=NOW + timedelta(days=1)).status == 0
    assert "2026-01-02T12:00:00Z" in home("contract", "list", "--organisation", "acme").out
    assert home("contract", "list", "--organisation", "other").out == ""
    assert home("status", "--json").json()["choices"] == 0
    assert home("contract", "end", "unknown").status == 3


def test_an_empty_text_is_no_contract(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    said = home(
        "contract", "add", "acme", "--purpose", "training", "--terms", tmp_path / "empty.txt", "--signed-by", "office"
    )
    assert said.status == 1
    assert "`empty.txt` is empty" in said.err
