"""`assent policy`: what it prints, as text and as JSON, and its exit statuses."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assent.domain.errors import NotFound
from assent.interfaces.cli.app import run
from assent.interfaces.cli.policy import command
from assent.wiring import Wiring

ROOT = Path(__file__).resolve().parents[3]
SMALL = ROOT / "tests" / "unit" / "policy" / "small.toml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SMALL, tmp_path / "small.toml")
    return tmp_path


def write(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    text = SMALL.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, "utf-8")
    return name


def policy(*arguments: str) -> Result:
    """Run the command as the program does: what the callback returns is the exit status."""
    result = CliRunner().invoke(command, arguments, obj=Wiring(), standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def status(result: Result) -> int:
    return result.return_value or 0


def answer(*arguments: str) -> object:
    return json.loads(policy(*arguments, "--json").stdout)


# -- check ------------------------------------------------------------------------------------------


def test_check_prints_name_digest_and_counts(folder: Path) -> None:
    result = policy("check", "small.toml")
    first, second = result.stdout.splitlines()
    assert first.startswith("acme/2  sha256:")
    assert second == "  grant 2, exception 1, cap 1, veto 1, plans 1, purposes 3, accepted 0"
    assert status(result) == 0


def test_check_prints_every_problem_with_place_and_remedy(folder: Path) -> None:
    name = write(folder, "bad.toml", ("[plans]", "[plan]"), ("P5Y", "P0Y"))
    result = policy("check", name, "small.toml")
    assert status(result) == 1
    assert result.stderr.splitlines() == [
        "bad.toml:1:1: `plans` is missing",
        "  add `[plans]`; see spec/policy.md for what it means",
        "bad.toml:51:2: `plan` is not known here",
        "  did you mean `plans`?",
        "bad.toml:81:1: `use_for`: `P0Y` is zero",
        "  write an ISO 8601 duration longer than zero, as `P30D`, `P5Y` or `PT72H`",
    ]
    assert result.stdout.startswith("acme/2  sha256:")


def test_check_as_json(folder: Path) -> None:
    name = write(folder, "bad.toml", ("P5Y", "P0Y"))
    good, bad = answer("check", "small.toml", name)
    assert (good["file"], good["name"], good["problems"]) == ("small.toml", "acme/2", [])
    assert good["counts"]["grant"] == 2
    assert bad == {
        "file": "bad.toml",
        "problems": [
            {
                "file": "bad.toml",
                "line": 81,
                "column": 1,
                "message": "`use_for`: `P0Y` is zero",
                "fix": "write an ISO 8601 duration longer than zero, as `P30D`, `P5Y` or `PT72H`",
            }
        ],
    }


def test_a_shipped_policy_can_be_named() -> None:
    assert policy("check", "anthropic/2025-10-08").stdout.startswith("anthropic/2025-10-08  sha256:")


def test_a_file_that_is_not_there(folder: Path) -> None:
    with pytest.raises(NotFound) as caught:
        policy("check", "nowhere.toml")
    assert caught.value.exit_code == 3
    assert caught.value.fix == "give a path, or a name from `assent policy list`"


def test_a_file_that_is_not_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert run(["policy", "check", "binary.toml"], Wiring()) == 1
    assert capsys.readouterr().err == "assent: binary.toml: this is not UTF-8 text\n  save the file as UTF-8\n"


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    assert len(answer("check", "small.toml", "small.toml")) == 1


# -- lint -------------------------------------------------------------------------------------------


def test_lint_of_a_clean_file(folder: Path) -> None:
    result = policy("lint", "small.toml")
    assert (status(result), result.stdout) == (0, "nothing found in 1 file\n")


def test_lint_prints_findings_and_says_no(folder: Path) -> None:
    name = write(folder, "new.toml", ("below = 18", "below = 16"), ('needs = "allowed"', 'needs = "unless declined"'))
    result = policy("lint", name)
    assert status(result) == 2
    assert result.stdout.splitlines() == [
        (
            "new.toml:73:3: error L14: `training` lets people aged 16 to 17 into cuts for training"
            " on their own choice (plan free or pro)"
        ),
        "  add a veto `when = { age = { below = 18 } }`, or `guardian_grant = true` if a guardian allows it",
        "new.toml:84:34: error L6: `training` takes silence for consent: it needs no act, only that nobody declined",
        '  use `needs = "allowed"`, or accept the finding with a reason if the provider works this way',
        "2 errors in 1 file",
    ]


def test_an_accepted_finding_shows_its_reason_and_is_no_error(folder: Path) -> None:
    entry = '[[accepted]]\nlint = "L6"\nrule = "training"\nreason = "the provider works this way"\n\n[withdrawal]'
    name = write(folder, "new.toml", ('needs = "allowed"', 'needs = "unless declined"'), ("[withdrawal]", entry))
    result = policy("lint", name)
    assert status(result) == 0
    assert "warning L6: `training`" in result.stdout
    assert "\n  accepted: the provider works this way\n1 warning in 1 file\n" in result.stdout


def test_lint_as_json(folder: Path) -> None:
    name = write(folder, "new.toml", ("below = 18", "below = 16"))
    found = answer("lint", name)
    [finding] = found.pop("findings")
    assert found == {"errors": 1, "warnings": 0, "unreadable": []}
    assert finding["file"] == "new.toml"
    assert (finding["line"], finding["column"]) == (73, 3)
    assert (finding["lint"], finding["severity"], finding["rule"]) == ("L14", "error", "training")
    assert finding["accepted"] is None


def test_a_file_that_cannot_be_read_as_a_policy_is_broken_not_refused(folder: Path) -> None:
    bad = write(folder, "bad.toml", ("P5Y", "P0Y"))
    worse = write(folder, "worse.toml", ("below = 18", "below = 16"))
    result = policy("lint", bad, worse)
    assert status(result) == 1
    assert "bad.toml:81:1: `use_for`: `P0Y` is zero" in result.stderr
    assert "error L14" in result.stdout
    assert result.stdout.endswith("1 error in 1 file\n")
    assert [problem["line"] for problem in answer("lint", bad)["unreadable"]] == [81]


OLD = [
    ('version = "2"', 'version = "1"'),
    ("announced = 2026-02-01T00:00:00Z\n", ""),
    ("effective = 2026-03-01", "effective = 2025-03-01"),
    ('supersedes = "acme/1"\n', ""),
]


def test_the_version_before_is_given_or_found_beside_the_file(folder: Path) -> None:
    new = write(folder, "new.toml", ('needs = "allowed"', 'needs = "unless declined"'))
    assert "L7" not in policy("lint", new).stdout
    write(folder, "old.toml", *OLD)
    assert (
        "error L7: `training` opens parts recorded under `acme/1`"
        in policy("lint", new, "--previous", "old.toml").stdout
    )
    write(folder, "1.toml", *OLD)
    assert "error L7" in policy("lint", new).stdout
    write(folder, "1.toml", *OLD, ('provider = "acme"', 'provider = "other"'))
    assert "L7" not in policy("lint", new).stdout


def test_a_broken_version_beside_the_file_is_told(folder: Path) -> None:
    write(folder, "1.toml", *OLD, ("P5Y", "P0Y"))
    result = policy("lint", "small.toml")
    assert status(result) == 1
    assert "1.toml:79:1: `use_for`: `P0Y` is zero" in result.stderr


def test_several_files_are_compared(folder: Path) -> None:
    other = write(folder, "3.toml", ('version = "2"', 'version = "3"'))
    result = policy("lint", "small.toml", other)
    assert status(result) == 2
    assert result.stdout.splitlines()[0].startswith("3.toml:5:1: error L13: this version and `acme/2` take effect")
    assert result.stdout.endswith("1 error in 2 files\n")


def test_the_published_page(folder: Path) -> None:
    (folder / "page.txt").write_text(policy("show", "small.toml", "--plain").stdout, "utf-8")
    assert status(policy("lint", "small.toml", "--page", "page.txt")) == 0
    (folder / "page.txt").write_text("We love your privacy.", "utf-8")
    result = policy("lint", "small.toml", "--page", "page.txt")
    assert status(result) == 2
    assert "error L15: the page does not say: " in result.stdout


def test_options_that_speak_of_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write(folder, "3.toml")
    assert run(["policy", "lint", "small.toml", other, "--page", "x.html"], Wiring()) == 1
    assert "--previous and --page speak of one FILE: give one" in capsys.readouterr().err


def test_a_page_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "lint", "small.toml", "--page", "x.html"], Wiring()) == 3
    assert capsys.readouterr().err == "assent: there is no file `x.html`\n  correct the path\n"


# -- diff, show, schema, list -----------------------------------------------------------------------


def test_diff_in_words(folder: Path) -> None:
    new = write(folder, "new.toml", ('use_for = "P30D"', 'use_for = "P90D"'), ("max_defers = 2", "max_defers = 3"))
    result = policy("diff", "small.toml", new)
    assert status(result) == 0
    assert result.stdout.splitlines() == [
        "acme/2 -> acme/2: longer retention",
        "",
        "max defers (how often the answer may be put off): 2 -> 3",
        "  unchanged meaning",
        "",
        "base: kept 30 days -> 90 days",
        "  longer retention",
        "  affects people on every plan",
        "  example: a part of somebody on plan free or pro who did not answer",
        "    before: use for service until 2026-05-02T00:00:00Z; erased by 2026-05-02T00:00:00Z",
        "    after:  use for service until 2026-07-01T00:00:00Z; erased by 2026-07-01T00:00:00Z",
        "",
        "all changes together",
        "  longer retention",
        "  affects people on every plan",
        "  example: a part of somebody on plan free or pro who did not answer",
        "    before: use for service until 2026-05-02T00:00:00Z; erased by 2026-05-02T00:00:00Z",
        "    after:  use for service until 2026-07-01T00:00:00Z; erased by 2026-07-01T00:00:00Z",
    ]


def test_diff_of_a_policy_with_itself_says_that_nothing_changes(folder: Path) -> None:
    result = policy("diff", "small.toml", "small.toml")
    assert status(result) == 0
    assert result.stdout.splitlines() == [
        "acme/2 -> acme/2: unchanged meaning",
        "",
        "all changes together",
        "  unchanged meaning",
    ]
    assert answer("diff", "small.toml", "small.toml")["changes"] == []


def test_diff_as_json(folder: Path) -> None:
    new = write(folder, "new.toml", ('use_for = "P30D"', 'use_for = "P90D"'))
    found = answer("diff", "small.toml", new)
    assert found["directions"] == ["longer retention"]
    assert [change["id"] for change in found["changes"]] == ["grant.base"]


def test_diff_of_a_change_that_cannot_stand_alone(folder: Path) -> None:
    new = write(folder, "new.toml", ('["free", "pro"]', '["free"]\nteams = ["team"]'), ("[[exception]]", TEAMS))
    assert "stands only together with other changes" in policy("diff", "small.toml", new).stdout


TEAMS = """[[grant]]
id = "teams"
says = "Teams are kept a year"
source = "terms"
class = "contract"
purpose = "service"
when = { plan = ["team"] }
anchor = "created"
use_for = "P1Y"
bound = "up to"
erase_after = "at once"

