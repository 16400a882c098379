"""Secrets that are planted everywhere are nowhere in what is said: output, errors, record, metrics, names of files.

Each place gets a word of its own; then everything that can go wrong with it does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from assent.domain.errors import AssentError
from assent.interfaces.cli.app import run
from assent.services.session.open_id import Attempt
from assent.services.tokens import add_token
from assent.wiring import Wiring
from tests.security.house import House

WORD = "quagga7zephyr"
"""A secret, whichever: found by it in whatever was said."""

LOGIN = f"u:{WORD}"
UNREACHABLE = "127.0.0.1:1"
CLOUD = {
    "AWS_ACCESS_KEY_ID": WORD, "AWS_SECRET_ACCESS_KEY": WORD, "AWS_ENDPOINT_URL": f"http://{UNREACHABLE}",
    "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "eu-west-1",
}  # fmt: skip


def some(every: Iterable[str], often: int) -> list[Any]:
    """Take the first ones in every run of the tests, and all of them in the deep one."""
    return [
        pytest.param(one, id=str(number), marks=() if number < often else pytest.mark.deep)
        for number, one in enumerate(every)
    ]


@pytest.fixture
def home(empty_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(empty_home, tmp_path / "home")
    return tmp_path / "home"


def said_by(home: Path, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command; returns its status and all it wrote."""
    capfd.readouterr()
    status = run(list(arguments), Wiring(home))
    told = capfd.readouterr()
    return status, told.out + told.err


def keeps_it(home: Path, capfd: pytest.CaptureFixture[str], *arguments: str, fails: bool = True) -> None:
    status, said = said_by(home, capfd, *arguments)
    assert WORD not in said, arguments
    assert "Traceback" not in said, arguments
    assert not fails or (status and "assent: " in said), (arguments, status, said)


# -- settings --------------------------------------------------------------------------------------------------------

ADDRESSES = [
    f"postgresql://{LOGIN}@{UNREACHABLE}/x", f"postgresql://{LOGIN}@127.0.0.1:port/x", f"postgresql://{LOGIN}@[::1/x",
    f"postgresql://{LOGIN}%zz@{UNREACHABLE}/x", f"postgresql://{LOGIN}@b@{UNREACHABLE}/x", f"postgresql://{WORD}",
    f"postgresql://{UNREACHABLE}/x?password={WORD}&sslmode=bad", f"postgres://{LOGIN}@/x?host=/nosuch",
    f"mysql://{LOGIN}@h/x", f"postgresql://{LOGIN}/a@{UNREACHABLE}/x", f"postgresql://{LOGIN}@nowhere.invalid/x",
]  # fmt: skip
WRONG = [
    f'database = "postgresql://{LOGIN}@h', f"database = postgresql://{WORD}", f'secret = "{WORD}"',
    f'oidc_client = ["{WORD}"]', f'gpc = "{WORD}"', f"list_page = 1\nlist_page = '{WORD}'",
    f'epoch_keys = "pkcs11:token=x;pin-value={WORD}?module-path=/x"', f'epoch_keys = "{WORD}"',
    f'epoch_keys = "pkcs11:token=x?module-path=/nosuch&pin-value={WORD}"', f'segments = "{WORD}://{WORD}@b/x"',
]  # fmt: skip


@pytest.mark.enable_socket
@pytest.mark.parametrize("address", some(ADDRESSES, 4))
def test_the_password_of_a_database_that_cannot_be_reached(
    home: Path, capfd: pytest.CaptureFixture[str], address: str
) -> None:
    (home / "assent.toml").write_text(f'database = "{address}"\npolicies = ["policies"]\n')
    for arguments in (("status",), ("serve", "--port", "0")):
        keeps_it(home, capfd, *arguments)


@pytest.mark.parametrize("line", some(WRONG, 4))
def test_a_setting_that_is_wrong(home: Path, capfd: pytest.CaptureFixture[str], line: str) -> None:
    (home / "assent.toml").write_text(f'policies = ["policies"]\n{line}\n')
    shutil.rmtree(home / "vault")  # where keys are kept is looked at when there are none yet
    keeps_it(home, capfd, "vault", "rotate")


