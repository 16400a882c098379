"""Many `assent` commands for the price of one start: the real entry point, in a fork of a process that has loaded it.

The documents run some hundred commands; each start would load SQLAlchemy, DuckDB and Arrow again.
`python -m tests.docs.quick_assent SOCKET` waits for commands; CLIENT is the program that sends them: its own
arguments, folder, environment and open files. The command runs with exactly these. A server or a daemon is ended as
ever, by its process id: CLIENT hands the signal on.
"""

import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module

CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(line, [len(said).to_bytes(8, "big")], [0, 1, 2])
line.sendall(said)
signal.signal(signal.SIGTERM, lambda *_: line.send(b"T"))
sys.exit(int(line.recv(8) or b"99"))
"""

READY = "ready\n"


def serve(address: str) -> None:
    """Load everything, then run each command that comes in a process of its own."""
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print(READY, end="", flush=True)
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _run(line)
        line.close()


def _load() -> None:
    import assent

    for module in pkgutil.walk_packages(assent.__path__, "assent."):
        if not module.name.endswith(("__main__", "migrations.env")):
            import_module(module.name)


def _run(line: socket.socket) -> None:
    from assent.interfaces.cli.app import run
    from assent.wiring import Wiring

    status = 1
    try:
        size, files, _, _ = socket.recv_fds(line, 8, 3)
        said = b""
        while len(said) < int.from_bytes(size, "big"):
            said += line.recv(65536)
        arguments, folder, environment = json.loads(said)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        threading.Thread(target=_end_with, args=[line], daemon=True).start()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        status = run(arguments, Wiring())
    except BaseException:  # noqa: BLE001 - shown to whoever sent the command, as Python does
        traceback.print_exc()
        status = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it is None after a reader such as `head` went away
                stream.flush()
        line.sendall(str(status).encode())
        os._exit(0)


def _end_with(line: socket.socket) -> None:
    """End this command when whoever sent it is told to end, or is gone."""
    line.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    serve(sys.argv[1])
