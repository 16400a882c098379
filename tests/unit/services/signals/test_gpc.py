"""`Sec-GPC` as its draft has it: only `1` is the signal."""

from datetime import date

import pytest

from assent.services.signals.gpc import read_header, support_resource


@pytest.mark.parametrize("values", [["1"], [" 1 "], ["0", "1"], ["1", "1"], ["junk", "\t1"]])
def test_a_request_with_the_value_one_carries_the_signal(values: list[str]) -> None:
    assert read_header(values)


@pytest.mark.parametrize("values", [[], [""], ["0"], ["true"], ["?1"], ["01"], ["1, 1"], ["1;q=1"], ["11"], ["\uff11"]])
def test_any_other_value_is_no_signal(values: list[str]) -> None:
    assert not read_header(values)


def test_the_well_known_file_says_whether_and_since_when() -> None:
    assert support_resource(honoured=True, since=date(2026, 1, 31)) == {"gpc": True, "lastUpdate": "2026-01-31"}
