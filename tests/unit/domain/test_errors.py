"""Errors: the sentence, the remedy, the place, and the exit status of each kind."""

from __future__ import annotations

import pytest

from assent.domain.errors import AssentError, Incomplete, Invalid, NotFound, Place, Refused


@pytest.mark.parametrize(
    ("kind", "status"), [(AssentError, 1), (Invalid, 1), (Refused, 2), (NotFound, 3), (Incomplete, 4)]
)
def test_exit_statuses(kind: type[AssentError], status: int) -> None:
    problem = kind("no such thing", "name another")
    assert problem.exit_code == status
    assert isinstance(problem, AssentError)
    assert (problem.message, problem.fix, str(problem)) == ("no such thing", "name another", "no such thing")


@pytest.mark.parametrize(
    ("place", "written"),
    [(Place("a.toml"), "a.toml"), (Place("a.toml", 3), "a.toml:3"), (Place("a.toml", 3, 9), "a.toml:3:9")],
)
def test_the_place_comes_first_as_editors_open_it(place: Place, written: str) -> None:
    assert str(place) == written
    assert str(Invalid("it is empty", "fill it", place)) == f"{written}: it is empty"
    assert str(Invalid("it is empty")) == "it is empty"
