"""`datasets.load_dataset` reads the folder of a cut as it is, without a network."""

import pytest
from tests.conformance.cut.written_cut import chats, rated, said, write_cut


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Read configurations of one cut, in which only the second shard has calls of tools and thoughts."""
    folder = tmp_path_factory.mktemp("datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_OFFLINE", "1")
        patch.setenv("HF_HOME", str(folder / "home"))
        import datasets

        datasets.disable_progress_bars()
        tools = {"conversation": "test:tools", "turn": "t"}
        train = [
            *chats(2),
            said("Is it open?", conversation="test:tools"),
            said("A look will tell.", by="assistant", marks=["reasoning"], **tools),
            said('{"q":"hours"}', by="assistant", marks=["tool-payload"], tool="web", **tools),
            said("9 to 5", by="tool", marks=["tool-payload"], tool="web", **tools),
            said("Until five.", by="assistant", **tools),
            rated("t", "thumbs_up", conversation="test:tools"),
        ]
        write_cut(folder / "cut", {"train": train, "validation": chats(1, name="other")}, per_shard=2)

        def read(*config: str) -> object:
            return datasets.load_dataset(str(folder / "cut"), *config, cache_dir=str(folder / "cache"))

        read.configs = datasets.get_dataset_config_names(str(folder / "cut"))
        read.parts = lambda: datasets.load_dataset(
            "parquet",
            data_files={"train": str(folder / "cut/data/parts-train-*.parquet")},
            cache_dir=str(folder / "cache"),
        )
        yield read


def test_each_form_that_has_rows_is_a_configuration(loaded: object) -> None:
    assert loaded.configs == ["messages", "sharegpt", "ratings"]


def test_messages_are_what_is_read_by_default_in_their_splits(loaded: object) -> None:
    found = loaded()
    assert {split: rows.num_rows for split, rows in found.items()} == {"train": 3, "validation": 1}
    assert found["train"][0]["messages"][1]["content"] == "answer 0"
    assert found["train"][0]["receipts"] == ["receipt-test:chat-000"]


def test_calls_of_tools_that_only_a_later_shard_has_are_read(loaded: object) -> None:
    asked, called, result, answer = loaded("messages")["train"][2]["messages"]
    assert (asked["role"], called["reasoning_content"]) == ("user", "A look will tell.")
    assert called["tool_calls"][0]["function"] == {"name": "web", "arguments": '{"q":"hours"}'}
    assert (result["role"], result["name"], answer["content"]) == ("tool", "web", "Until five.")


def test_sharegpt_turns_are_read(loaded: object) -> None:
    turns = loaded("sharegpt")["train"][2]["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "function_call", "observation", "gpt"]


def test_rated_answers_are_read(loaded: object) -> None:
    (row,) = loaded("ratings")["train"]
    assert (row["prompt"][0]["content"], row["completion"][-1]["content"]) == ("Is it open?", "Until five.")
    assert row["label"] is True


def test_parts_are_read_by_their_own_reader(loaded: object) -> None:
    assert loaded.parts()["train"].num_rows == 10
