"""The image, really built: what is in it, and what runs in it as nobody in particular on a disk that cannot be written.

No registry is asked: the base is a small Debian of this machine's own release, made for the test, and
wheels come from the package index. `make check-image` runs this; it takes some minutes and 3 GB.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
NUMBER = 10_001
"""The user of the image, and its group."""
MADE = "1764000000"
"""The instant that every build says it was made at, so that two can be compared."""

INSIDE = """
root=$1 home=$2; shift 2
mount --bind "$root" "$root"
mount --bind "$home" "$root/var/lib/assent"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot --userspec=10001:10001 --groups= "$root" "$@"
"""
"""What a container engine does with `--read-only`, in a mount namespace of its own; ends with the program."""


def missing() -> str | None:
    """Say what this machine lacks."""
    lacking = [name for name in ("buildah", "mmdebstrap", "unshare") if shutil.which(name) is None]
    if lacking:
        return f"no image was built: `{'`, `'.join(lacking)}` not on this machine (apt-get install buildah mmdebstrap)"
    return None if os.geteuid() == 0 else "no image was built: to build without an engine takes root"


pytestmark = [
    pytest.mark.deep,
    pytest.mark.enable_socket,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]


def run(*command: object, **more: Any) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=1800, **more)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3_000:]
    return done.stdout.strip()


@dataclass
class Built:
    """An image in a storage of its own: what its description says, and where its files lie."""

    buildah: tuple[str, ...]
    described: dict[str, Any]
    root: Path

    @property
    def config(self) -> dict[str, Any]:
        return self.described["OCIv1"]["config"]

    def command(self, home: Path, *words: str) -> list[str]:
        """Return what runs a program in the image as its user, with `home` mounted and nothing else to write to."""
        inside = ["/usr/bin/env", "--ignore-environment", *self.config["Env"], *words]
        return ["unshare", "--mount", "sh", "-euc", INSIDE, "inside", str(self.root), str(home), *inside]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a small Debian with Python, as a tar file; the package index of this machine's apt is asked."""
    folder = tmp_path_factory.mktemp("base")
    told = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text("utf-8").splitlines() if "=" in line)
    included = "--include=python3,python3-venv,ca-certificates"
    run("mmdebstrap", "--quiet", "--variant=minbase", included, told["VERSION_CODENAME"], folder / "base.tar")
    return folder / "base.tar"


@pytest.fixture(scope="module")
def buildah(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Give buildah with a storage of its own that holds the base; all of it goes afterwards."""
    storage = tmp_path_factory.mktemp("storage")
    command = ("buildah", "--root", f"{storage}/root", "--runroot", f"{storage}/run", "--storage-driver", "vfs")
    made = run(*command, "from", "scratch")
    run(*command, "add", "--quiet", made, base, "/")
    run(*command, "commit", "--quiet", "--rm", made, "base")
    yield command
    run(*command, "rm", "--all")
    shutil.rmtree(storage, ignore_errors=True)


@pytest.fixture(scope="module")
def context(base: Path, buildah: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out what the build is given: the wheel, the lock, and the wheels that the lock names for that Python."""
    folder = tmp_path_factory.mktemp("context")
    for name in ("deploy/Containerfile", "requirements/image.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist", cwd=REPOSITORY)
    shutil.copytree(folder / "dist", folder / "wheels")
    made = run(*buildah, "from", "localhost/base")
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = run(*buildah, "run", "--isolation", "chroot", made, "--", "python3", "-c", ask)
    run(*buildah, "rm", made)
    for_it = ["--python-version", version, "--only-binary", ":all:", "--dest", folder / "wheels"]
    run(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", *for_it, "-r",
        folder / "requirements/image.txt")  # fmt: skip
    return folder


def build(buildah: tuple[str, ...], context: Path, name: str) -> dict[str, Any]:
    run(
        *buildah, "build", "--isolation", "chroot", "--timestamp", MADE, "--no-cache",
        "--volume", f"{context}/wheels:/wheels:ro", "--build-arg", "BASE=localhost/base",
        "--build-arg", "PIP_OPTIONS=--no-index --find-links /wheels",
        "--file", context / "deploy/Containerfile", "--tag", name, context,
    )  # fmt: skip
    return json.loads(run(*buildah, "inspect", "--type", "image", f"localhost/{name}"))


@pytest.fixture(scope="module")
def image(buildah: tuple[str, ...], context: Path) -> Iterator[Built]:
    described = build(buildah, context, "assent")
    made = run(*buildah, "from", "localhost/assent")
    yield Built(buildah, described, Path(run(*buildah, "mount", made)))
    run(*buildah, "umount", made)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, NUMBER, NUMBER)
    return volume


