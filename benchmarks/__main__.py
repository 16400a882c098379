"""Run every `bench_*.py` of this folder, or the one named by `--only`."""

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

PREFIX = "bench_"


def names() -> list[str]:
    """Every benchmark, without its prefix, in alphabetical order."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name.removeprefix(PREFIX) for module in modules if module.name.startswith(PREFIX))


def main() -> int:
    """Run what was asked for; 0 done, 3 when there is no benchmark of that name."""
    known = names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help=f"one of: {', '.join(known) or 'none yet'}")
    only = parser.parse_args().only
    if only is not None and only not in known:
        print(f"no benchmark `{only}`\nname one of: {', '.join(known) or 'none yet'}", file=sys.stderr)
        return 3
    for name in known if only is None else [only]:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{PREFIX}{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
