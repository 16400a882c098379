"""The review of dependencies is complete and current, and the bill of materials is what it should be."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.supply.distributions import (
    BESIDE_THE_LOCK,
    LOCK,
    REPOSITORY,
    all_of,
    asked_for,
    licence_of,
    locked,
)
from tests.supply.review import RECORD, with_facts

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "Unlicense", "Zlib",
    # libraries that are imported as they are, unchanged
    "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-1.1", "MPL-2.0",
}  # fmt: skip
DIRECT = {canonicalize_name(one.name) for asked in asked_for().values() for one in asked}
on_this_platform = pytest.mark.skipif(
    (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)), reason="facts are those of Linux with Python 3.11"
)


def may_be_used(expression: str) -> bool:
    """Tell whether an SPDX expression leaves a choice in which every licence is allowed."""
    said = re.sub(r" WITH [\w.-]+", "", expression)
    said = re.sub(r"[\w.+-]+", lambda m: m[0].lower() if m[0] in {"AND", "OR"} else str(m[0] in ALLOWED), said)
    return bool(eval(said))


@pytest.fixture(scope="module")
def everything() -> dict[str, set[str]]:
    return all_of(one for asked in asked_for().values() for one in asked)


def test_every_direct_dependency_has_one_row_of_the_review() -> None:
    judged = RECORD.read_text("utf-8").partition("### Who is behind it")[2].partition("### Facts")[0]
    rows = re.findall(r"^\| `([\w.-]+)` \| \S.* \| \S.* \| \S.* \|$", judged, re.MULTILINE)
    assert sorted(rows) == sorted(DIRECT)


@on_this_platform
def test_the_facts_of_the_review_are_current() -> None:
    said = RECORD.read_text("utf-8")
    assert said == with_facts(said), "run `python -m tests.supply.review` and look at the difference"


@on_this_platform
def test_everything_that_is_installed_is_locked_with_the_hash_of_every_file(everything: dict[str, set[str]]) -> None:
    pins = locked()
    assert [name for name in everything if name not in pins or not pins[name].hashes] == []
    lines = re.split(r"\n(?=[\w.-]+==)", LOCK.read_text("utf-8"))[1:]
    assert [line.split()[0] for line in lines if "--hash=sha256:" not in line] == []
    assert not BESIDE_THE_LOCK & pins.keys()


@on_this_platform
def test_every_licence_goes_together_with_ours(everything: dict[str, set[str]]) -> None:
    assert {name: said for name in everything if not may_be_used(said := licence_of(name))} == {}


@pytest.mark.parametrize(
    ("expression", "good"),
    [("MIT", True), ("GPL-2.0-or-later OR MPL-1.1", True), ("MIT AND GPL-3.0-only", False), ("", False),
     ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True), ("MPL-2.0 AND (AGPL-3.0-only OR MIT)", True)],
)  # fmt: skip
def test_of_licences_one_may_choose(expression: str, good: bool) -> None:
    assert (bool(expression) and may_be_used(expression)) is good


@pytest.mark.deep
def test_the_bill_of_materials_fits_its_schema_and_names_what_is_locked(
    tmp_path: Path, everything: dict[str, set[str]]
) -> None:
    command = ["make", "--silent", f"BIN={Path(sys.executable).parent}", ".sbom/.lib"]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    places = [tmp_path / name for name in ("a.json", "b.json")]
    for place in places:  # the library checks it against the schema of CycloneDX before it is written
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / ".sbom" / "lib")}
        command = [sys.executable, "-m", "tests.supply.sbom", str(place)]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
    assert places[0].read_bytes() == places[1].read_bytes()
    bill = json.loads(places[0].read_text("utf-8"))
    named = {one["name"]: one for one in bill["components"]}
    assert named.keys() == everything.keys()
    needed = {one["ref"]: set(one.get("dependsOn", ())) for one in bill["dependencies"]}
    for name, one in named.items():
        pin = locked()[name]
        hashes = {each["content"] for each in one["externalReferences"][0]["hashes"]}
        assert (one["version"], hashes) == (pin.version, {*pin.hashes}), name
        assert needed[one["bom-ref"]] == {named[inner]["bom-ref"] for inner in everything[name]}
    required = {name for name, one in named.items() if one["scope"] == "required"}
    assert required == all_of(asked_for()[""]).keys()
    assert "://" not in re.sub(r'"\$schema": "[^"]*"', "", places[0].read_text("utf-8"))
