"""A person comes in with a token that the product signed just now, for here, and that nobody used before."""

import json
import warnings
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from assent.services.session.subject_token import SubjectToken, TokenRefused, read, use_up
from assent.store.host_keys import HostKeys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SKEW = timedelta(seconds=60)
ISSUER = "https://chat.example"
HERE = "privacy.example/assent"
EDWARDS = OKPKey.generate_key("Ed25519")
CURVE = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
CLAIMS = {
    "iss": ISSUER,
    "aud": HERE,
    "sub": "p-17",
    "iat": NOW.timestamp(),
    "exp": NOW.timestamp() + 300,
    "jti": "3f1c9d52",
}


class Folder:
    """A folder of the product's public keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self.keys = HostKeys(path, self.said.append)

    def put(self, name: str, content: str, mode: int = 0o644) -> None:
        (self.path / name).write_text(content)
        (self.path / name).chmod(mode)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.put("summer.pem", EDWARDS.as_pem(private=False).decode())
    made.put("curve.jwk", json.dumps(CURVE.as_dict(private=False)))
    made.put("several.jwks.json", json.dumps({"keys": [RSA.as_dict(private=False, kid="rsa-1")]}))
    return made


def signed(claims: dict[str, Any], key: Key = EDWARDS, kid: str = "summer", **header: Any) -> str:
    with warnings.catch_warnings():
        # what most libraries still write: the library here says that the name is old
        warnings.simplefilter("ignore")
        algorithm = header.setdefault("alg", "EdDSA")
        return jwt.encode({"kid": kid, **header}, claims, key, algorithms=[algorithm])


def read_here(token: str, folder: Folder, now: datetime = NOW) -> SubjectToken:
    return read(token, folder.keys, issuer=ISSUER, audience=HERE, now=now, skew=SKEW)


def reason(token: str, folder: Folder, now: datetime = NOW) -> str:
    with pytest.raises(TokenRefused) as refused:
        read_here(token, folder, now)
    assert refused.value.message == "this way in is not good, or not good any more"
    return refused.value.reason


@pytest.mark.parametrize(
    ("algorithm", "key", "kid"),
    [
        ("EdDSA", EDWARDS, "summer"),
        ("Ed25519", EDWARDS, "summer"),
        ("ES256", CURVE, "curve"),
        ("RS256", RSA, "rsa-1"),
    ],
)
def test_a_token_of_each_algorithm_says_who_it_is(folder: Folder, algorithm: str, key: Key, kid: str) -> None:
    said = {**CLAIMS, "guardian": "p-2", "locale": "de-AT", "aud": ["elsewhere", HERE]}
    found = read_here(signed(said, key, kid, alg=algorithm), folder)
    assert (found.sub, found.guardian, found.locale) == ("p-17", "p-2", "de-AT")
    assert folder.said == []


CHANGED = [
    ("issuer", {"iss": "https://chat.example/"}),
    ("issuer", {"iss": None}),
    ("audience", {"aud": "privacy.example"}),
    ("audience", {"aud": [["nested"], None]}),
    ("length", {"exp": NOW.timestamp() + 601}),
    ("length", {"exp": NOW.timestamp()}),
    ("expired", {"iat": NOW.timestamp() - 400, "exp": NOW.timestamp() - 60}),
    ("early", {"iat": NOW.timestamp() + 61, "exp": NOW.timestamp() + 200}),
    ("early", {"nbf": NOW.timestamp() + 61}),
    ("iat", {"iat": "now"}),
    ("iat", {"iat": True}),
    ("exp", {"exp": 1e30}),
    ("exp", {"exp": None}),
    ("jti", {"jti": None}),
    ("jti", {"jti": "short"}),
    ("sub", {"sub": ""}),
    ("sub", {"sub": 17}),
    ("sub", {"sub": "p-17\r\nSet-Cookie: x"}),
    ("sub", {"sub": "p" * 201}),
    ("guardian", {"guardian": ["p-2"]}),
    ("locale", {"locale": "../../etc"}),
]


@pytest.mark.parametrize(("why", "change"), CHANGED, ids=str)
def test_a_claim_that_does_not_fit_is_refused_and_only_the_record_knows_why(
    folder: Folder, why: str, change: dict[str, Any]
) -> None:
    assert reason(signed({**CLAIMS, **change}), folder) == why


def test_clocks_may_differ_by_a_minute_and_no_more(folder: Folder) -> None:
    token = signed(CLAIMS)
    assert read_here(token, folder, NOW - timedelta(seconds=60))
    assert read_here(token, folder, NOW + timedelta(seconds=359))
    assert reason(token, folder, NOW - timedelta(seconds=61)) == "early"
    assert reason(token, folder, NOW + timedelta(seconds=360)) == "expired"


def _forged(header: dict[str, Any], signature: str = "") -> str:
    pieces = [json.dumps(header), json.dumps(CLAIMS)]
    head, body = (urlsafe_b64encode(piece.encode()).rstrip(b"=").decode() for piece in pieces)
    return f"{head}.{body}.{signature}"


def test_no_signature_is_no_signature(folder: Folder) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        assert reason(_forged({"alg": algorithm, "kid": "summer"}), folder) == "form"
        assert reason(_forged({"alg": algorithm, "kid": "summer"}, "AA"), folder) == "form"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_secret_to_sign_with(folder: Folder, algorithm: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for material in (EDWARDS.as_pem(private=False), RSA.as_pem(private=False), b"x" * 64):
            secret = OctKey.import_key(urlsafe_b64encode(material).decode().rstrip("="))
            token = jwt.encode({"alg": algorithm, "kid": "summer"}, CLAIMS, secret, algorithms=[algorithm])
            assert reason(token, folder) == "form"


@pytest.mark.parametrize("algorithm", ["PS256", "RS512", "RS384"])
def test_an_algorithm_that_is_not_on_the_list_is_refused(folder: Folder, algorithm: str) -> None:
    assert reason(signed(CLAIMS, RSA, "rsa-1", alg=algorithm), folder) == "form"


def test_a_key_of_another_kind_than_the_algorithm_is_refused(folder: Folder) -> None:
    assert reason(signed(CLAIMS, CURVE, "summer", alg="ES256"), folder) == "form"


def test_a_key_that_is_meant_for_another_algorithm_is_refused(folder: Folder) -> None:
    folder.put("pss.jwk", json.dumps(RSA.as_dict(private=False, alg="PS256")))
    assert reason(signed(CLAIMS, RSA, "pss", alg="RS256"), folder) == "algorithm"


def test_another_signature_and_another_name_of_a_key_are_refused(folder: Folder) -> None:
    assert reason(signed(CLAIMS, OKPKey.generate_key("Ed25519")), folder) == "signature"
    assert reason(signed(CLAIMS, kid="winter"), folder) == "key"
    assert reason(signed(CLAIMS, kid="../host/summer"), folder) == "key"
    assert reason(signed(CLAIMS, kid=""), folder) == "key"


def test_a_key_that_the_token_brings_along_is_not_looked_at(folder: Folder) -> None:
    own = OKPKey.generate_key("Ed25519")
    brought = {"jwk": own.as_dict(private=False), "jku": "https://evil.example/keys", "x5u": "https://evil.example/x"}
    assert reason(signed(CLAIMS, own, "summer", **brought), folder) == "signature"
    assert reason(signed(CLAIMS, own, "mine", **brought), folder) == "key"


def test_what_must_be_understood_and_is_not_is_refused(folder: Folder) -> None:
    head = {"alg": "EdDSA", "kid": "summer"}
    assert reason(_forged({**head, "crit": ["exp"], "exp": 1}, "AAAA"), folder) == "form"
    assert reason(_forged({**head, "crit": ["b64"], "b64": False}, "AAAA"), folder) == "form"
    assert reason(signed(CLAIMS, typ="logout+jwt"), folder) == "form"


def test_every_altered_character_is_noticed(folder: Folder) -> None:
    token = signed(CLAIMS)
    for place, letter in enumerate(token):
        altered = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert reason(altered, folder) in {"form", "key", "signature"}


@given(st.text(max_size=80) | st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\Z"))
@example(".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in (b'["alg"]', b"{}", b"x")))
@example(".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in (b'{"alg":{}}', b"{}", b"x")))
@example(".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in (b'{"alg":"EdDSA","kid":7}', b"7", b"x")))
@example(".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in (b"[" * 4_000, b"{}", b"x")))
def test_whatever_is_sent_is_refused_and_nothing_worse(text: str) -> None:
    keys = HostKeys(Path("there-is-no-such-folder"), lambda _: None)
    with pytest.raises(TokenRefused):
        read(text, keys, issuer=ISSUER, audience=HERE, now=NOW, skew=SKEW)


def test_a_settings_file_that_names_no_product_lets_nobody_in(folder: Folder) -> None:
    with pytest.raises(TokenRefused):
        read(signed({**CLAIMS, "iss": ""}), folder.keys, issuer="", audience=HERE, now=NOW, skew=SKEW)


def test_a_token_is_used_once(folder: Folder) -> None:
    class Store:
        spent: dict[str, datetime]

        def spend(self, digest: str, until: datetime) -> bool:
            return self.spent.setdefault(digest, until) is until

    store = Store()
    store.spent = {}
    found = read_here(signed(CLAIMS), folder)
    use_up(store, found)
    with pytest.raises(TokenRefused) as refused:
        use_up(store, read_here(signed({**CLAIMS, "sub": "p-18"}), folder))
    assert refused.value.reason == "used"
    # it is remembered for as long as it could be used
    assert list(store.spent.values()) == [NOW + timedelta(seconds=360)]
    assert "p-17" not in str(store.spent)


def test_keys_change_while_the_server_runs(folder: Folder) -> None:
    winter = OKPKey.generate_key("Ed25519")
    token = signed(CLAIMS, winter, "winter")
    assert reason(token, folder) == "key"
    folder.put("winter.pem", winter.as_pem(private=False).decode())
    assert read_here(token, folder)
    assert read_here(signed(CLAIMS), folder), "the old key is good beside the new one"
    (folder.path / "summer.pem").unlink()
    assert reason(signed(CLAIMS), folder) == "key"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("bad.pem", EDWARDS.as_pem(private=True).decode(), "private key"),
        ("bad.jwk", json.dumps(CURVE.as_dict(private=True)), "private key"),
        ("bad.jwk", json.dumps({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}), "only public keys"),
        ("bad.pem", "half a fi", "no public key"),
        ("bad.jwk", "{ half", "property name"),
        ("zz.jwks.json", json.dumps({"keys": [RSA.as_dict(private=False, kid="rsa-1")]}), "another key"),
    ],
)
def test_a_file_that_is_no_public_key_is_told_and_takes_no_other_with_it(
    folder: Folder, name: str, content: str, problem: str
) -> None:
    folder.put(name, content)
    assert read_here(signed(CLAIMS), folder)
    assert reason(signed(CLAIMS, kid="bad"), folder) == "key"
    (line,) = folder.said
    assert problem in line
    assert content not in line


def test_a_key_that_others_may_write_and_a_short_one_are_no_keys(folder: Folder) -> None:
    folder.put("open.pem", EDWARDS.as_pem(private=False).decode(), 0o666)
    assert reason(signed(CLAIMS, kid="open"), folder) == "key"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = RSAKey.generate_key(1024)
        folder.put("short.jwk", json.dumps(short.as_dict(private=False)))
        assert reason(signed(CLAIMS, short, "short", alg="RS256"), folder) == "key"
    assert len(folder.said) == 3
