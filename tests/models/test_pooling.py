"""Pooling layers use real positions only."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.models import pooling

RNG = np.random.default_rng(0)
LENGTHS = (5, 1, 0, 3)
# All negative: padding of zero would be the largest value.
FEATURES = -1 - RNG.random((4, 5, 2)).astype(np.float32)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]


def real(row: int) -> np.ndarray:
    return FEATURES[row, : LENGTHS[row]]


def test_the_maximum_of_real_positions() -> None:
    pooled = pooling.MaskedGlobalMaxPooling()(FEATURES, MASK).numpy()
    for row in (0, 1, 3):
        np.testing.assert_array_equal(pooled[row], real(row).max(0))
    np.testing.assert_array_equal(pooled[2], 0)


def test_the_average_of_real_positions() -> None:
    pooled = pooling.MaskedGlobalAveragePooling()(FEATURES, MASK).numpy()
    for row in (0, 1, 3):
        np.testing.assert_allclose(pooled[row], real(row).mean(0), rtol=1e-6)
    np.testing.assert_array_equal(pooled[2], 0)


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_k_maxima_keep_their_order(k: int) -> None:
    pooled = pooling.MaskedKMaxPooling(k)(FEATURES, MASK).numpy()
    assert pooled.shape == (4, 2 * k)
    for row in range(4):
        for channel, values in enumerate(real(row).T):
            largest = np.sort(np.argsort(-values)[:k])
            expected = np.zeros(k, np.float32)
            expected[: len(largest)] = values[largest]
            place = slice(channel * k, (channel + 1) * k)
            np.testing.assert_array_equal(pooled[row, place], expected)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3), (7, 2)])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_windows_begin_at_the_first_word(size: int, stride: int, extra: int) -> None:
    features = np.pad(FEATURES, [(0, 0), (0, extra), (0, 0)], constant_values=9)
    mask = np.pad(MASK, [(0, 0), (0, extra)])
    pooled, mask_of_windows = pooling.MaskedMaxPooling(size, stride)(features, mask)
    for row in range(4):
        windows = [
            real(row)[start : start + size] for start in range(0, LENGTHS[row], stride)
        ]
        assert mask_of_windows.numpy()[row].sum() == len(windows)
        for number, window in enumerate(windows):
            np.testing.assert_array_equal(pooled.numpy()[row, number], window.max(0))
        np.testing.assert_array_equal(pooled.numpy()[row, len(windows) :], 0)


def test_the_first_positions_are_concatenated() -> None:
    pooled = pooling.FirstPositions(3)(FEATURES, MASK).numpy()
    np.testing.assert_array_equal(pooled[0], FEATURES[0, :3].ravel())
    np.testing.assert_array_equal(pooled[1], [*FEATURES[1, 0], 0, 0, 0, 0])
    np.testing.assert_array_equal(pooled[2], 0)


@pytest.mark.parametrize(
    "layer",
    [
        pooling.MaskedKMaxPooling(2),
        pooling.MaskedMaxPooling(3, 2),
        pooling.FirstPositions(4),
    ],
)
def test_layers_are_rebuilt_from_their_config(layer) -> None:
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
