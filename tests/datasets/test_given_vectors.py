"""Datasets of vectors from elsewhere; tests of given_vectors.py and numpy_arrays.py."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoclf import read_dataset
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import join_parts, split_dataset
from emoclf.errors import DataError

RNG = np.random.default_rng(0)
LABELS = ["joy", "anger", "joy", "anger", "joy"]


def vectors(n: int = 5, length: int = 4, dim: int = 3) -> np.ndarray:
    return RNG.normal(size=(n, length, dim)).astype(np.float32)


def test_padding_is_left_out() -> None:
    given = vectors()
    mask = np.ones((5, 4), bool)
    mask[1, 2:] = False
    data = Dataset.from_vectors(given, LABELS, mask=mask)
    assert data.vectors is not None
    assert [len(rows) for rows in data.vectors] == [4, 2, 4, 4, 4]
    assert data.texts[4] == "sample 4"
    assert not data.has_texts
    given[1, 2:] = given[3] = 0
    data = Dataset.from_vectors(given, LABELS)
    assert data.vectors is not None
    assert [len(rows) for rows in data.vectors] == [4, 2, 4, 0, 4]
    ragged = [rows.astype(np.float16) for rows in given]
    data = Dataset.from_vectors(ragged, LABELS, texts=["a", "b", "c", "d", "e"])
    assert data.vectors is not None
    assert {(len(rows), rows.dtype.name) for rows in data.vectors} == {(4, "float16")}
    assert data.has_texts


def test_parts_keep_their_vectors() -> None:
    given = vectors(40)
    given[7] = given[3]
    data = Dataset.from_vectors(given, ["joy", "anger"] * 20)
    groups = data.duplicate_groups(0.8)
    assert groups[7] == groups[3]
    assert len(set(groups.tolist())) == 39
    split = split_dataset(data, valid_fraction=0.25, test_fraction=0.25)
    joined = join_parts(*split.parts().values(), source="all")
    assert joined.vectors is not None
    for name, rows in zip(joined.texts, joined.vectors, strict=True):
        np.testing.assert_array_equal(rows, given[int(name.split()[1])])


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (np.ones((5, 3)), {}, r"sample 0: vectors must have the shape"),
        ([np.ones((2, 3))] * 4 + [np.ones((2, 4))], {}, r"sample 4: .*\(length, 3\)"),
        (np.full((5, 2, 3), np.nan), {}, "not finite"),
        (np.full((5, 2, 3), "a"), {}, "must be numbers"),
        (np.ones((4, 2, 3)), {}, "Got 4 texts and 5 labels|same length"),
        (np.ones((5, 2, 3)), {"mask": np.ones((5, 3), bool)}, "the mask must contain"),
        (np.ones((5, 2, 3)), {"mask": np.ones((5, 2))}, "the mask must contain"),
        ([], {}, "contain no texts"),
        (7, {}, "must be arrays of numbers"),
    ],
)
def test_wrong_vectors(given: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dataset.from_vectors(given, LABELS, **options)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_of_arrays(tmp_path: Path, *, compressed: bool) -> None:
    given, path = vectors(), tmp_path / "data.npz"
    mask = np.ones((5, 4), bool)
    mask[2, 1:] = False
    np.savez(path, vectors=given, mask=mask, label=np.array(LABELS))
    if compressed:
        packed = tmp_path / "data.npz.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    data = read_dataset(path)
    assert data.label_names == ("anger", "joy")
    assert data.where(0).endswith("sample 1")
    assert data.texts[0] == "sample 1"
    assert data.vectors is not None
    np.testing.assert_array_equal(data.vectors[2], given[2, :1])


def test_columns_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    texts = ["so happy", "go away", "so glad", "leave", ""]
    np.savez(path, x=vectors(), text=np.array(texts), mood=np.array([1, 0, 1, 0, 1]))
    data = read_dataset(path, label_names={"0": "anger", "1": "joy"},
                        label_column="mood", skip_bad_rows=True)  # fmt: skip
    assert data.texts == tuple(texts[:4])
    assert data.vectors is not None
    assert len(data.vectors) == 4
    assert data.has_texts


def test_one_array_with_a_file_of_labels(tmp_path: Path) -> None:
    given = vectors()
    np.save(tmp_path / "data.npy", given)
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(LABELS) + "\n")
    data = read_dataset(tmp_path / "data.npy", labels_file=str(labels))
    assert data.labels == tuple(LABELS)
    assert data.vectors is not None
    np.testing.assert_array_equal(data.vectors[4], given[4])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"label": np.array(LABELS)}, "one array of vectors"),
        ({"a": np.ones((5, 2, 3)), "b": np.ones((5, 2, 3))}, "one array of vectors"),
        ({"a": np.ones((5, 2, 3)), "label": np.array(LABELS[:3])}, "one value for"),
        (
            {"a": np.ones((5, 2, 3)), "label": np.array(LABELS, object)},
            "Python objects",
        ),
        ({"a": np.ones((5, 2, 3))}, "label"),
    ],
)
def test_wrong_files(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path / "data.npz")


@pytest.mark.parametrize("name", ["data.npz", "data.npy"])
@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"\x93NUMPY", b"text"])
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as arrays of NumPy"):
        read_dataset(tmp_path / name)
