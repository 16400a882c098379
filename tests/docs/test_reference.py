"""The pages of reference leave nothing out: extras, metrics, events, errors, addresses of pages and their pictures."""

import re
import tomllib

import pytest

from assent.domain import errors
from tests.docs.pages_page import FILES, TITLES, VIEWS, entries, pictures
from tests.docs.reference_tables import EVENTS, EXTRAS, event_types, metrics
from tests.docs.write_reference import REFERENCE, REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures"
MOST_BYTES = 1_500_000
"""Of all pictures together: everybody who clones the repository takes them along."""


def test_every_extra_says_what_it_is_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(EXTRAS) == set(project["optional-dependencies"])


def test_an_extra_that_the_program_or_a_page_names_exists() -> None:
    files = [*(REPOSITORY / "src").rglob("*.py"), *(REPOSITORY / "docs").rglob("*.md")]
    named = {
        extra
        for path in files
        for found in re.findall(r"\bassent\[([a-z0-9,]+)\]", path.read_text("utf-8"))
        for extra in found.split(",")
    }
    assert {"postgres", "browser", "train"} <= named <= set(EXTRAS)


def test_every_event_that_can_be_sent_says_when() -> None:
    assert event_types() == set(EVENTS)


def test_the_guide_to_events_names_only_events_that_there_are() -> None:
    page = (REPOSITORY / "docs/how-to/tell-other-systems.md").read_text("utf-8")
    assert set(re.findall(r"`(assent\.[a-z]+\.[a-z]+)`", page)) <= set(EVENTS)


def test_metrics_are_made_in_one_place_and_the_guide_to_the_daemon_names_only_those() -> None:
    sources = (REPOSITORY / "src").rglob("*.py")
    makers = [path.name for path in sources if "from prometheus_client import" in path.read_text("utf-8")]
    assert makers == ["health.py"]
    page = (REPOSITORY / "docs/how-to/run-the-sweep-daemon.md").read_text("utf-8")
    named = set(re.findall(r"`(assent_[a-z_]+)`", page))
    assert named
    assert named <= {name for name, *_ in metrics()}


def test_every_exit_code_of_an_error_is_explained() -> None:
    codes = {
        one.exit_code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.AssentError)
    }
    explained = re.findall(r"^\| (\d) \|", (REFERENCE / "exit-codes.md").read_text("utf-8"), re.MULTILINE)
    assert codes | {0} == {int(code) for code in explained}


def test_every_address_is_a_page_with_a_name_or_says_what_else_it_is() -> None:
    found = [entry.path for entry in entries()]
    assert sorted(found) == sorted([*TITLES, *FILES])


def test_every_page_has_a_picture_and_no_picture_is_left_over() -> None:
    there = {path.name: path.read_bytes() for path in PICTURES.iterdir()}
    assert set(there) == pictures(), "run `make pictures` and look at them"
    assert all(data[:4] + data[8:12] == b"RIFFWEBP" for data in there.values())
    assert sum(map(len, there.values())) < MOST_BYTES


def test_the_gallery_shows_each_picture_once() -> None:
    page = (REFERENCE / "pages.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\(\.\./pictures/([\w-]+\.webp)\)", page)) == sorted(pictures())
    assert all(f"### {title}\n" in page for title in [*TITLES.values(), *(view.title for view in VIEWS)])


@pytest.mark.parametrize("folder", ["tutorials", "how-to"])
def test_a_picture_in_a_guide_says_in_words_what_it_shows(folder: str) -> None:
    shown = [
        (path.name, words)
        for path in (REPOSITORY / "docs" / folder).glob("*.md")
        for words in re.findall(r"!\[([^\]]*)\]\(\.\./pictures/", path.read_text("utf-8"))
    ]
    assert shown
    assert all(len(words) > 15 for _, words in shown), shown
