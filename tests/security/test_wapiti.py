"""wapiti, a scanner that knows nothing of assent, looks at the served pages as a person and as staff: it finds nothing.

It is installed into an environment of its own below the test's folder: it wants other versions of what we use.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assent.interfaces.web.cookies import COOKIE
from assent.interfaces.web.limits import Limiter
from tests.browser.sites import serving
from tests.security.scanned import scanned_home

pytestmark = [pytest.mark.deep, pytest.mark.enable_socket]

WITHIN_S = 120
MODULES = "csp,cookieflags,crlf,exec,file,http_headers,methods,permanentxss,redirect,sql,ssrf,upload,xss,xxe"


@pytest.fixture(scope="module")
def wapiti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wapiti") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "wapiti3>=3.2"], check=True)
    return folder / "bin" / "wapiti"


@pytest.mark.parametrize("kind", ["person", "officer"])
def test_a_scan_finds_nothing(wapiti: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # a scanner asks more often in a minute than people do in a day
    monkeypatch.setattr(Limiter, "wait", lambda *_: 0)
    wiring = scanned_home(tmp_path / "home")
    with serving(wiring) as site:
        token = site.token("person", "eve-7") if kind == "person" else site.token("staff", "ada", role="officer")
        start = "/me" if kind == "person" else "/console"
        report = tmp_path / "report.json"
        left_out = [f"{site.address}{one}" for one in ("/sign-out*", "/me/delete-everything*", "/*lang=*")]
        # with the origin of a page of ours: its forms go through, and are attacked from within
        headers = [f"Cookie: {COOKIE}={token}", f"Origin: {site.address}"]
        command = [
            str(wapiti), "-u", f"{site.address}{start}", "--scope", "domain", "-m", MODULES, "-d", "3",
            *(word for one in headers for word in ("-H", one)), *(word for one in left_out for word in ("-x", one)),
            "--flush-session", "--store-session", str(tmp_path), "--store-config", str(tmp_path), "--no-bugreport",
            "--max-links-per-page", "30", "--max-files-per-dir", "12", "--max-attack-time", "20",
            "--max-scan-time", str(WITHIN_S), "-f", "json", "-o", str(report),
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=WITHIN_S * 5, cwd=tmp_path)
    wiring.store.close()
    told = json.loads(report.read_text())
    assert told["infos"]["crawled_pages_nbr"] > 10
    found = {name: rows for part in ("vulnerabilities", "anomalies") for name, rows in told[part].items() if rows}
    assert found == {}
