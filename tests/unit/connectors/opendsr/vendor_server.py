"""A vendor on loopback, written from the text of OpenDSR 1.0, with a test certificate; it misbehaves on demand."""

import base64
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOMAIN = "vendor.example"
DOMAIN_HEADER = "X-OpenCompliance-Processor-Domain"
SIGNATURE_HEADER = "X-OpenCompliance-Signature"

After = Callable[[bytes, dict[str, str]], tuple[bytes, dict[str, str]]]


class Pair:
    """A key with its certificate, and the certificate of the authority that stands for it."""

    def __init__(self, domain: str, authority: "Pair | None" = None, *, days: int = 30, alone: bool = False) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
        issuer = own if authority is None else authority.certificate.subject
        now = datetime.now(UTC)
        root = authority is None and not alone
        builder = (
            x509.CertificateBuilder()
            .subject_name(own)
            .issuer_name(issuer)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
        )
        if root:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "crl_sign", "encipher_only", "decipher_only"), False,
            )  # fmt: skip
            builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
        else:
            name = x509.SubjectAlternativeName([x509.DNSName(domain)])
            builder = builder.add_extension(name, critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        if authority is not None:
            above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
            builder = builder.add_extension(above, critical=False)
        self.certificate = builder.sign(self.key if authority is None else authority.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, body: bytes) -> str:
        return base64.b64encode(self.key.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()


@functools.cache
def authority() -> Pair:
    return Pair("Test Authority")


@functools.cache
def vendor_pair() -> Pair:
    return Pair(DOMAIN, authority())


@functools.cache
def stranger() -> Pair:
    """Somebody with a certificate for the same domain, from an authority of their own."""
    return Pair(DOMAIN, Pair("Another Authority"))


class Vendor:
    """The processor. `change` alters an answer before it is signed, `after` what was signed."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self.bodies: list[bytes] = []
        self.asked = 0
        self.signer = vendor_pair()
        self.shown = vendor_pair().pem
        self.domain = DOMAIN
        self.expected = datetime.now(UTC) + timedelta(days=10)
        self.change: Callable[[dict[str, Any]], Any] = lambda said: said
        self.after: After = lambda body, headers: (body, headers)
        self.status = 0
        self.address = ""

    def discovery(self) -> dict[str, Any]:
        kinds = [("email", "sha256"), ("controller_customer_id", "raw")]
        return {
            "api_version": "1.0",
            "supported_identities": [{"identity_type": one, "identity_format": form} for one, form in kinds],
            "supported_subject_request_types": ["erasure"],
            "processor_certificate": f"{self.address}/v1/cert.pem",
        }

    def receipt(self, body: bytes) -> dict[str, Any]:
        said = json.loads(body)
        name = said["subject_request_id"]
        self.bodies.append(body)
        self.requests.setdefault(name, {**said, "status": "pending"})
        return {
            "controller_id": "us",
            "expected_completion_time": self.expected.isoformat().replace("+00:00", "Z"),
            "received_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "encoded_request": base64.b64encode(body).decode(),
            "subject_request_id": name,
        }

    def standing(self, name: str) -> dict[str, Any]:
        self.asked += 1
        return {
            "controller_id": "us",
            "expected_completion_time": self.expected.isoformat().replace("+00:00", "Z"),
            "subject_request_id": name,
            "request_status": self.requests[name]["status"],
            "api_version": "1.0",
        }

    def set(self, status: str) -> None:
        for one in self.requests.values():
            one["status"] = status

    def callback(self, name: str, status: str, address: str) -> tuple[dict[str, str], bytes]:
        """Write what this vendor would post to `address`."""
        said = {**self.standing(name), "request_status": status, "status_callback_url": address}
        return self.signed(said)[::-1]

    def signed(self, said: Any) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(self.change(said)).encode()
        headers = {DOMAIN_HEADER: self.domain, SIGNATURE_HEADER: self.signer.sign(body)}
        return self.after(body, headers)


@contextmanager
def served(vendor: Any) -> Iterator[str]:
    """Serve a vendor on a free port of loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def _do(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, answer = vendor.answer(method, self.path, self.headers, body)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    vendor.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vendor.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ServedVendor(Vendor):
    """The processor behind HTTP."""

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        del headers
        if self.status:
            return self.status, {}, b"{}"
        if path == "/v1/discovery":
            return 200, {}, json.dumps(self.discovery()).encode()
        if path == "/v1/cert.pem":
            return 200, {}, self.shown
        if method == "POST" and path == "/v1/opencompliance_requests":
            said, signed = self.signed(self.receipt(body))
            return 201, signed, said
        name = path.rpartition("/")[2]
        if name in self.requests:
            said, signed = self.signed(self.standing(name))
            return 200, signed, said
        return 404, {}, b"{}"


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
