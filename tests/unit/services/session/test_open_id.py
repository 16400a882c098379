"""Staff sign in through a provider: whatever does not fit together is refused, and the name is one that was checked.

The provider here speaks over a real socket and signs whatever it is told to; a whole one is in tests/browser.
"""

import json
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from assent.domain.errors import Incomplete
from assent.services.session.open_id import Attempt, HttpWay, OpenId, SignInRefused, is_safe

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACK = "https://privacy.example/sign-in/oidc/back"
ATTEMPT = Attempt.of(b"k" * 32)
RSA = RSAKey.generate_key(2048)


class Provider:
    """Answers like a provider, as it is told to."""

    def __init__(self) -> None:
        self.keys: list[Key] = [RSA]
        self.signs: Key = RSA
        self.algorithm, self.kid = "RS256", "k1"
        self.changed: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.status = 200
        self.issuer = ""

    def about(self) -> dict[str, Any]:
        places = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return {"issuer": self.issuer, **places, **self.told}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> Any:
        self.asked.append((path, form, authorization))
        if path == "/jwks_uri":
            return {"keys": [one.as_dict(private=False, kid=f"k{n}") for n, one in enumerate(self.keys, 1)]}
        return self.about() if path.startswith("/.well-known/") else self._token()

    def _token(self) -> dict[str, Any]:
        claims = {
            "iss": self.issuer,
            "aud": "assent",
            "sub": "u-1",
            "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 600,
            "nonce": ATTEMPT.nonce,
            "email": "Ada@Provider.example",
            "email_verified": True,
            "at_hash": create_half_hash("the-access-token", self.algorithm).decode(),
            **self.changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = {"alg": self.algorithm, "kid": self.kid}
            token = jwt.encode(header, claims, self.signs, algorithms=[self.algorithm])
        return {"access_token": "the-access-token", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = {name: value[-1] for name, value in parse_qs(self.rfile.read(length).decode()).items()}
            body = json.dumps(made.answer(self.path, form, self.headers.get("authorization", ""))).encode()
            self.send_response(made.status)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_id(provider: Provider) -> OpenId:
    return OpenId(provider.issuer, "assent", "s3cret/+", HttpWay())


ANSWER = {"code": "c-1", "state": ATTEMPT.state}


def finish(open_id: OpenId, now: datetime = NOW, **answer: str) -> str:
    return open_id.finish({**ANSWER, **answer}, ATTEMPT, BACK, now=now)


def reason(open_id: OpenId, now: datetime = NOW, **answer: str) -> str:
    with pytest.raises(SignInRefused) as refused:
        finish(open_id, now, **answer)
    assert refused.value.message == "the sign-in did not work"
    return refused.value.reason


def test_a_browser_is_sent_with_state_nonce_and_the_digest_of_a_secret(open_id: OpenId, provider: Provider) -> None:
    address = urlsplit(open_id.begin(ATTEMPT, BACK, now=NOW))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/authorization_endpoint"
    assert {name: value for name, (value,) in parse_qs(address.query).items()} == {
        "response_type": "code",
        "client_id": "assent",
        "redirect_uri": BACK,
        "scope": "openid email",
        "state": ATTEMPT.state,
        "nonce": ATTEMPT.nonce,
        "code_challenge": create_s256_code_challenge(ATTEMPT.verifier),
        "code_challenge_method": "S256",
    }
    assert ATTEMPT.verifier not in address.query


def test_the_secret_shows_itself_to_nobody(open_id: OpenId) -> None:
    assert "s3cret" not in repr(open_id)


def test_no_two_secrets_of_an_attempt_are_alike() -> None:
    other = Attempt.of(b"l" * 32)
    secrets = [*(getattr(one, name) for one in (ATTEMPT, other) for name in ("state", "nonce", "verifier"))]
    assert len(set(secrets)) == 6
    assert all(len(one) == 43 for one in secrets)


def test_the_name_is_the_verified_address(open_id: OpenId, provider: Provider) -> None:
    assert finish(open_id, iss=provider.issuer) == "ada@provider.example"
    _, form, authorization = next(one for one in provider.asked if one[0] == "/token_endpoint")
    assert form == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "redirect_uri": BACK,
        "code_verifier": ATTEMPT.verifier,
        "client_id": "assent",
    }
    # percent-encoded before it is put together: assent:s3cret%2F%2B
    assert authorization == "Basic YXNzZW50OnMzY3JldCUyRiUyQg=="


def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(open_id: OpenId, provider: Provider) -> None:
    provider.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    finish(open_id)
    form, authorization = next(one[1:] for one in provider.asked if one[0] == "/token_endpoint")
    assert (form["client_secret"], authorization) == ("s3cret/+", "")


def test_without_a_verified_address_the_name_is_the_providers_own_id(open_id: OpenId, provider: Provider) -> None:
    for changed in ({"email_verified": False}, {"email_verified": "true"}, {"email": None}, {"email": "no address"}):
        provider.changed = changed
        assert finish(open_id) == "u-1"


def test_an_id_that_looks_like_an_address_nobody_verified_is_no_name(open_id: OpenId, provider: Provider) -> None:
    provider.changed = {"email_verified": False, "sub": "boss@provider.example"}
    assert reason(open_id) == "e-mail not verified"


CHANGED = [
    ("claim iss", {"iss": "https://elsewhere.example"}),
    ("claim aud", {"aud": "another"}),
    ("claim azp", {"aud": ["assent", "another"]}),
    ("claim azp", {"aud": ["assent", "another"], "azp": "another"}),
    ("claim azp", {"azp": "another"}),
    ("claim nonce", {"nonce": Attempt.of(b"x" * 32).nonce}),
    ("claim nonce", {"nonce": None}),
    ("claim exp", {"exp": int(NOW.timestamp()) - 61}),
    ("claim exp", {"exp": None}),
    ("claim iat", {"iat": int(NOW.timestamp()) + 61}),
    ("claim nbf", {"nbf": int(NOW.timestamp()) + 61}),
    ("claim at_hash", {"at_hash": "x" * 22}),
    ("claim sub", {"sub": None}),
    ("claim sub", {"sub": ""}),
    ("claim sub", {"sub": 7}),
]


@pytest.mark.parametrize(("why", "changed"), CHANGED, ids=str)
def test_a_claim_that_does_not_fit_is_refused(
    open_id: OpenId, provider: Provider, why: str, changed: dict[str, Any]
) -> None:
    provider.changed = changed
    assert reason(open_id) == why


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ("state", {"state": ""}),
        ("state", {"state": Attempt.of(b"x" * 32).state}),
        ("state", {"state": "ü"}),
        ("issuer of the answer", {"iss": "https://elsewhere.example"}),
        ("no code", {"code": ""}),
        ("no code", {"error": "access_denied"}),
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_asks_the_provider_nothing(
    open_id: OpenId, provider: Provider, why: str, answer: dict[str, str]
) -> None:
    assert reason(open_id, **answer) == why
    assert provider.asked == []


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        (ECKey.generate_key("P-256"), "ES256", "k2"),
        (ECKey.generate_key("P-384"), "ES384", "k2"),
        (OKPKey.generate_key("Ed25519"), "EdDSA", "k2"),
        (RSA, "PS256", "k1"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_other_algorithms_of_public_keys_are_taken(
    open_id: OpenId, provider: Provider, key: Key, algorithm: str, kid: str
) -> None:
    provider.keys, provider.signs, provider.algorithm, provider.kid = [RSA, key], key, algorithm, kid
    assert finish(open_id) == "ada@provider.example"


def test_a_key_that_the_provider_does_not_publish_is_refused(open_id: OpenId, provider: Provider) -> None:
    provider.signs = RSAKey.generate_key(2048)
    assert reason(open_id) == "signature"
    provider.kid = "k9"
    assert reason(open_id) == "key"


def test_the_secret_of_the_client_signs_nothing(open_id: OpenId, provider: Provider) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        provider.signs, provider.algorithm = OctKey.import_key("s3cret/+"), "HS256"
    assert reason(open_id) == "form"


def test_rotated_keys_are_fetched_again_and_old_ones_forgotten(open_id: OpenId, provider: Provider) -> None:
    assert finish(open_id)
    fetched = len([one for one in provider.asked if one[0] == "/jwks_uri"])
    assert finish(open_id)
    assert len([one for one in provider.asked if one[0] == "/jwks_uri"]) == fetched == 1, "keys are remembered"
    new = RSAKey.generate_key(2048)
    provider.keys, provider.signs, provider.kid = [OKPKey.generate_key("Ed25519"), new], new, "k2"
    assert finish(open_id)
    provider.signs, provider.kid = RSA, "k1"
    assert reason(open_id) == "form", "the name is another key's now"


def test_a_key_that_is_gone_is_refused_an_hour_later(open_id: OpenId, provider: Provider) -> None:
    assert finish(open_id)
    provider.keys = []
    provider.changed = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 7_200}
    assert finish(open_id, NOW + timedelta(minutes=59))
    assert reason(open_id, NOW + timedelta(minutes=61)) == "key"


def test_a_provider_that_fails_or_calls_itself_otherwise_is_said_and_nobody_is_in(
    open_id: OpenId, provider: Provider
) -> None:
    provider.status = 500
    with pytest.raises(Incomplete, match="it answers 500"):
        open_id.begin(ATTEMPT, BACK, now=NOW)
    provider.status, provider.told = 200, {"issuer": "https://elsewhere.example"}
    with pytest.raises(Incomplete, match="another name"):
        open_id.begin(ATTEMPT, BACK, now=NOW)
    provider.told = {"token_endpoint": "http://elsewhere.example/token"}
    with pytest.raises(Incomplete, match="no https address"):
        finish(open_id)
    assert [path for path, *_ in provider.asked if path == "/token_endpoint"] == []


def test_a_provider_that_is_not_there_is_said() -> None:
    gone = OpenId("http://127.0.0.1:9", "assent", "", HttpWay())
    with pytest.raises(Incomplete, match="cannot be asked: ConnectError"):
        gone.begin(ATTEMPT, BACK, now=NOW)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example", True),
        ("http://127.0.0.1:8", True),
        ("http://[::1]:8/x", True),
        ("http://localhost", True),
        ("http://id.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://2130706433", False),
        ("https://", False),
        ("ftp://127.0.0.1", False),
        ("//127.0.0.1", False),
        ("http://[", False),
    ],
)
def test_secrets_go_to_https_and_to_this_machine(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
