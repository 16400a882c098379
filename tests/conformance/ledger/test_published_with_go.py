"""Go's own checksum-database code accepts what the service itself publishes, batch by batch, and what it proves."""

from pathlib import Path

import pytest
from tests.conformance.ledger.stock_go import StockGo
from tests.unit.services.ledger_world import NOW, ORIGIN, choices, ledger, log_of, signer

from assent.services.ledger.append import append
from assent.services.ledger.publish import publish
from assent.services.ledger.rotate import retire, rotate
from assent.store.objects import open_objects


def test_stock_code_verifies_every_publication_of_a_growing_log(go: StockGo, tmp_path: Path) -> None:
    target = open_objects(str(tmp_path / "public"))
    with ledger(tmp_path) as store:
        size = 0
        for count in (1, 2, 253, 1, 300, 5_000):
            append(store, log_of(), choices(size, count), now=NOW)
            size += count
            publish(store, log_of(), target)
            checked = go("verify", tmp_path / "public", signer().verifier.vkey)
            assert checked.stdout == f"ok: {ORIGIN}, {size} leaves, {size} prefixes\n", checked.stderr


def test_stock_code_follows_the_new_key_after_a_rotation(go: StockGo, tmp_path: Path) -> None:
    target = open_objects(str(tmp_path / "public"))
    old, new = (signer(number).verifier.vkey for number in range(2))
    with ledger(tmp_path) as store:
        append(store, log_of(), choices(0, 10), now=NOW)
        rotate(store, log_of(), signer(1), now=NOW)
        both = log_of(signer(0), signer(1))
        append(store, both, choices(10, 10), now=NOW)
        publish(store, both, target)
        for key in (old, new):
            assert go("verify", tmp_path / "public", key).returncode == 0
        retire(store, both, now=NOW)
        append(store, log_of(signer(1)), choices(20, 10), now=NOW)
        publish(store, log_of(signer(1)), target)
        assert go("verify", tmp_path / "public", new).returncode == 0
        assert go("verify", tmp_path / "public", old).returncode != 0


@pytest.mark.deep
def test_stock_code_verifies_70_000_choices_as_published(go: StockGo, tmp_path: Path) -> None:
    with ledger(tmp_path) as store:
        for first in range(0, 70_000, 5_000):
            append(store, log_of(), choices(first, 5_000), now=NOW)
        publish(store, log_of(), open_objects(str(tmp_path / "public")))
    checked = go("verify", tmp_path / "public", signer().verifier.vkey)
    assert checked.stdout == f"ok: {ORIGIN}, 70000 leaves, 70000 prefixes\n", checked.stderr
