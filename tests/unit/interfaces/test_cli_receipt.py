"""From a choice in a home to a file in a person's hand, and back: `assent receipt`, `assent verify receipt`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.receipt_samples import SIGNER, Log, sample
from tests.unit.interfaces.homes import NOW, Home, call, made

import assent_verify
from assent.domain.digests import digest_bytes
from assent.policy.parse import parse_document, parse_policy
from assent.services.ledger.append import append
from assent.services.notice.document import Party
from assent.services.notice.generate import manifest_for
from assent.services.notice.parse import parse_manifest
from assent.services.notice.render import orders, render
from assent.services.notice.terms import terms_of
from assent.store.records import Choice, NoticeText, PolicyText, Rendering
from assent.wiring import Wiring

POLICY = "anthropic/2025-10-08"
SUBJECT = "anna@example.com"
LAYOUT = "stacked"
CONTROLLER = Party(
    name="Example Chat Ltd",
    identifier="https://chat.example.com",
    contact="Data protection office",
    address="1 Example Street, Dublin",
)


def shown_and_chosen(wiring: Wiring, act: str = "allow") -> Choice:
    """What the notice, the snapshot and the answer come to: a rendering on the shelf and a choice in the ledger."""
    text = (wiring.policy_library() / f"{POLICY}.toml").read_text("utf-8")
    policy, document = parse_policy(text, POLICY), parse_document(text, POLICY)
    source = manifest_for(document, controller=CONTROLLER)
    manifest = parse_manifest(source, "notice")
    options = orders(manifest, document)[0]
    drawn = render(manifest, document, purpose="training", surface="html", locale="en", layout=LAYOUT, options=options)
    store = wiring.store
    store.add_policy(PolicyText(policy.digest, policy.name, text, NOW))
    store.add_notice(NoticeText(manifest.digest, manifest.name, manifest.version, policy.digest, source, NOW))
    rendering = digest_bytes(drawn.body.encode())
    store.add_rendering(Rendering(rendering, manifest.digest, "html", "en", LAYOUT, tuple(options), drawn.body, NOW))
    choice = Choice(
        id=f"choice-{act}",
        subject=SUBJECT,
        purpose="training",
        act=act,  # type: ignore[arg-type]
        at=NOW,
        notice=rendering,
        surface="html",
        recorded_by="web",
        recorded_at=NOW,
        locale="en",
        layout=LAYOUT,
        options=tuple(options),
        policy=policy.digest,
        prior="asked",
        terms=terms_of(manifest, document, "training", "en").digest,
    )
    append(store, wiring.log, [choice], now=NOW)
    return choice


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = made(tmp_path / "home", POLICY)
    wiring = Wiring(home.folder, NOW)
    for act in ("allow", "decline"):
        shown_and_chosen(wiring, act)
    wiring.store.close()
    return home


def key_of(home: Home) -> str:
    wiring = Wiring(home.folder, NOW)
    return wiring.log.signers[-1].verifier.vkey


def test_a_receipt_from_a_home_is_valid_to_both_verifiers(home: Home, tmp_path: Path) -> None:
    file, log = tmp_path / "receipt.json", tmp_path / "log"
    assert home("receipt", "choice-allow", "--out", file).status == 0
    assert home("ledger", "publish", log).status == 0
    said = home("verify", "receipt", file, "--key", key_of(home), "--log", log)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("valid\nallow for training (everything), 2026-01-01T12:00:00Z, on html\n")
    assert assent_verify.main([str(file), "--key", key_of(home), "--log", str(log)]) == 0


@pytest.mark.parametrize("arguments", [[], ["receipt.json", "--nonsense"], ["receipt.json", "--key"]])
def test_wrong_arguments_are_no_invalid_receipt(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert assent_verify.main(arguments) == 1
    assert "error: " in capsys.readouterr().err
    assert assent_verify.main(["--help"]) == 0
    assert "1 unreadable or wrong arguments, 2 invalid" in " ".join(capsys.readouterr().out.split())


def test_a_receipt_says_nothing_of_who_it_is_about(home: Home, tmp_path: Path) -> None:
    for form in ("json", "html", "kantara"):
        said = home("receipt", "choice-allow", "--format", form)
        assert said.status == 0, said.err
        assert len(said.out) > 500
        assert SUBJECT not in said.out
        assert "anna" not in said.out


def test_the_same_choice_gives_the_same_document_again(home: Home) -> None:
    first, again = (json.loads(home("receipt", "choice-allow").out) for _ in range(2))
    shown_and_chosen(wiring := Wiring(home.folder, NOW), "withdraw")
    wiring.store.close()
    later = json.loads(home("receipt", "choice-allow").out)
    assert first == again
    assert {**later, "evidence": None} == {**first, "evidence": None}
    assert later["evidence"]["proof"] != first["evidence"]["proof"]


def test_the_page_and_the_older_form(home: Home, tmp_path: Path) -> None:
    page = tmp_path / "receipt.html"
    assert home("receipt", "choice-decline", "--format", "html", "--out", page).status == 0
    assert "You did not allow it." in page.read_text("utf-8")
    assert json.loads(home("receipt", "choice-allow", "--format", "kantara").out)["consentTimestamp"] == 1_767_268_800
    said = home("receipt", "choice-decline", "--format", "kantara")
    assert (said.status, "cannot say `decline`" in said.err) == (2, True)


def test_there_is_no_receipt_without_terms_and_none_without_a_choice(home: Home) -> None:
    wiring = Wiring(home.folder, NOW)
    plain = Choice("plain", SUBJECT, "training", "allow", NOW, "sha256:x", "cli", "import", NOW)
    append(wiring.store, wiring.log, [plain, replace(plain, id="lost", terms="sha256:y")], now=NOW)
    wiring.store.close()
    said = home("receipt", "plain")
    assert (said.status, "without terms" in said.err) == (2, True)
    said = home("receipt", "lost")
    assert (said.status, "not on the shelf" in said.err) == (2, True)
    assert home("receipt", "nobody").status == 3


# verifying needs no home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "receipt.json").write_bytes(sample())
    (tmp_path / "keys.txt").write_text(f"# the log's keys\n\n{SIGNER.verifier.vkey}\n")
    (tmp_path / "checkpoint").write_text(Log().checkpoint)
    (tmp_path / "newer").write_text(Log(12).checkpoint)
    Log(300).publish(tmp_path / "log")
    return tmp_path


def verify(folder: Path, *arguments: str) -> tuple[int, str, str]:
    named = [str(folder / word) if (folder / word).exists() else word for word in arguments]
    said = call(Wiring(None, NOW), "verify", "receipt", *named)
    return said.status, said.out, said.err


def test_it_says_what_is_proven_and_what_is_not(folder: Path) -> None:
    status, out, err = verify(folder, "receipt.json", "--keys", "keys.txt")
    assert (status, err) == (0, "")
    assert "the log `log.example.com/choices` signed that state" in out
    assert "this does not prove:\n  - that the controller acts on the choice" in out
    assert "that everybody is shown the same log" in out
    assert (
        "that everybody is shown the same log"
        not in verify(folder, "receipt.json", "--keys", "keys.txt", "--log", "log")[1]
    )


def test_without_a_key_it_never_says_valid(folder: Path) -> None:
    status, out, _ = verify(folder, "receipt.json")
    assert status == 4
    assert out.startswith("not fully checked\n")
    assert "no key was given" in out
    assert "this proves" not in out
    answer = json.loads(verify(folder, "receipt.json", "--json")[1])
    assert (answer["valid"], answer["status"]) == (None, 4)


def test_a_checkpoint_from_elsewhere(folder: Path) -> None:
    assert verify(folder, "receipt.json", "--keys", "keys.txt", "--checkpoint", "checkpoint")[0] == 0
    status, _, err = verify(folder, "receipt.json", "--keys", "keys.txt", "--checkpoint", "newer")
    assert (status, "--log" in err) == (4, True)
    assert verify(folder, "receipt.json", "--keys", "keys.txt", "--checkpoint", "newer", "--log", "log")[0] == 0


def test_an_invalid_receipt_gets_one_reason_and_what_was_expected(folder: Path) -> None:
    (folder / "receipt.json").write_bytes(sample().replace(b'"dpv:ConsentGiven"', b'"dpv:ConsentRefused"'))
    status, out, err = verify(folder, "receipt.json", "--keys", "keys.txt")
    assert (status, out) == (2, "")
    assert "`dpv:hasRecordOfActivity` says something else than the record" in err
    assert "expected" in err
    answer = json.loads(verify(folder, "receipt.json", "--keys", "keys.txt", "--json")[1])
    assert (answer["valid"], answer["status"]) == (False, 2)
    assert answer["reason"]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{}", b"[]", b"not json", b'{"a": 1, "a": 2}', b"[" * 100_000, b" " * 2_000_001]
)
def test_what_is_no_receipt_is_unreadable(data: bytes, folder: Path) -> None:
    (folder / "receipt.json").write_bytes(data)
    status, _, err = verify(folder, "receipt.json", "--keys", "keys.txt")
    assert (status, "receipt" in err) == (1, True)


def test_a_file_that_is_not_there_or_a_key_that_is_none(folder: Path) -> None:
    assert verify(folder, "nothing.json")[0] == 1
    assert verify(folder, "receipt.json", "--key", "hello")[0] == 1
