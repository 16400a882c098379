"""The products that are tested against, each in a virtual environment of its own, outside assent's.

    python -m tests.clients.programs        builds what is missing, and says how long and how large
    python -m tests.clients.programs lock   resolves `*.in` again into the hashed `*.txt` beside it

They lie in `.clients/` of the checkout, or in the folder that ASSENT_CLIENTS names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PRISMA = HERE / "prisma"
FOLDER = Path(os.environ.get("ASSENT_CLIENTS") or HERE.parents[1] / ".clients").resolve()
LOCKED_UNTIL = "2026-11-15T00:00:00Z"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Program:
    """A product by its lock `<name>.txt`."""

    name: str
    prisma: bool = False

    @property
    def home(self) -> Path:
        """Its virtual environment."""
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        """The interpreter that runs it."""
        return self.home / "bin" / "python"

    def lock(self) -> None:
        """Resolve what it needs; what `<name>.left_out.txt` names is left out."""
        left_out = HERE / f"{self.name}.left_out.txt"
        command = [UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
        command += ["--exclude-newer", LOCKED_UNTIL, "--no-annotate", "--no-header"]
        command += ["--overrides", left_out] if left_out.is_file() else []
        into = ["--output-file", HERE / f"{self.name}.txt"]
        subprocess.run([*command, HERE / f"{self.name}.in", *into], check=True, cwd=HERE)

    def build(self) -> None:
        """Install what its lock says, unless just that is installed."""
        lock = HERE / f"{self.name}.txt"
        parts = [lock, *(sorted(PRISMA.iterdir()) if self.prisma else ())]
        digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
        stamp = self.home / "built"
        if stamp.is_file() and stamp.read_text() == digest:
            print(f"{self.name}: built already, in {self.home}")
            return
        began = time.monotonic()
        shutil.rmtree(self.home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.home], check=True)
        sync = [UV, "pip", "sync", "--quiet", "--python", self.python, "--require-hashes", lock]
        subprocess.run(sync, check=True)
        if self.prisma:
            self._build_prisma()
        size = sum(path.lstat().st_size for path in self.home.rglob("*") if path.is_file())
        stamp.write_text(digest)
        print(f"{self.name}: {time.monotonic() - began:.0f} s, {size / 1e6:.0f} MB, in {self.home}", flush=True)

    @property
    def node(self) -> Path:
        """Where what it needs of npm lies."""
        return self.home / "prisma"

    def _build_prisma(self) -> None:
        """Make Prisma's client for its schema, and put the engine into place that the client starts."""
        shutil.copytree(PRISMA, self.node, ignore=shutil.ignore_patterns("node_modules"))
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, check=True, cwd=self.node)
        schema = next(self.home.glob("lib/python3*/site-packages/litellm/proxy/schema.prisma"))
        generate = ["node", "node_modules/prisma/build/index.js", "generate", "--schema", schema]
        subprocess.run(
            generate, check=True, cwd=self.node, env=os.environ | self.environment(), stdout=subprocess.DEVNULL
        )

    def environment(self) -> dict[str, str]:
        """Say to Prisma where its engine is, so that it looks for none elsewhere."""
        none = {
            f"PRISMA_{name}": "/bin/false" for name in ("SCHEMA_ENGINE_BINARY", "QUERY_ENGINE_LIBRARY", "FMT_BINARY")
        }
        told = {"PATH": f"{self.home / 'bin'}:{os.environ['PATH']}", "CHECKPOINT_DISABLE": "1"}
        told |= {
            "PRISMA_QUERY_ENGINE_BINARY": str(self.node / "query-engine"),
            "PRISMA_BINARY_CACHE_DIR": str(self.node),
        }
        return told | none


OPEN_WEBUI = Program("open_webui")
LITELLM = Program("litellm", prisma=True)
PROGRAMS = (OPEN_WEBUI, LITELLM)


def main(arguments: list[str]) -> None:
    """Build every product, or lock it again."""
    for program in PROGRAMS:
        if arguments == ["lock"]:
            program.lock()
        else:
            program.build()


if __name__ == "__main__":
    main(sys.argv[1:])
