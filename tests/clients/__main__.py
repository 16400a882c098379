"""A seeded product to try things on, until Ctrl-C.

python -m tests.clients open-webui --into FOLDER      starts it; FOLDER says how to reach it
python -m tests.clients look --into FOLDER            says which words are left, and in which files
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path

from tests.clients.models import models
from tests.clients.open_webui import ADMIN, PASSWORD, open_webui
from tests.clients.open_webui_seed import seed
from tests.clients.words import Words, look, table


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["open-webui", "look"])
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    told = parser.parse_args()
    folder = told.into.resolve()
    if told.what == "look":
        words = Words.load(folder / "words.json")
        for doomed in (True, False):
            of = words.of(doomed=doomed)
            found = look([folder / "data"], of)
            print(f"{len(found)} of {len(of)} words found that {'go' if doomed else 'stay'}\n{table(found, of)}")
    else:
        _serve(folder)


def _serve(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    new = not (folder / "words.json").exists()
    with models() as service, open_webui(folder / "data", service) as server:
        if new:
            seeded = seed(server)
            seeded.words.save(folder / "words.json")
            (folder / "doomed.txt").write_text("".join(f"{chat}\n" for chat in seeded.doomed))
            (folder / "kept.txt").write_text("".join(f"{chat}\n" for chat in seeded.kept))
            (folder / "password").write_text(PASSWORD)
        where = {
            "base_url": server.address,
            "admin_email": ADMIN,
            "data_dir": str(server.data),
            "pid": server.program.pid,
        }
        (folder / "server.json").write_text(json.dumps(where, indent=1))
        print(json.dumps(where, indent=1), "\nCtrl-C ends it", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
