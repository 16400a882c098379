"""The blocks that normalise and redact: surrogates, stability, columns, whole conversations left out."""

import ast
import ipaddress
import json
import pickle
import re

import pyarrow as pa
import pytest

from assent.pipeline.block import block_digest
from assent.pipeline.engine import Local
from assent.pipeline.normalise import Normalise, normalise
from assent.pipeline.redact import checks
from assent.pipeline.redact.block import UNCERTAIN, Redact, mask, redact
from assent.pipeline.redact.find import find
from assent.pipeline.redact.finding import RedactTerms
from assent.pipeline.write import PARTS

KEY = b"k" * 32
TERMS = RedactTerms()


def one(text: str, key: bytes = KEY) -> str:
    return redact([text], key, "c1", TERMS).texts[0]


def batch(*rows: tuple[str, str | None, str]) -> pa.RecordBatch:
    filled = [
        {
            "part": f"{conversation}#{place}", "conversation": conversation, "person": person, "turn": str(place),
            "ordinal": place, "speaker": "person", "origin": "person", "data": "text", "marks": [], "tool": None,
            "created_at": None, "text": text, "decision": "d", "proof": "p", "receipt": "r", "policy": "x",
        }
        for place, (conversation, person, text) in enumerate(rows)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(filled, schema=PARTS)


def test_surrogates_keep_their_type() -> None:
    text = "card 4111 1111 1111 1111, iban DE89 3704 0044 0532 0130 00, from 192.168.1.20, mail a.b@uni.edu"
    new = one(text)
    kinds = [kind.type for kind in find(text)]
    words = new.replace(",", "").split()
    assert kinds == ["card", "iban", "ip", "mail"]
    assert checks.card("".join(words[1:5]))
    assert words[1] == "4111"
    iban = "".join(words[6:12])
    assert iban[:2] == "DE"
    assert checks.mod97(iban)
    assert ipaddress.ip_address(words[13]).is_private
    assert words[-1].endswith("@mail.example")


def test_a_key_keeps_its_prefix_and_a_path_its_shape() -> None:
    new = one("use ghp_16C7e42F292c6912E7710c838347Ae178B4a in /home/alice/x/y.py from git@github.com:acme/app.git")
    assert new.startswith("use ghp_")
    assert len(new.split()[1]) == 40
    assert new.split()[3].startswith("/home/user")
    assert new.split()[3].endswith("/x/y.py")
    assert new.split()[-1].startswith("git@github.com:user")
    assert new.endswith(".git")


def test_the_same_value_gets_the_same_surrogate_all_over_a_conversation_and_another_under_another_key() -> None:
    done = redact(["Call Nerea Zubizarreta.", "Yes, Nerea Zubizarreta it is."], KEY, "c1", TERMS)
    surrogate = " ".join(done.texts[0].removesuffix(".").split()[1:])
    assert surrogate in done.texts[1]
    assert "Nerea" not in "".join(done.texts)
    assert one("Call Nerea Zubizarreta.", b"other") != done.texts[0]


def test_a_value_found_once_goes_wherever_it_is_written_again() -> None:
    done = redact(
        ["my login is: ana.lopez@uni.edu", "GET /u?mail=ana.lopez%40uni.edu", "x/ana.lopez@uni.edu"], KEY, "c", TERMS
    )
    assert "ana.lopez" not in "".join(done.texts)


def test_json_and_python_still_parse_and_numbers_stay_numbers() -> None:
    said = '{"pan": 4111111111111111, "name": "Jos\\u00e9 Garc\\u00eda", "log": "Tel:\\n030 1234567"}'
    new = json.loads(one(said))
    assert isinstance(new["pan"], int)
    assert new["pan"] != 4111111111111111
    assert "Garc" not in new["name"]
    code = "PASSWORD = 'hunter2x'\npan = 4111111111111111\nwho = ['Anna-Lena Fischer', \"ana@x.pt\"]\n"
    tree = ast.parse(one(code))
    assert len(tree.body) == 3


def test_redacting_again_changes_nothing() -> None:
    text = "Dear Dr. Müller, ring 0171/2345678, born 1990-02-17, at Hauptstraße 5, 10115 Berlin; DB_PASSWORD=hunter2"
    assert one(one(text)) == one(text) != text


def test_the_block_adds_findings_of_the_new_text_and_counts_them() -> None:
    rows = batch(("c1", "p1", "mail ana@x.pt and ana@x.pt"), ("c1", "p1", "nothing"), ("c2", None, "ssn 123-45-6789"))
    made = Redact(KEY).apply(rows)
    texts, findings = made.rows.column("text").to_pylist(), made.rows.column("findings").to_pylist()
    assert made.counts == {"mail": 2, "national_id": 1}
    first = findings[0][0]
    assert texts[0][first["start"] : first["end"]].endswith("@mail.example")
    assert findings[1] == []
    assert mask(texts[0], findings[0]) == "mail <mail> and <mail>"


def test_batches_do_not_matter() -> None:
    rows = batch(("c1", "p1", "mail ana@x.pt"), ("c2", "p1", "mail ana@x.pt"))
    whole = Redact(KEY).apply(rows).rows
    halves = [Redact(KEY).apply(rows.slice(place, 1)).rows for place in (0, 1)]
    assert whole == pa.Table.from_batches(halves).combine_chunks().to_batches()[0]


def test_a_conversation_with_more_doubts_than_findings_is_left_out_whole() -> None:
    unsure = RedactTerms(sure=101, unsure=1, most_unsure=2)
    rows = batch(
        ("c1", "p1", "Tom and Anna met Peter. Maria, Paul and Eva came."), ("c1", "p1", "ok"), ("c2", "p2", "fine")
    )
    made = Redact(KEY, unsure).apply(rows)
    assert [one.reason for one in made.dropped] == [UNCERTAIN, UNCERTAIN]
    assert made.rows.column("conversation").to_pylist() == ["c2"]


def test_a_block_can_be_sent_and_its_digest_names_terms_but_no_key() -> None:
    block = pickle.loads(pickle.dumps(Redact(KEY)))
    assert block_digest(block) == block_digest(Redact(b"another"))
    assert block_digest(block) != block_digest(Redact(KEY, RedactTerms(sure=60)))


def test_normalising_composes_letters_but_not_in_fenced_code() -> None:
    loose = "e\u0301"
    assert normalise(f"a\r\nb\rc\u200bd\x00 {loose}") == "a\nb\ncd \u00e9"
    assert normalise(f"{loose}\n```\n{loose}\n```\n{loose}") == f"\u00e9\n```\n{loose}\n```\n\u00e9"
    family = "\U0001f468\u200d\U0001f469"
    assert normalise(family) == family
    made = Normalise().apply(batch(("c1", "p1", loose), ("c1", "p1", "x")))
    assert made.counts == {"changed": 1}


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("19740612", r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|1[0-2])"),
        ("1974-06-12", r"\d{4}-\d\d-\d\d"),
        ("12.6.74", r"\d\d\.\d\d\.\d\d"),
        ("12 June 1974", r"\d{1,2} June \d{4}"),
        ("June 12th, 1974", r"June \d{1,2}th, \d{4}"),
        ("1974年6月12日", r"\d{4}年\d{1,2}月\d{1,2}日"),
    ],
)
def test_a_birth_is_replaced_by_a_date_that_is_written_alike_and_settles(value: str, shape: str) -> None:
    text = f"date of birth: {value}"
    assert [found.type for found in find(text)] == ["date_of_birth"]
    new = one(text)
    assert re.fullmatch(f"date of birth: {shape}", new)
    assert new != text
    assert one(new) == new


def test_words_with_figures_in_them_are_no_months_and_stop_nothing() -> None:
    done = redact(["born 3 March2 1985 and born 4 May 1985 there", "it goes on"], KEY, "c1", TERMS)
    assert "March2 1985" in done.texts[0]
    assert "4 May 1985" not in done.texts[0]
    assert done.texts[1] == "it goes on"


def test_work_that_stops_by_mistake_is_no_end_of_the_batches() -> None:
    def stops(_rows: pa.RecordBatch) -> object:
        raise StopIteration

    with pytest.raises(RuntimeError):
        list(Local(stops).map([batch(("c", None, "x"))]))  # type: ignore[arg-type]
