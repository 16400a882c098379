"""An OpenID provider beside the tests: `oidc-provider` from npm, in a process of its own that ends with the test."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "oidc-provider"
CLIENT, SECRET = "assent", "a secret that both sides know: 100% +/&"


@dataclass
class Identity:
    """A running provider: its address, and what it can be told."""

    process: subprocess.Popen[str]
    issuer: str

    def tell(self, **change: Any) -> None:
        """Change its clients, its people or its keys, and wait until that is done."""
        self.process.stdin.write(f"{json.dumps(change)}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def know(self, address: str) -> None:
        """Let a site send people here."""
        client = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [f"{address}/sign-in/oidc/back"]}
        self.tell(clients=[client])


@contextmanager
def provider() -> Iterator[Identity]:
    """Run the provider on a free port; skip, and say so, where it cannot be."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip("no OpenID provider: run `make programs`, which needs node and npm")
    command = [node, "server.mjs"]
    with subprocess.Popen(
        command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield Identity(process, process.stdout.readline().strip())
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
