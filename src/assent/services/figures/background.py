"""Work beside the requests, one thing at a time; what comes of it is kept in the store by the work itself."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from assent.domain.errors import AssentError

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED: Final = 200


class _Work:
    def __init__(self) -> None:
        self.ended = Event()
        self.problem = ""


class Background:
    """Threads of a server that end with it: everything done here can be done again after a stop."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._lock = Lock()
        self._one_at_a_time = Lock()
        self._works: dict[str, _Work] = {}

    def begin(self, name: str, do: Callable[[], object]) -> None:
        """Do something under a name, unless it is under way already."""
        with self._lock:
            known = self._works.get(name)
            if known is not None and not known.ended.is_set():
                return
            while len(self._works) >= _REMEMBERED and self._forget_one():
                pass
            work = self._works[name] = _Work()
        Thread(target=self._do, args=(work, do), name=f"background {name[:20]}", daemon=True).start()

    def under_way(self, name: str) -> bool:
        """Tell whether something was begun under this name and has not ended."""
        work = self._works.get(name)
        return work is not None and not work.ended.is_set()

    def problem(self, name: str) -> str:
        """Say why the last work of this name failed; no letters if it did not. It never carries content."""
        work = self._works.get(name)
        return work.problem if work is not None else ""

    def wait(self, name: str, seconds: float) -> bool:
        """Wait for the end of a work for some time, and tell whether it ended well."""
        work = self._works.get(name)
        return work is not None and work.ended.wait(seconds) and not work.problem

    def _do(self, work: _Work, do: Callable[[], object]) -> None:
        try:
            with self._one_at_a_time:
                do()
        except AssentError as problem:
            work.problem = f"{problem.message}: {problem.fix}" if problem.fix else problem.message
        except Exception as problem:  # noqa: BLE001 - whatever it is, the server goes on; its text may quote anything
            work.problem = f"it ended with a mistake: {type(problem).__name__}"
        finally:
            work.ended.set()

    def _forget_one(self) -> bool:
        over = next((name for name, work in self._works.items() if work.ended.is_set()), None)
        return over is not None and self._works.pop(over) is not None
