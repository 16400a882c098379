"""Kept statements are checked again with nothing but what was kept."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from tests.unit.connectors.opendsr.vendor_server import DOMAIN, vendor_pair

from assent.connectors.opendsr.checking import check_again
from assent.connectors.opendsr.evidence import PIECE, Statement, digest_of, without_order
from assent.domain.errors import Invalid, Refused

ORDER = "10ede7a2-ada3-4b5e-8c1d-000000000000"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def by_certificate(said: dict[str, Any], quoted: str = "") -> dict[str, Any]:
    body = json.dumps(said).encode()
    signed = {"way": "opendsr/1.0", "domain": DOMAIN, "signature": vendor_pair().sign(body)}
    signed["certificates"] = vendor_pair().pem.decode()
    kept = without_order(body, quoted)
    return Statement(ORDER, "completed", None, AT, kept, digest_of(body), signed).record()


def by_key(said: dict[str, Any]) -> dict[str, Any]:
    key = OKPKey.generate_key("Ed25519")
    body = jws.serialize_compact({"alg": "Ed25519"}, json.dumps(said), key, algorithms=["Ed25519"]).encode()
    signed = {"way": "jws/ed25519", "key": json.dumps(key.as_dict(private=False))}
    return Statement(ORDER, "completed", None, AT, body, digest_of(body), signed).record()


WAYS = {
    "certificate": lambda: by_certificate({"subject_request_id": ORDER, "request_status": "completed"}),
    "key": lambda: by_key({"order": ORDER, "status": "completed"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_kept_is_what_was_signed(way: str) -> None:
    statement, provable = check_again(json.dumps(WAYS[way]()).encode())
    assert (statement.order, statement.status, provable) == (ORDER, "completed", True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", ["order", "status", "sha256", "body", "signed"])
def test_whatever_is_changed_is_found(way: str, key: str) -> None:
    record = WAYS[way]()
    other = WAYS[way]()
    changed = {
        "order": "00000000-0000-4000-8000-000000000000",
        "status": "pending",
        "sha256": "00" * 32,
        "body": base64.b64encode(base64.b64decode(other["body"])[:-1] + b"!").decode(),
        "signed": {**record["signed"], "signature": "AA==", "key": "{}"},
    }
    with pytest.raises(Refused):
        check_again(json.dumps({**record, key: changed[key]}).encode())


def test_a_receipt_without_the_order_that_it_quoted_still_fits_its_signature() -> None:
    quoted = base64.b64encode(b'{"who": "kim"}').decode()
    record = by_certificate({"encoded_request": quoted}, quoted)
    assert quoted not in base64.b64decode(record["body"]).decode()
    assert PIECE in base64.b64decode(record["body"]).decode()
    assert check_again(json.dumps(record).encode())[1]


def test_a_shared_secret_proves_nothing_to_others() -> None:
    record = by_key({"order": ORDER, "status": "completed"})
    record["signed"] = {"way": "standard-webhooks"}
    assert check_again(json.dumps(record).encode())[1] is False


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"order": 1}'])
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        check_again(data)