@contextmanager
def started(image: Built, home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a program in the image; gives it with the first line that it prints, and ends it."""
    process = subprocess.Popen(image.command(home, *words), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_says_what_it_is_and_runs_as_a_number(image: Built) -> None:
    config = image.config
    assert config["User"] == f"{NUMBER}:{NUMBER}"
    assert config["Entrypoint"] == ["assent"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["ExposedPorts"] == {"8000/tcp": {}}
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert (labels["title"], labels["licenses"]) == ("assent", "Apache-2.0")
    assert {entry.partition("=")[0] for entry in config["Env"]} == {
        "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "HOME", "ASSENT_HOME",
    }  # fmt: skip


def test_it_holds_the_program_and_nothing_of_its_making(image: Built, base: Path) -> None:
    added = image.root / "opt" / "assent"
    [packages] = added.glob("lib/python3.*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert {"assent", "psycopg", "boto3"} <= names
    assert not names & {"pip", "setuptools", "tests", "benchmarks", "hatchling", "pytest"}
    for leftover in ("build", "root/.cache", "var/lib/assent/assent.toml"):
        assert not (image.root / leftover).exists(), leftover
    assert list((image.root / "wheels").iterdir()) == [], "where this test mounts wheels while it builds"
    size = 0
    for folder, _, files in os.walk(added):
        for path in (Path(folder, name) for name in files):
            seen = path.lstat()
            size += seen.st_size
            assert seen.st_uid == 0
            assert not seen.st_mode & 0o6022 or path.is_symlink(), f"{path.name} can be written by others"
            assert path.suffix != ".whl", f"{path.name} was left over"
    inside = [path for path in packages.glob("assent*/**/*") if path.is_file()]
    told = str(REPOSITORY).encode()
    assert not [path for path in inside if told in path.read_bytes()]
    assert list(packages.glob("assent/__pycache__/*.pyc")), "what is not compiled is compiled at each start"
    layers = json.loads(image.described["Manifest"])["layers"]
    print(f"\nimage: base {base.stat().st_size / 1e6:.0f} MB, added {size / 1e6:.0f} MB in {len(layers) - 1} layer")


def test_on_a_disk_that_cannot_be_written_it_makes_a_home_serves_and_sweeps(image: Built, home: Path) -> None:
    written = subprocess.run(image.command(home, "touch", "/opt/assent/x"), capture_output=True, check=False)
    assert b"Read-only" in written.stderr
    assert run(*image.command(home, "id", "-u")) == str(NUMBER)
    assert run(*image.command(home, "assent", "--version")).startswith("assent ")
    place = "ASSENT_HOME=/var/lib/assent/home"
    run(*image.command(home, "assent", "init", "/var/lib/assent/home"))
    assert (home / "home" / "keys").stat().st_mode & 0o077 == 0
    with started(image, home, "env", place, "assent", "serve", "--port", "0") as (process, said):
        address = said.rpartition(" ")[2].strip()
        with urlopen(f"{address}/healthz", timeout=30) as answer:
            assert json.load(answer) == {"well": True}
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[0].splitlines()[-1] == "stopped"
        assert process.returncode == 0
    with started(image, home, "env", place, "assent", "sweep", "--daemon", "--port", "0") as (process, said):
        address = said.rpartition(" ")[2].strip()
        with urlopen(address.replace("/healthz", "/metrics"), timeout=30) as answer:
            assert b"assent_overdue_parts" in answer.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def test_the_same_wheel_gives_the_same_layers(image: Built, buildah: tuple[str, ...], context: Path) -> None:
    again = build(buildah, context, "again")
    assert again["OCIv1"]["rootfs"]["diff_ids"] == image.described["OCIv1"]["rootfs"]["diff_ids"]
