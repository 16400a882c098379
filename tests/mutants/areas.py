"""What is mutated, area by area, and the fast tests that should notice."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_POLICY: Final = "tests/unit/policy"
_LEDGER: Final = "tests/unit/ledger"
_SERVICES: Final = "tests/unit/services"
_QUICK: Final = "tests/faults/quick.py"
_MADE_UP: Final = f"{_QUICK}::test_the_evaluators_agree_on_some_made_up_policies[0]"
_VERSIONS: Final = f"{_QUICK}::test_the_evaluators_agree_on_some_versions"
_WORDS: Final = "tests/laws/test_parameters.py"
_RECEIPT: Final = "tests/conformance/receipt/test_receipt"
_CASES: Final = "tests/conformance/test_cases.py"


class Area(NamedTuple):
    """Modules under src/assent/ that are mutated together, since the same tests look at them.

    `left_out` are tests that take seconds each: what survives without them is asked of a faster test.
    """

    name: str
    modules: str
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def files(self, only: str = "") -> list[str]:
        """List the files, those of which the path holds a word; all where the word is the area's own name."""
        found = []
        for module in self.modules.split():
            folder, _, names = module.rpartition("/")
            for name in names.split("+"):
                found += sorted((REPOSITORY / "src/assent" / folder).glob(f"{name}.py"))
        paths = [str(path.relative_to(REPOSITORY)) for path in found if path.name != "__init__.py"]
        return [path for path in paths if only == self.name or only in path]


AREAS: Final = (
    Area("standing", "policy/standing+conditions", (f"{_POLICY}/test_standing.py", _WORDS, _MADE_UP)),
    Area(
        "decide",
        "policy/decide+versions+explain+model+plans+regions",
        (
            *(f"{_POLICY}/test_{name}.py" for name in ("decide_edges", "versions", "plans_named", "regions")),
            *(_WORDS, _MADE_UP, _VERSIONS, _CASES),
            *(f"{_SERVICES}/test_decide.py", f"{_SERVICES}/test_explain.py"),
        ),
    ),
    Area(
        "query",
        "policy/compile+compile_versions+runs+rows+nominate",
        (f"{_POLICY}/test_set_query.py", _MADE_UP, _VERSIONS, _WORDS, f"{_POLICY}/test_nominate.py"),
        (f"{_POLICY}/test_nominate.py::test_the_law_meets_parts_that_are_due_by_a_bound",),
    ),
    Area(
        "reading",
        "policy/parse+build+document+shape_problems",
        (f"{_POLICY}/test_parse.py", f"{_POLICY}/test_document.py", f"{_POLICY}/test_policy_files.py", _WORDS),
    ),
    Area(
        "lint",
        "policy/lint+segments policy/lints/*",
        tuple(f"{_POLICY}/test_{name}.py" for name in ("lint", "lint_edges", "policy_segments", "render")),
        (f"{_POLICY}/test_lint.py::test_every_lint_is_tested_and_described",),  # reads the pages, which are not copied
    ),
    Area("compare", "policy/compare+compare_effect", (f"{_POLICY}/test_compare.py",)),
    Area("page", "policy/render", (f"{_POLICY}/test_render.py",)),
    Area(
        "log",
        "ledger/merkle+note+checkpoint+proof+leaf+tiles+cosignature+encoding+keys",
        tuple(f"{_LEDGER}/test_ledger_{name}.py" for name in ("merkle", "note", "checkpoint", "tiles", "keys")),
    ),
    Area(
        "receipts",
        "ledger/receipt+record+dpv+kantara+terms+verify",
        ("tests/unit/receipts", *(f"{_RECEIPT}_{name}.py" for name in ("dpv", "kantara", "vectors"))),
    ),
    Area(
        "tombstones",
        "ledger/erasure+erasure_proof+membership",
        (
            *(f"{_LEDGER}/test_{name}.py" for name in ("ledger_erasure", "erasure_proof", "membership")),
            f"{_SERVICES}/test_prove.py",
        ),
    ),
    Area(
        "guards",
        "services/guard/limits+radius+clock+promise+health",
        (
            f"{_SERVICES}/guard/test_guard_edges.py",
            f"{_SERVICES}/guard/test_by_hand.py::test_settings_that_cannot_keep_the_promise_are_refused",
        ),
    ),
    Area(
        "rounds",
        "services/guard/round+permit+newly+by_hand+release+two_people+erasing",
        (f"{_SERVICES}/guard/test_by_hand.py", f"{_SERVICES}/guard/test_guard_trips.py"),
        (f"{_SERVICES}/guard/test_guard_trips.py::test_far_more_than_an_average_day_stops",),
    ),
    Area(
        "plans",
        "services/plan+sweep services/hold/*",
        tuple(f"{_SERVICES}/test_{name}.py" for name in ("plan", "plan_edges", "sweep", "sweep_terms", "holds")),
        (
            f"{_SERVICES}/test_plan.py::test_a_plan_finds_exactly_what_the_reference_finds_due",
            f"{_SERVICES}/test_plan.py::test_every_policy_that_a_tombstone_names_can_be_read",
            f"{_SERVICES}/test_sweep.py::test_a_crowd_is_swept_to_the_last_part_and_stays_so",
            f"{_SERVICES}/test_sweep.py::test_a_sweep_that_was_killed_goes_on_where_it_ended",
            f"{_SERVICES}/test_sweep.py::test_a_plan_is_found_behind_many_others",
            f"{_SERVICES}/test_sweep.py::test_two_sweeps_of_one_plan_at_once_erase_each_part_once",
        ),
    ),
    Area(
        "erasing",
        "services/erase/quarantine+redecide+journal+carry_out+prove",
        (f"{_SERVICES}/erase", "tests/laws/test_redecide_agrees.py",
         *(f"{_SERVICES}/test_{name}.py" for name in ("carrying", "quarantine", "prove", "derived")),
         f"{_SERVICES}/test_sweep.py::test_only_what_the_plan_names_is_erased"),
    ),
)  # fmt: skip
