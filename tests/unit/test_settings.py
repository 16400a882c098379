"""Settings and wiring: every key is known and typed, the home is found, the clock can be told."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.domain.errors import AssentError, Invalid, NotFound
from assent.settings import FILE, ServerAddress, Settings, from_table
from assent.wiring import Wiring

HOME = Path("home")
MAY_BE_ZERO = {"quarantine_days", "sweep_lag_days", "key_backup_days", "slack_days", "guard_floor_parts"}
NUMBERS = sorted(field.name for field in fields(Settings) if field.type == "int")


def write(folder: Path, text: str | bytes) -> Wiring:
    (folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    return Wiring(folder)


def test_an_empty_table_gives_defaults() -> None:
    settings = from_table(HOME, {})
    assert (settings.home, settings.database, settings.policies) == (HOME, HOME / "assent.db", ())
    assert all(getattr(settings, name) > 0 for name in NUMBERS)


def test_paths_start_at_the_home_folder_unless_they_are_absolute() -> None:
    settings = from_table(HOME, {"database": "data/x.db", "policies": ["p", "/etc/p.toml"]})
    assert settings.database == HOME / "data" / "x.db"
    assert settings.policies == (HOME / "p", Path("/etc/p.toml"))


@pytest.mark.parametrize("address", ["postgresql://a:secret" + "@db.example/assent", "postgres:///assent"])
def test_a_database_may_be_a_server_whose_address_is_shown_nowhere(address: str) -> None:
    settings = from_table(HOME, {"database": address})
    assert settings.database == ServerAddress(address)
    assert address not in repr(settings)
    assert "secret" not in repr(settings)


def test_a_server_that_is_no_postgresql_is_refused() -> None:
    with pytest.raises(Invalid, match="`database` is not a path or an address") as caught:
        from_table(HOME, {"database": "mysql://a:secret" + "@db.example/assent"})
    assert "secret" not in f"{caught.value}{caught.value.fix}"


@pytest.mark.parametrize("key", NUMBERS)
def test_numbers_are_whole_and_above_zero_or_zero_where_that_means_something(key: str) -> None:
    assert getattr(from_table(HOME, {key: 7}), key) == 7
    needed = "a whole number above zero"
    if key in MAY_BE_ZERO:
        assert getattr(from_table(HOME, {key: 0}), key) == 0
        needed = "a whole number, zero or above"
    for wrong in (*(() if key in MAY_BE_ZERO else (0,)), -1, 1.5, True, "7", None, [7]):
        with pytest.raises(Invalid, match=rf"^{FILE}: `{key}` is not {needed}$") as caught:
            from_table(HOME, {key: wrong})
        assert caught.value.fix


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("database", 5, "a path"), ("database", ["x"], "a path"), ("policies", "p", "a list of paths"),
     ("policies", [1], "a list of paths"), ("policies", {"a": "b"}, "a list of paths")],
)  # fmt: skip
def test_paths_are_text(key: str, value: object, kind: str) -> None:
    with pytest.raises(Invalid, match=f"`{key}` is not {kind}"):
        from_table(HOME, {key: value})


@pytest.mark.parametrize("key", ["batchrows", "home", "batch-rows", "Database"])
def test_an_unknown_key_is_named_with_what_is_known(key: str) -> None:
    with pytest.raises(Invalid, match=f"`{key}` is not a setting") as caught:
        from_table(HOME, {key: 1})
    assert set(NUMBERS) | {"database", "policies"} <= set(caught.value.fix.removeprefix("use one of ").split(", "))
    assert "home" not in caught.value.fix.split(", ")


@pytest.mark.parametrize(
    "text",
    [
        "batch_rows = ",
        "batch_rows = 1\nbatch_rows = 2",
        pytest.param(b'database = "\xff"', id="not UTF-8"),
    ],
)
def test_a_file_that_is_not_toml_is_an_error_that_names_it(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(AssentError, match=FILE):
        _ = write(tmp_path, text).settings


def test_a_page_that_no_list_can_give_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="list_page"):
        _ = write(tmp_path, "list_page = 1001").settings


# -- the home folder --------------------------------------------------------------------------------


def test_the_home_is_found_above_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSENT_HOME", raising=False)
    write(tmp_path, "batch_rows = 3")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Wiring().settings.batch_rows == 3
    (tmp_path / "a" / FILE).write_text("batch_rows = 4")
    assert Wiring().settings.batch_rows == 4


def test_the_environment_may_name_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "batch_rows = 3")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path / "other"))
    with pytest.raises(NotFound):
        _ = Wiring().settings
    write(tmp_path / "other", "batch_rows = 5")
    assert Wiring().settings.batch_rows == 5
    assert Wiring(tmp_path).settings.batch_rows == 3


def test_without_a_home_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSENT_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    wiring = Wiring()
    for ask in (lambda: wiring.settings, lambda: wiring.store, lambda: wiring.policies, lambda: wiring.columns):
        with pytest.raises(NotFound, match=FILE) as caught:
            ask()
        assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_home_without_its_database_is_not_found_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        _ = write(tmp_path, "").store
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("value", ["", 'policies = ["nowhere"]', 'policies = ["nowhere.toml"]', "policies = []"])
def test_a_home_without_a_policy_decides_nothing(tmp_path: Path, value: str) -> None:
    with pytest.raises(NotFound, match="policy") as caught:
        _ = write(tmp_path, value).policies
    assert caught.value.fix


def test_policies_are_ordered_by_the_date_from_which_they_bind(tmp_path: Path) -> None:
    library = Wiring.policy_library()
    names = ["2025-10-08", "2025-05-01", "2025-09-28"]
    files = [str(library / "anthropic" / f"{name}.toml") for name in names]
    wiring = write(tmp_path, f"policies = {files}")
    assert [policy.name.partition("/")[2] for policy in wiring.policies] == sorted(names)
    assert [text for _, text in wiring.policy_texts] == [Path(file).read_text("utf-8") for file in sorted(files)]


# -- the clock --------------------------------------------------------------------------------------


def test_the_clock_is_the_given_one_then_the_told_one_then_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    given = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setenv("ASSENT_CLOCK", "2025-10-08T02:00:00+02:00")
    assert Wiring(clock=given).now() == given
    assert Wiring().now() == datetime(2025, 10, 8, tzinfo=UTC)
    assert Wiring().at(given).now() == given
    assert Wiring(clock=given).at_home(HOME).now() == given
    monkeypatch.delenv("ASSENT_CLOCK")
    before = datetime.now(UTC)
    assert before <= Wiring().now() <= datetime.now(UTC)


@pytest.mark.parametrize("told", ["2025-10-08", "2025-10-08T00:00:00", "tomorrow", "1759881600"])
def test_a_clock_that_cannot_be_read_stops(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_CLOCK", told)
    with pytest.raises(Invalid) as caught:
        Wiring().now()
    assert caught.value.fix


def test_ids_and_keys_are_fresh_and_seeds_repeat() -> None:
    wiring = Wiring()
    assert len({wiring.new_id() for _ in range(50)} | {wiring.new_key().hex() for _ in range(50)}) == 100
    assert len(wiring.new_key()) == 32
    assert wiring.seeded(3).random() == wiring.seeded(3).random() != wiring.seeded(4).random()


def test_nobody_is_there_in_ci_or_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for ci, terminals, there in (("", (0, 1), True), ("1", (0, 1), False), ("", (0,), False), ("", (1,), False)):
        monkeypatch.setenv("CI", ci)
        monkeypatch.setattr("os.isatty", lambda number, known=terminals: number in known)
        assert Wiring().interactive() is there