@pytest.mark.enable_socket
def test_the_keys_of_a_cloud_that_refuses(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CLOUD.items():
        monkeypatch.setenv(name, value)
    (home / "assent.toml").write_text('policies = ["policies"]\nledger_target = "s3://bucket/log"\n')
    keeps_it(home, capfd, "ledger", "publish")
    (home / "assent.toml").write_text('policies = ["policies"]\nepoch_keys = "aws-kms:eu-west-1"\n')
    keeps_it(home, capfd, "vault", "rotate")


# -- files with keys -------------------------------------------------------------------------------------------------

DAMAGE = [
    f"PRIVATE+KEY+{WORD}".encode(), f"PRIVATE+KEY+localhost/x+00000000+{WORD}AAA".encode(), WORD.encode() + b"\xff\xfe",
]  # fmt: skip


def opened(home: Path) -> str:
    """Open everything of a home, and return what it says if it does not."""
    try:
        Wiring(home).world()
    except AssentError as problem:
        return f"{problem} {problem.fix}"
    return ""


@pytest.mark.parametrize("name", some(["ledger.key", "snapshot.key", "subjects.key", "epochs/epoch-1.key"], 2))
def test_a_key_that_is_damaged(home: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    key = home / "keys" / name
    for content in DAMAGE:
        key.write_bytes(content)
        for arguments in (("ledger", "verify"), ("vault", "rotate")):
            keeps_it(home, capfd, *arguments, fails=False)
        assert WORD not in opened(home)


def test_keys_that_others_may_read_are_named_and_not_shown(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for key in (home / "keys").rglob("*.key"):
        text = key.read_bytes()
        key.chmod(0o644)
        for arguments in (("ledger", "key"), ("ledger", "verify"), ("vault", "rotate")):
            _, said = said_by(home, capfd, *arguments)
            assert text.hex() not in said
            assert text.decode("latin-1").strip()[-20:] not in said


# -- connected systems -----------------------------------------------------------------------------------------------

SYSTEMS = {
    "litellm": ('database_file = "secret"\n', f"postgresql://{LOGIN}@{UNREACHABLE}/x"),
    "langfuse": (f'url = "http://{UNREACHABLE}"\npublic_key = "pk"\nsecret_key_file = "secret"\n', WORD),
    "sql": (
        (f'database = "postgresql://u@{UNREACHABLE}/x"\npassword_file = "secret"\n[conversations]\ntable = "c"\n'
         'id = "id"\n[[messages]]\ntable = "m"\nid = "id"\nsays = "person"\nconversation = "c"\ncontent = "t"\n'), WORD,
    ),
    "librechat": ('uri_file = "secret"\ntimeout_s = 1\n', f"mongodb://{LOGIN}@{UNREACHABLE}/x"),
    "open-webui": ('base_url = "http://h"\ndata_dir = "."\ndatabase_address_file = "secret"\n', f"postgresql://{LOGIN}@h/x"),
    "opendsr": (
        (f'url = "http://{UNREACHABLE}/"\ndomain = "v.example"\nprotocol = "webhook"\n'
         'secret_file = "secret"\nevidence_dir = "vendors"\n'), f"whsec_{WORD}AAA",
    ),
    "files": (f'bucket = "s3://b"\nendpoint = "http://{UNREACHABLE}"\nkey_file = "secret"\n', f"{WORD}\n{WORD}"),
    "phoenix": (f'database = "postgresql://u@{UNREACHABLE}/x"\npassword_file = "secret"\n', WORD),
    "lake": ('layout = "iceberg"\ntable = "t"\ncatalog_file = "secret"\n', f'uri = "sqlite:///{WORD}/nosuch/x"\n'),
}  # fmt: skip


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", some(SYSTEMS, 2))
def test_the_secret_of_a_system_that_does_not_answer(home: Path, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    keys, secret = SYSTEMS[kind]
    (home / "connectors").mkdir(exist_ok=True)
    (home / "connectors" / "one.toml").write_text(f'kind = "{kind}"\n{keys}')
    ids = home / "ids.txt"
    ids.write_text("chat-1\n")
    (home / "secret").write_text(secret)
    status, said = said_by(home, capfd, "connector", "show", "one")
    assert status == 0 or "reached" in said, said  # or the secret would never be looked at
    for written in (secret, f"{WORD}\0{secret}", f"{WORD}://{secret}", f"postgresql://u@h:{WORD}/x"):
        (home / "secret").write_text(written)
        for arguments in (
            ("connector", "show", "one"),
            ("connector", "import", "one"),
            ("connector", "erase", "one", "--ids", str(ids), "--yes"),
        ):
            keeps_it(home, capfd, *arguments, fails="erase" in arguments)


# -- what people said and who they are -------------------------------------------------------------------------------


def test_an_export_leaves_no_word_of_it_in_names_of_files_or_in_errors(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chats = [{"uuid": f"chat-{n}", "name": WORD, "account": {"uuid": WORD}, "chat_messages": []} for n in range(2)]
    said = {"uuid": WORD, "sender": "human", "text": WORD, "created_at": "2026-01-02T03:00:00Z"}
    chats[0]["chat_messages"] = [said, {**said, "uuid": "m", "sender": WORD}, WORD]
    export = home / "conversations.json"
    export.write_text(json.dumps([*chats, WORD, {WORD: WORD}]) + WORD)
    facts = home / "facts.ndjson"
    facts.write_text(f'{WORD}\n{{"subject":"{WORD}","act":"{WORD}"}}\n{{"{WORD}":1}}\n')
    for arguments in (
        ("import", "claude-ai", str(export), "--subject", WORD, "--plan", "pro"),
        ("import", "accounts", str(facts)),
        ("import", "choices", str(facts)),
        ("sweep", "--dry-run"),
        ("plan",),
        ("status",),
    ):
        _, told = said_by(home, capfd, *arguments)
        assert WORD not in told.replace(str(home), ""), arguments
    export.unlink()
    facts.unlink()
    assert [path for path in home.rglob("*") if WORD in path.name] == []
    sealed = [path for path in (home / "vault").rglob("*") if path.is_file() and WORD.encode() in path.read_bytes()]
    assert sealed == []


def test_what_a_caller_sends_is_in_no_answer_to_a_mistake_no_line_and_no_metric(house: House) -> None:
    world = house.world
    token = add_token(world.store, "shop", "officer", key=world.new_key(), now=house.clock.at)
    bearer = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    sent = [
        ("POST", "/v1/choices", f'{{"subject":"{WORD}","snapshot":"{WORD}","act":"{WORD}"}}'),
        ("POST", "/v1/choices", f'{{"{WORD}'),
        ("GET", f"/v1/people/{WORD}/choices", ""),
        ("GET", f"/v1/conversations/{WORD}?after={WORD}", ""),
        ("POST", "/v1/holds", f'{{"matter":"{WORD}","scope":"{WORD}"}}'),
        ("POST", "/v1/telemetry/otlp", f'{{"resourceSpans":"{WORD}"}}'),
        ("POST", f"/v1/{WORD}", WORD),
        ("GET", f"/scim/v2/Users?filter={WORD}", ""),
    ]
    for headers in (bearer, {**bearer, "authorization": f"Bearer {WORD}"}, {"content-type": WORD, "cookie": WORD}):
        for method, path, body in sent:
            answer = house.ask(method, path, None, body.encode(), headers)
            assert answer.status_code < 500, (method, path, answer.text)
    metrics = house.ask("GET", "/metrics", None, headers={"authorization": f"Bearer {token}"})
    record = "\n".join(house.said)
    for secret in (WORD, token):
        assert secret not in record
        assert secret not in metrics.text
    assert len(house.said) >= 24


@pytest.mark.enable_socket
def test_the_client_secret_of_staff_sign_in_shows_itself_nowhere(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "keys" / "oidc.secret").write_text(f"{WORD}\n")
    (home / "keys" / "oidc.secret").chmod(0o600)
    with (home / "assent.toml").open("a") as settings:
        settings.write(f'\noidc_issuer = "https://{UNREACHABLE}"\noidc_client = "assent"\n')
    wiring = Wiring(home)
    provider = wiring.open_id
    assert provider is not None
    assert provider.secret == WORD
    with pytest.raises(AssentError) as refused:
        provider.begin(Attempt.of(wiring.new_key()), "https://here.example/back", now=wiring.now())
    assert WORD not in f"{provider!r}{refused.value!r}{refused.value.fix}{capfd.readouterr()}"
    for arguments in (("status",), ("staff", "list")):
        keeps_it(home, capfd, *arguments, fails=False)


@pytest.mark.deep
@pytest.mark.enable_socket
def test_a_real_server_and_its_worker_say_none_of_it(home: Path, tmp_path: Path) -> None:
    """`assent serve` in processes of its own, with secrets in its environment, asked badly and stopped."""
    wiring = Wiring(home)
    token = add_token(wiring.store, "shop", "officer", key=wiring.new_key(), now=wiring.now())
    wiring.store.close()
    environment = {**os.environ, **CLOUD, "ASSENT_HOME": str(home), "PYTHONDEVMODE": "1", "DATABASE_URL": WORD}
    command = [sys.executable, "-W", "ignore", "-m", "assent", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            address = server.stdout.readline().split()[-1]
            with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}) as client:
                for path in (f"/v1/people/{WORD}/choices", f"/v1/{WORD}", "/metrics", f"/sign-in?said={WORD}"):
                    assert client.get(path).status_code < 500
                client.post("/v1/choices", content=WORD.encode() * 100_000)
                (home / "assent.db").write_bytes(WORD.encode() * 1_000)  # the store is gone under it
                broken = client.get("/v1/people/p/choices")
            server.send_signal(signal.SIGTERM)
            out, record = server.communicate(timeout=60)
        finally:
            if server.poll() is None:
                server.kill()
    assert broken.status_code >= 500
    for secret in (WORD, token):
        assert secret not in out + record + broken.text
