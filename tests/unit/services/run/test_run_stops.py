"""Where the policy stops runs that have started, a withdrawal ends one between two steps; where it does not, none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.services.cut_world import NOW
from tests.unit.services.run.run_world import SECOND
from tests.unit.services.run.trained import CONFIG, Teacher, teacher

from assent.domain.errors import Refused
from assent.services.run.plan import folder_of
from assent.services.run.reach import reached
from assent.services.run.state import start
from assent.services.run.stopping import EVERY
from assent.services.run.training import require_may_go_on, train_run


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Teacher]:
    with teacher(tmp_path / "acme") as made:
        yield made


def stop_runs(made: Teacher) -> None:
    """Have the only policy say that a withdrawal stops what has started."""
    ((policy, text),) = made.runs.policies
    stopping = replace(policy, taking_back=policy.taking_back._replace(started_runs="stop"))
    assert policy.taking_back.started_runs == "continue"
    made.runs = replace(made.runs, policies=[(stopping, text)])


def leaving(made: Teacher, person: str) -> Callable[[str, int], object]:
    """Give a progress during whose first step a person withdraws, and a minute passes with every step."""

    @contextmanager
    def progress(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
        def step(count: int) -> None:
            if count and made.clock == NOW:
                made.choose(person, "withdraw", NOW + SECOND)
            if count:
                made.clock += EVERY
                steps.append(count)

        yield step

    return progress


steps: list[int] = []


@pytest.fixture(autouse=True)
def none_yet() -> None:
    steps.clear()


def test_a_withdrawal_ends_the_run_at_the_next_look(acme: Teacher) -> None:
    stop_runs(acme)
    run = start(acme.runs, acme.planned(trainer="trl", config=CONFIG))
    with pytest.raises(Refused, match=r"the policy stops run .* 3 x withdrawn"):
        train_run(acme.runs, run, leaving(acme, "p00"))
    kept = acme.store.run(run.id)
    assert (kept.state, len(steps)) == ("failed", 1)
    assert "may not be used any more: 3 x withdrawn" in kept.reason
    assert not (folder_of(acme.runs, run.id) / "work").exists()
    with pytest.raises(Refused, match="is failed, so it cannot go on"):
        require_may_go_on(acme.runs, kept)


def test_a_run_goes_on_where_the_policy_lets_it_and_is_named_as_started_before(acme: Teacher) -> None:
    run = start(acme.runs, acme.planned(trainer="trl", config=CONFIG))
    assert train_run(acme.runs, run, leaving(acme, "p00")).state == "finished"
    assert len(steps) > 1
    assert [one.run.id for one in reached(acme.store, subjects=["p00"])] == [run.id]


def test_somebody_whom_the_run_left_out_stops_nothing(acme: Teacher) -> None:
    stop_runs(acme)
    theirs = [row.conversation for row in acme.store.members("spring", 1) if row.subject == "p00"]
    run = start(acme.runs, acme.planned(trainer="trl", config=CONFIG, without=sorted(set(theirs))))
    assert train_run(acme.runs, run, leaving(acme, "p00")).state == "finished"
