"""The user's own files for validation and test, and the split of a single file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import tiny_dataset, tiny_settings

from emoclf.datasets.split import split_dataset
from emoclf.datasets.split_files import read_split
from emoclf.errors import DataError

SETTINGS = tiny_settings().data


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    lines = [f"{text},{label}" for text, label in rows]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    tiny = tiny_dataset()
    return write(tmp_path / "a.csv", list(zip(tiny.texts, tiny.labels, strict=True)))


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    rows = [("it was lovely at sea", "joy"), ("it was dark at sea", "fear")]
    return write(tmp_path / "b.csv", rows)


def test_a_single_file_is_split(data: Path) -> None:
    dataset, split = read_split(data, SETTINGS, seed=3)
    expected = split_dataset(dataset, SETTINGS, seed=3)
    assert {k: v.texts for k, v in split.parts().items()} == {
        k: v.texts for k, v in expected.parts().items()
    }


def test_files_of_validation_and_test_texts(data: Path, unseen: Path) -> None:
    dataset, split = read_split(data, SETTINGS, valid=unseen)
    assert split.train is dataset
    assert split.valid.label_names == dataset.label_names
    assert split.test is None
    _, split = read_split(data, SETTINGS, test=unseen)
    assert len(split.train) + len(split.valid) == len(dataset)
    assert split.test is not None
    assert len(split.test) == 2


def test_leaks_are_warned_of(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [("it was lovely at home", "joy"), ("it was dark at sea", "fear")]
    with caplog.at_level("WARNING", "emoclf"):
        read_split(data, SETTINGS, valid=write(tmp_path / "leak.csv", rows))
    assert caplog.messages == [
        "1 of 2 validation texts are duplicates or near-duplicates of training texts; "
        "scores on them are too optimistic."
    ]


def test_a_split_cannot_be_given_twice(data: Path, unseen: Path) -> None:
    settings = tiny_settings(split_column="part").data
    with pytest.raises(DataError, match=r"given twice: by the column 'part' and by"):
        read_split(data, settings, test=unseen)
