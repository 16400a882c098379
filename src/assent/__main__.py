"""Entry point of the `assent` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Wire the real world to the command line and run it."""
    from assent.interfaces.cli.app import run
    from assent.wiring import Wiring

    sys.exit(run(sys.argv[1:], Wiring()))


if __name__ == "__main__":
    main()
