"""Splits are seeded, stratified, and keep groups together.

Tests of emoclf.datasets.split and emoclf.datasets.stratify.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks import count_leaks

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import group_duplicates
from emoclf.datasets.split import (
    Split,
    hold_out,
    split_dataset,
    stratified_folds,
)
from emoclf.datasets.stratify import deal_groups
from emoclf.errors import DataError, SettingsError
from emoclf.settings import DataSettings

EXACT = DataSettings(near_duplicates=1.0)


def make(counts, *, copies=1):
    texts, labels = [], []
    for name, count in counts.items():
        for i in range(count):
            texts.append(f"text {name} {i // copies}")
            labels.append(name)
    return Dataset.from_lists(texts, labels)


def test_default_split_is_68_17_15_for_every_class():
    data = make({"a": 600, "b": 300, "c": 100})
    split = split_dataset(data, EXACT)
    assert [len(part) for part in split.parts().values()] == [680, 170, 150]
    assert split.train.counts() == {"a": 408, "b": 204, "c": 68}
    assert split.valid.counts() == {"a": 102, "b": 51, "c": 17}
    assert split.test.counts() == {"a": 90, "b": 45, "c": 15}


def test_the_seed_decides():
    data = make({"a": 50, "b": 50})
    assert split_dataset(data, EXACT, seed=3) == split_dataset(data, EXACT, seed=3)
    assert split_dataset(data, EXACT, seed=3) != split_dataset(data, EXACT, seed=4)


def test_duplicates_and_near_duplicates_stay_together():
    texts, labels = [], []
    for i in range(60):
        words = [f"w{i}x{j}" for j in range(12)]
        for text in (words, words[::-1], words[1:]):
            texts.append(" ".join(text))
            labels.append("ab"[i % 2])
    split = split_dataset(Dataset.from_lists(texts, labels))
    assert count_leaks(split) == {}
    families = [
        {t.split("x")[0] for t in part.texts} for part in split.parts().values()
    ]
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert len(split.test) in (24, 27, 30)  # whole families


@st.composite
def grouped_labels(draw):
    n_groups = draw(st.integers(20, 60))
    n_labels = draw(st.integers(2, 4))
    groups, labels = [], []
    for group in range(n_groups):
        for _ in range(draw(st.integers(1, 3))):
            groups.append(group)
            labels.append(draw(st.sets(st.integers(0, n_labels - 1), max_size=3)))
    return np.array(groups), [sorted(label) for label in labels]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(grouped_labels(), st.integers(0, 5))
def test_any_groups_are_dealt_out_whole_and_evenly(data, seed):
    groups, labels = data
    shares = (0.5, 0.3, 0.2, 0.0)
    parts = deal_groups(groups, labels, shares, seed=seed)
    assert parts == deal_groups(groups, labels, shares, seed=seed)
    assert set(parts) <= {0, 1, 2}
    of_text = np.array(parts)[groups]
    for part, share in enumerate(shares):
        got = (of_text == part).sum()
        assert abs(got - share * len(groups)) <= 12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 60), min_size=2, max_size=6), st.integers(0, 9))
def test_single_labels_are_split_to_within_one(sizes, seed):
    data = make({f"c{i}": max(size, 8) for i, size in enumerate(sizes)})
    split = split_dataset(data, EXACT, seed=seed)
    rows = sorted(line for part in split.parts().values() for line in part.lines)
    assert rows == list(range(len(data)))
    for part, share in zip(split.parts().values(), (0.68, 0.17, 0.15), strict=True):
        for name, count in data.counts().items():
            assert abs(part.counts()[name] - share * count) <= 1


def test_multilabel_splits_keep_the_shares():
    rng = np.random.default_rng(0)
    chosen = rng.random((2000, 5)) < [0.4, 0.2, 0.1, 0.05, 0.02]
    labels = [[f"l{j}" for j in np.flatnonzero(row)] for row in chosen]
    data = Dataset.from_lists([f"text {i}" for i in range(2000)], labels)
    split = split_dataset(data, EXACT)
    for name, count in data.counts().items():
        assert abs(split.test.counts()[name] - 0.15 * count) <= 2
    assert abs(len(split.test) - 300) <= 5


def test_no_valid_or_no_test():
    data = make({"a": 40, "b": 60})
    split = split_dataset(data, DataSettings(test_fraction=0, near_duplicates=1.0))
    assert split.test is None
    assert len(split.train) + len(split.valid) == 100
    split = split_dataset(data, DataSettings(valid_fraction=0, near_duplicates=1.0))
    assert len(split.valid) == 0
    assert list(split.parts()) == ["train", "test"]


def test_data_that_cannot_be_split():
    with pytest.raises(DataError, match="only one class"):
        split_dataset(make({"a": 10}))
    with pytest.raises(
        DataError, match=r"position 10: only this row has the label 'b'"
    ):
        split_dataset(make({"a": 10, "b": 1}))
    with pytest.raises(DataError, match=r"4 texts in 2 groups .* too few for parts"):
        split_dataset(make({"a": 2, "b": 2}, copies=2), EXACT)
    with pytest.raises(SettingsError, match=r"at most 0.95. Got 0.5 \+ 0.5"):
        split_dataset(
            make({"a": 9, "b": 9}), DataSettings(valid_fraction=0.5, test_fraction=0.5)
        )


def with_parts(parts):
    frame_labels = ["a", "b"] * (len(parts) // 2)
    data = Dataset.from_lists([f"text {i}" for i in range(len(parts))], frame_labels)
    return replace(data, parts=tuple(parts))


def test_a_split_column_decides_the_split():
    data = with_parts(["train"] * 10 + ["valid"] * 4 + ["test"] * 2)
    split = split_dataset(data)
    assert split.train.lines == tuple(range(10))
    assert split.valid.lines == tuple(range(10, 14))
    assert split.test.lines == (14, 15)


def test_a_split_column_without_valid_or_train():
    split = split_dataset(with_parts(["train"] * 90 + ["test"] * 10), EXACT)
    assert split.test.lines == tuple(range(90, 100))
    assert len(split.valid) == pytest.approx(15, abs=1)
    with pytest.raises(DataError, match="no row has 'train' in the split column"):
        split_dataset(with_parts(["valid", "test"] * 4))


def test_leaks_are_counted():
    data = Dataset.from_lists(["a b", "c d", "A  b", "e f"], ["x", "y", "x", "y"])
    split = Split(data.take([0, 1]), data.take([2]), data.take([3, 0]))
    assert count_leaks(split) == {
        ("train", "valid"): 1,
        ("train", "test"): 1,
        ("valid", "test"): 1,
    }


def test_hold_out():
    data = make({"a": 100, "b": 50})
    rest, held = hold_out(data, 0.2, seed=1, near_duplicates=1.0)
    assert data.take(held).counts() == {"a": 20, "b": 10}
    assert sorted([*rest, *held]) == list(range(150))
    with pytest.raises(SettingsError, match=r"between 0 and 1. Got 1 instead"):
        hold_out(data, 1)


@pytest.mark.parametrize("copies", [1, 3])
def test_folds(copies):
    data = make({"a": 90, "b": 60, "c": 30}, copies=copies)
    groups = group_duplicates(data.texts, 1.0)
    folds = stratified_folds(data, 5, seed=0, near_duplicates=1.0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(180))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == 180
        for name, count in data.take(test).counts().items():
            assert abs(count - data.counts()[name] / 5) <= copies


def test_a_class_of_two_rows_is_in_every_training_set():
    data = make({"a": 20, "b": 20, "rare": 2})
    assert split_dataset(data, EXACT).train.counts()["rare"] == 2
    for train, _ in stratified_folds(data, 3, near_duplicates=1.0):
        assert data.take(train).counts()["rare"] in (1, 2)
    parts = [*["train", "test"] * 19, "valid", "train", "train", "test"]
    split = split_dataset(replace(data, parts=tuple(parts)))
    assert split.train.counts()["rare"] == 1


def test_impossible_folds_are_errors():
    data = make({"a": 2, "b": 2})
    with pytest.raises(SettingsError, match=r"at least 2 folds. Got 1"):
        stratified_folds(data, 1)
    with pytest.raises(DataError, match=r"too few for 6 folds"):
        stratified_folds(data, 6, near_duplicates=1.0)
