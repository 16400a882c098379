"""Many `assent` commands for the price of one start: the real entry point, in a fork of a process that has loaded it.

The documents run some hundred commands; each start would load SQLAlchemy, DuckDB and Arrow again.
`python -m tests.docs.quick_assent SOCKET` waits for commands; CLIENT is the program that sends them: its own
arguments, folder, environment and open files. The command runs with exactly these.
"""

import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
from importlib import import_module

CLIENT = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["serve"]:  # a server is stopped by its process id, so it has to be this process
    os.execv({python!r}, [{python!r}, "-m", "assent", *sys.argv[1:]])
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(line, [len(said).to_bytes(8, "big")], [0, 1, 2])
line.sendall(said)
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
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        status = run(arguments, Wiring())
    except BaseException:  # noqa: BLE001 - shown to whoever sent the command, as Python does
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(str(status).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
