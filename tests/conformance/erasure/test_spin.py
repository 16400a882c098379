"""The protocol of erasure as a model: Spin looks at every order of steps, crashes and a restore."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).resolve().parents[3] / "spec" / "erasure" / "protocol.pml"
CLAIMS = ("held_is_kept", "key_after_intent", "receipt_is_true", "intent_is_carried_out")
BROKEN = {
    "CHECK_THEN_ERASE": "held_is_kept",
    "KEY_BEFORE_INTENT": "key_after_intent",
    "RECEIPT_BEFORE_KEY": "receipt_is_true",
    "KEY_BEFORE_JOURNAL": "receipt_is_true",
    "WRITABLE_BEFORE_REPLAY": "receipt_is_true",
    "HOLDS_NOT_UNITED": "held_is_kept",
    "NOT_REDONE": "intent_is_carried_out",
}
"""Each wrong order, and the claim that it breaks."""

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(
        shutil.which("spin") is None or shutil.which("gcc") is None,
        reason="spin or gcc is missing: apt-get install spin gcc",
    ),
]


def checker(folder: Path, *names: str) -> Path:
    """Make the program that looks at every state of the model."""
    shutil.copy(MODEL, folder)
    for command in (
        ["spin", "-a", *(f"-D{name}" for name in names), MODEL.name],
        ["gcc", "-O1", "-w", "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "pan"


def errors(pan: Path, claim: str) -> int:
    """Look for a run that breaks the claim, under weak fairness; the number of those found before it stopped."""
    run = subprocess.run(
        [str(pan), "-a", "-f", "-N", claim, "-m1000000"], cwd=pan.parent, capture_output=True, text=True, check=True
    )
    assert "max search depth too small" not in run.stdout
    found = re.search(r"errors: (\d+)", run.stdout)
    assert found, run.stdout
    return int(found[1])


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_the_protocol_keeps_every_claim(tmp_path: Path, crashes: int) -> None:
    pan = checker(tmp_path, f"CRASHES={crashes}")
    assert {claim: errors(pan, claim) for claim in CLAIMS} == dict.fromkeys(CLAIMS, 0)


@pytest.mark.parametrize(("order", "claim"), BROKEN.items())
def test_a_wrong_order_breaks_the_claim_that_it_would_break(tmp_path: Path, order: str, claim: str) -> None:
    assert errors(checker(tmp_path, order), claim) > 0
