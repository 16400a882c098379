"""Run by the tool's own interpreter in a copy of the tree: load every test once, then fork once for each mutant.

Tests are collected once, and run once without any change, which tells which of them call which function and how long
each takes. For each mutant a fork of that process runs those that call its function, the quickest first, to the first
that fails. Such a process has read the policies and made the queries that tests share, without a change; what a mutant
would have changed in them it does not see. So what lives there is tried a second time in a fork of a process that has
loaded the tests and run none. `AGAIN=yes` tries what survived in one that has not loaded them either.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from mutmut.configuration import config
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import setup_source_paths
from mutmut.utils.format_utils import mangled_name_from_mutant_name

FAILED, SURVIVED, NO_TESTS, OUT_OF_TIME = 1, 0, 33, -24
PATIENCE = 20  # times the seconds of processor time that a mutant has: a machine may have other things to do


class Recorder:
    """Which mutated functions each test calls, and how long it takes."""

    def __init__(self) -> None:
        self.calls: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count the seconds of this process, since a machine may have other things to do."""
        began = time.process_time()
        outcome = yield
        self.seconds[item.nodeid] = time.process_time() - began
        self.calls[item.nodeid] = sorted(state()._stats)
        state()._stats.clear()
        return outcome

    def write(self) -> None:
        """Leave what was recorded to the process that runs no test itself."""
        found = {"calls": self.calls, "seconds": self.seconds}
        Path("../recorded.json").write_text(json.dumps(found), encoding="utf-8")


def tests_of(names: Iterable[str]) -> dict[str, tuple[list[str], float]]:
    """Read which tests call the function of each mutant, the quickest first, and what they take together."""
    recorded = json.loads(Path("../recorded.json").read_text(encoding="utf-8"))
    tests: dict[str, list[str]] = defaultdict(list)
    for test, functions in recorded["calls"].items():
        for function in functions:
            tests[function].append(test)
    seconds = recorded["seconds"]
    found = {}
    for name in names:
        of_it = sorted(tests.get(mangled_name_from_mutant_name(name), []), key=seconds.__getitem__)
        found[name] = of_it, sum(seconds[test] for test in of_it)
    return found


class Loop:
    """Takes the place of pytest's own loop: the process that collected the tests never runs one."""

    def __init__(self, names: list[str], at_once: int) -> None:
        self.names, self.at_once = names, at_once
        self.codes: dict[str, int] = {}
        self.running: dict[int, tuple[str, float]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all mutants in forks of a process that has run the tests, then those that lived in forks of this one."""
        gc.freeze()  # so that forks share what was loaded
        pid = os.fork()
        if pid == 0:
            end(lambda: self.warm(session))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code:
            sys.exit("the tests fail without any change: see last.log")
        self.codes = json.loads(Path("../codes.json").read_text(encoding="utf-8"))
        self.each(session, [name for name in self.names if self.codes.get(name, SURVIVED) == SURVIVED])
        self.write()
        return True

    def warm(self, session: pytest.Session) -> int:
        """Run everything once; then try the mutants, unless this process has threads, which a fork does not take."""
        recorder = Recorder()
        session.config.pluginmanager.register(recorder)
        if run(session, "stats", [item.nodeid for item in session.items], "../last.log"):
            return FAILED
        session.config.pluginmanager.unregister(recorder)
        recorder.write()
        threads = len(list(Path("/proc/self/task").iterdir()))
        print(f"{sum(recorder.seconds.values()):.1f} s of tests, {threads} threads behind them", file=sys.stderr)
        if threads == 1:
            gc.freeze()
            names = [name for name in self.names if tests_of([name])[name][0]]
            self.each(session, names)
            pid = os.fork()
            if pid == 0:
                end(lambda: run(session, "", [item.nodeid for item in session.items]))
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
                print("the tests do not pass a second time: nothing is believed that was tried so", file=sys.stderr)
                self.codes = {}
        self.write()
        return 0

    def each(self, session: pytest.Session, names: list[str]) -> None:
        """Try these mutants in forks of this process."""
        for name, (tests, seconds) in tests_of(names).items():
            if not tests:
                self.codes[name] = NO_TESTS
                continue
            while len(self.running) >= self.at_once:
                self.wait()
            limit = int(15 + 4 * seconds)
            pid = os.fork()
            if pid == 0:
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
                end(lambda: run(session, name, tests))  # noqa: B023 it runs here and now
            self.running[pid] = name, time.monotonic() + PATIENCE * limit
        while self.running:
            self.wait()

    def wait(self) -> None:
        """Take in one that ended; end those that are far beyond their time."""
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in self.running:
            code = os.waitstatus_to_exitcode(status)
            # what swallows the signal of the limit is killed five seconds later
            self.codes[self.running.pop(pid)[0]] = OUT_OF_TIME if code == -signal.SIGKILL else code
            self.write()  # for whoever looks, or has no more time
            return
        for one, (_, until) in self.running.items():
            if time.monotonic() > until:
                os.kill(one, signal.SIGKILL)
        time.sleep(0.01)

    def write(self) -> None:
        """Write what became of the mutants."""
        Path("../codes.json").write_text(json.dumps(self.codes), encoding="utf-8")


def end(work: object) -> None:
    """End this process, a fork, with what the work returns."""
    code = FAILED
    try:
        code = work()
    except BaseException as error:  # noqa: BLE001 whatever keeps tests from passing notices the mutant
        print(repr(error), file=sys.stderr)
    finally:
        os._exit(code)


def run(session: pytest.Session, name: str, tests: list[str], log: str = os.devnull) -> int:
    """Run these tests in this process, in this order, with one mutant."""
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    kept = os.dup(1), os.dup(2)
    try:
        set_mutant_under_test(name)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(written, 1)
        os.dup2(written, 2)
        session.config._tmp_path_factory._basetemp = folder.resolve()  # no two runs share one
        of_id = {item.nodeid: item for item in session.items}
        items = [of_id[test] for test in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return FAILED
        return SURVIVED
    finally:
        sys.stdout.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        shutil.rmtree(folder, ignore_errors=True)


def main(at_once: int) -> int:
    """Try the mutants whose names stand in `wanted.json`, write what became of each to `codes.json`."""
    names = json.loads(Path("wanted.json").read_text(encoding="utf-8"))
    asked = [*config().pytest_add_cli_args_test_selection, *config().pytest_add_cli_args]
    setup_source_paths()
    os.chdir("mutants")
    set_mutant_under_test("")
    os.environ["PY_IGNORE_IMPORTMISMATCH"] = "1"
    plain = ["--rootdir=.", "--tb=no", "--assert=plain", "-q", "-s"]  # nobody reads what failed
    return int(pytest.main([*plain, *asked], plugins=[Loop(names, at_once)]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
