"""Datasets from lists and frames, their classes and checks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.trainable import check_divisible, check_trainable
from emoclf.errors import DataError, SettingsError


def test_from_lists():
    data = Dataset.from_lists(["a b", "c", "d"], ["joy", " anger", "joy"])
    assert len(data) == 3
    assert data.labels == ("joy", "anger", "joy")
    assert data.label_names == ("anger", "joy")
    assert data.counts() == {"anger": 1, "joy": 2}
    assert data.label_ids.tolist() == [1, 0, 1]
    assert data.label_ids.dtype == np.int32
    assert data.where(2) == "texts, position 2"
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.multilabel = True


def test_numbers_and_arrays_as_labels():
    texts = np.array(["a", "b", "c"])
    data = Dataset.from_lists(texts, np.array([10, 2, 2]))
    assert data.labels == ("10", "2", "2")
    assert data.label_names == ("2", "10")
    assert all(type(text) is str for text in data.texts)
    named = Dataset.from_lists(
        texts, [1.0, 0, True], label_names={0: "n", 1: "p", "true": "t"}
    )
    assert named.labels == ("p", "n", "t")
    assert named.label_names == ("n", "p", "t")


def test_multilabel():
    data = Dataset.from_lists(["a", "b"], [{"y", "x"}, []], label_names=["y", "x", "z"])
    assert data.multilabel
    assert data.label_names == ("y", "x", "z")
    assert data.label_ids.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert data.label_ids.dtype == np.float32


def test_take_keeps_classes_and_places():
    data = Dataset.from_lists(["a", "b", "c"], ["x", "y", "x"])
    part = data.take(np.array([2, 0]))
    assert part.texts == ("c", "a")
    assert part.lines == (2, 0)
    assert part.label_names == ("x", "y")
    assert not data.take([])


LISTS = [
    (["a"], ["x", "y"], r"same length. Got 1 texts and 2 labels"),
    ("abc", ["x"], r"Texts must be a list of str. Got the single str"),
    (["a", " "], ["x", "y"], r"texts, position 1: the text is empty"),
    (["a", None], ["x", "y"], r"position 1: the text is missing"),
    (["a", 3], ["x", "y"], r"position 1: the text must be a string. Got 3"),
    (["a", "b"], ["x", float("nan")], r"position 1: the row has no label"),
    (["a", "b"], ["x", ["y"]], r"position 1: the label must be one label"),
    (["a"], [object], r"position 0: a label must be a text, a number"),
    ([], [], r"texts has no rows"),
]


@pytest.mark.parametrize(("texts", "labels", "match"), LISTS)
def test_wrong_lists_are_errors(texts, labels, match):
    with pytest.raises(DataError, match=match):
        Dataset.from_lists(texts, labels)


def test_label_names_must_be_a_list():
    with pytest.raises(DataError, match=r"must be a list. Got the single str 'joy'"):
        Dataset.from_lists(["a"], ["joy"], label_names="joy")
    with pytest.raises(DataError, match=r"label 'joi' is not one of joy, sad.*'joy'\?"):
        Dataset.from_lists(["a"], ["joi"], label_names=["joy", "sad"])


def test_from_frame():
    frame = pd.DataFrame(
        {
            "id": [7, 8],
            "Review": ["a", "b"],
            "stars": [1.0, 5.0],
            "fold": ["train", "dev"],
        }
    )
    data = Dataset.from_frame(
        frame,
        label_column="stars",
        split_column="fold",
        label_names={"1": "neg", "5": "pos"},
    )
    assert data.labels == ("neg", "pos")
    assert data.parts == ("train", "valid")
    assert Dataset.from_frame(frame, label_column="id").labels == ("7", "8")


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NA, pd.NaT])
def test_frames_with_empty_cells(empty):
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["x", empty]}, dtype=object)
    with pytest.raises(DataError, match=r"DataFrame, position 1: the row has no label"):
        Dataset.from_frame(frame)
    frame = pd.DataFrame({"text": ["a", empty], "label": ["x", "y"]}, dtype=object)
    with pytest.raises(DataError, match=r"position 1: the text is missing"):
        Dataset.from_frame(frame)
    frame = pd.DataFrame(
        {"text": ["a", "b"], "label": ["x", "y"], "part": ["train", empty]},
        dtype=object,
    )
    with pytest.raises(DataError, match=r"position 1: the part '' is not one of"):
        Dataset.from_frame(frame, split_column="part")


def test_wrong_frames_are_errors():
    with pytest.raises(DataError, match=r"must be a pandas DataFrame. Got list"):
        Dataset.from_frame([1])
    frame = pd.DataFrame({"texte": ["a"], "label": ["x"]})
    with pytest.raises(DataError, match=r"no column 'text'. Did you mean 'texte'\?"):
        Dataset.from_frame(frame, text_column="text")
    with pytest.raises(SettingsError, match="label_separator must be"):
        Dataset.from_frame(frame, text_column="texte", label_separator="")


def test_bad_rows_of_a_frame_can_be_dropped():
    frame = pd.DataFrame({"text": ["a", "", "c", "d"], "label": ["x", "x", "x", "y"]})
    data = Dataset.from_frame(frame, skip_bad_rows=True)
    assert data.texts == ("a", "c")
    assert data.skipped == 2
    assert data.take([0]).skipped == 0


def test_a_dataset_that_cannot_be_divided_is_an_error_with_the_row():
    with pytest.raises(DataError, match=r"texts has only one class, 'x'"):
        check_trainable(Dataset.from_lists(["a", "b"], ["x", "x"]))
    data = Dataset.from_lists(list("abcde"), ["joy", "joy", "joi", "sad", "sad"])
    match = r"texts, position 2: only this row has the label 'joi'.*mean 'joy'\?"
    with pytest.raises(DataError, match=match):
        check_divisible(data)
    check_trainable(data)
    with pytest.raises(DataError, match=r"no labels"):
        check_trainable(Dataset.from_lists(["a", "b"], [[], []]))
    check_divisible(data.take([0, 1, 3, 4]))
