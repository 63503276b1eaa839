"""Length buckets: every text once, the same plan for the same seed and epoch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from emoclf.batching import pad
from emoclf.errors import SettingsError
from emoclf.training.batches import Examples, LengthBuckets, plan_batches
from emoclf.training.sample_weights import example_weights

LENGTHS = st.lists(st.integers(0, 200), min_size=1, max_size=120).map(np.array)


@given(lengths=LENGTHS, size=st.integers(1, 40), epoch=st.integers(0, 50))
def test_every_text_once(lengths: np.ndarray, size: int, epoch: int) -> None:
    plan = plan_batches(lengths, size, seed=3, epoch=epoch)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    assert max(map(len, plan)) <= size
    again = plan_batches(lengths, size, seed=3, epoch=epoch)
    assert all((a == b).all() for a, b in zip(plan, again, strict=True))


def test_epochs_and_seeds_differ() -> None:
    lengths = np.arange(100) % 30
    plans = [
        np.concatenate(plan_batches(lengths, 8, seed=seed, epoch=epoch)).tolist()
        for seed, epoch in [(0, 0), (0, 1), (1, 0)]
    ]
    assert plans[0] != plans[1] != plans[2] != plans[0]


def test_padding_is_at_most_a_quarter() -> None:
    lengths = np.random.default_rng(0).lognormal(3, 0.7, 3000).astype(int) + 1
    plan = plan_batches(lengths, 50, seed=0, epoch=0)
    padded = sum(lengths[batch].max() * len(batch) for batch in plan)
    assert padded < 1.25 * lengths.sum()
    assert len(lengths) * lengths.max() > 5 * padded


def test_padding() -> None:
    assert pad([]).shape == (0, 1)
    assert pad([np.array([], np.int32)]).tolist() == [[0]]
    assert pad([np.array([4, 5]), np.array([6])]).tolist() == [[4, 5], [6, 0]]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_dataset_takes_any_lengths(weighted: bool) -> None:
    # Equal lengths first: a shape guessed from them would forbid the others.
    ids = [np.ones(n, np.int32) for n in [3] * 8 + [1, 9, 0, 5]]
    weights = np.arange(12, dtype=np.float32) if weighted else None
    buckets = LengthBuckets(Examples(ids, np.arange(12, dtype=np.int32), weights), 2)
    for _ in range(2):
        batches = list(buckets.as_dataset())
        assert len(batches) == len(buckets) == 6
        seen = np.concatenate([batch[1].numpy() for batch in batches])
        assert sorted(seen.tolist()) == list(range(12))
        if weighted:
            np.testing.assert_array_equal(
                np.concatenate([batch[2].numpy() for batch in batches]), seen
            )


def test_balanced_weights_are_scikit_learns() -> None:
    targets = np.array([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    weights = example_weights(targets, "abc", class_weight="balanced")
    np.testing.assert_allclose(weights, expected[targets])


def test_class_and_sample_weights_are_multiplied() -> None:
    targets = np.array([0, 1, 1])
    weights = example_weights(
        targets, "ab", class_weight={"b": 3}, sample_weight=np.array([1, 2, 0.5])
    )
    assert weights is not None
    assert weights.tolist() == [1, 6, 1.5]
    assert example_weights(targets, "ab") is None


def test_a_multilabel_text_has_the_mean_weight_of_its_labels() -> None:
    targets = np.array([[1, 1], [0, 1], [0, 0]], np.float32)
    weights = example_weights(targets, "ab", class_weight={"a": 3, "b": 1})
    assert weights is not None
    assert weights.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"class_weight": "equal"}, "'balanced' or a weight for each"),
        ({"class_weight": {"angr": 1}}, "Did you mean 'anger'"),
        ({"class_weight": {"joy": -1}}, "at least 0. Got -1"),
        ({"sample_weight": np.ones(3)}, "2 numbers of at least 0"),
        ({"sample_weight": np.array([1, -1])}, "minimum of -1"),
    ],
)
def test_wrong_weights_are_refused(values: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        example_weights(np.array([0, 1]), ["anger", "joy"], **values)
