"""The Kantara 1.1 form of a choice keeps the rules of its specification, and cannot say what that form cannot say."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from tests.receipt_samples import RECORD, TERMS

from assent.domain.errors import Refused
from assent.ledger.kantara import kantara

SCHEMA = json.loads(Path(__file__).with_name("kantara.schema.json").read_text("utf-8"))


def keeps_the_rules(receipt: dict[str, Any]) -> bool:
    return Draft4Validator(SCHEMA).is_valid(receipt)


def test_the_schema_is_a_schema() -> None:
    Draft4Validator.check_schema(SCHEMA)


def test_a_given_consent_keeps_the_rules() -> None:
    for terms in (TERMS, replace(TERMS, recipients=()), replace(TERMS, sensitive=("health",))):
        assert keeps_the_rules(json.loads(json.dumps(kantara(RECORD, terms))))


def test_time_is_whole_seconds_and_text_is_refused() -> None:
    receipt = kantara(RECORD, TERMS)
    assert receipt["consentTimestamp"] == 1_795_342_530
    assert not keeps_the_rules(receipt | {"consentTimestamp": "2026-11-22T10:15:30Z"})
    assert not keeps_the_rules(receipt | {"consentTimestamp": 1_795_342_530.25})


def test_every_required_rule_is_one_that_a_receipt_can_break() -> None:
    receipt = kantara(RECORD, TERMS)
    for key in SCHEMA["required"]:
        assert not keeps_the_rules({name: value for name, value in receipt.items() if name != key}), key
    for part, path in (("controller", ["piiControllers", 0]), ("purpose", ["services", 0, "purposes", 0])):
        for key in SCHEMA["definitions"][part]["required"]:
            broken = copy.deepcopy(receipt)
            holder: Any = broken
            for step in path:
                holder = holder[step]
            del holder[key]
            assert not keeps_the_rules(broken), key


def test_disclosure_to_third_parties_names_them() -> None:
    receipt = kantara(RECORD, TERMS)
    assert receipt["services"][0]["purposes"][0]["thirdPartyName"] == "Example Hosting Ltd"
    del receipt["services"][0]["purposes"][0]["thirdPartyName"]
    assert not keeps_the_rules(receipt)


@pytest.mark.parametrize(("purpose", "primary"), [("service", True), ("training", False), ("feedback", False)])
def test_only_the_service_itself_is_what_a_person_came_for(purpose: str, primary: bool) -> None:
    receipt = kantara(replace(RECORD, purpose=purpose), replace(TERMS, purpose=purpose))
    assert receipt["services"][0]["purposes"][0]["primaryPurpose"] is primary


@pytest.mark.parametrize("act", ["decline", "defer", "withdraw"])
def test_only_given_consent_can_be_said(act: str) -> None:
    with pytest.raises(Refused, match=f"cannot say `{act}`"):
        kantara(replace(RECORD, act=act), TERMS)
