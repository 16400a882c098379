"""The arithmetic on the page about scale is run, and gives what the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "scale.md"


def test_the_capacity_model_prints_what_the_page_says() -> None:
    written = PAGE.read_text("utf-8")
    [(program, shown)] = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", written, re.DOTALL)
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == shown
    assert len(shown.splitlines()) > 10