[[exception]]"""


def test_show_ends_with_name_and_digest(folder: Path) -> None:
    lines = policy("show", "small.toml").stdout.splitlines()
    assert lines[0] == "what this is"
    assert "consumer: what is kept and used" in lines
    name, digest = lines[-1].split()
    assert (name, len(digest)) == ("acme/2", len("sha256:") + 64)
    assert lines[-2] == ""


def test_show_plain_has_statements_only(folder: Path) -> None:
    said = answer("show", "small.toml")
    lines = policy("show", "small.toml", "--plain").stdout.splitlines()
    assert lines[:-2] == [statement["text"] for statement in said["statements"]]
    assert lines[-1] == f"{said['name']}  {said['digest']}"
    assert {"id", "part", "text"} == set(said["statements"][0])


def test_schema_is_the_file_in_spec() -> None:
    assert policy("schema").stdout == (ROOT / "spec" / "policy.schema.json").read_text("utf-8")


def test_list_names_what_ships() -> None:
    lines = policy("list").stdout.splitlines()
    assert any(line.startswith("anthropic/2025-10-08 ") and "in force" in line for line in lines)
    found = answer("list")
    names = {item["name"] for item in found}
    files = {path.relative_to(ROOT / "policies").with_suffix("").as_posix() for path in ROOT.glob("policies/*/*.toml")}
    assert names == files
    assert all(set(item) == {"name", "status", "title"} for item in found)


@pytest.mark.parametrize("name", ["check", "lint", "diff", "show", "schema", "list"])
def test_every_command_has_examples(name: str) -> None:
    text = policy(name, "--help").stdout
    assert "Example" in text
    assert f"assent policy {name}" in text


def test_colours_only_in_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write(folder, "new.toml", ("below = 18", "below = 16"))
    assert "\x1b[" not in policy("lint", name).stdout
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    assert "\x1b[31m" in policy("lint", name).stdout


def test_the_program_returns_the_status_of_the_command(folder: Path) -> None:
    name = write(folder, "new.toml", ("below = 18", "below = 16"))
    assert run(["policy", "lint", name], Wiring()) == 2
    assert run(["policy", "lint", "small.toml"], Wiring()) == 0
    assert run(["policy", "check", "nowhere"], Wiring()) == 3
