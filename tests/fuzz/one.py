"""Fuzz one reader, guided by which of our code its inputs reach: `python -m tests.fuzz.one GROUP NAME [OPTION]...`.

atheris is no part of the development environment (Makefile, `check-fuzz`): it is found by PYTHONPATH.
"""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Instrument what the reader loads, then read inputs until something is found or the time is over."""
    group, name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["assent", "assent_verify", "tests.fuzz"]):
        from tests.fuzz.target import targets

        (target,) = [one for one in targets(group) if one.name == name]
        for data in target.given():
            target.run(data)  # what is loaded late is loaded now
    atheris.Setup([sys.argv[0], *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
