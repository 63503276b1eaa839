"""Pooling sees real positions only, and keeps what it says it keeps."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.models import pooling

RNG = np.random.default_rng(0)
LENGTHS = (5, 1, 0, 3)
# All negative: padding that were zero would win every maximum.
FEATURES = -1 - RNG.random((4, 5, 2)).astype(np.float32)
MASK = np.arange(5) < np.array(LENGTHS)[:, None]


def real(row: int) -> np.ndarray:
    return FEATURES[row, : LENGTHS[row]]


def test_the_maximum_is_of_real_positions() -> None:
    found = pooling.MaskedGlobalMaxPooling()(FEATURES, MASK).numpy()
    for row in (0, 1, 3):
        np.testing.assert_array_equal(found[row], real(row).max(0))
    np.testing.assert_array_equal(found[2], 0)


def test_the_average_is_of_real_positions() -> None:
    found = pooling.MaskedGlobalAveragePooling()(FEATURES, MASK).numpy()
    for row in (0, 1, 3):
        np.testing.assert_allclose(found[row], real(row).mean(0), rtol=1e-6)
    np.testing.assert_array_equal(found[2], 0)


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_k_maxima_keep_their_order(k: int) -> None:
    found = pooling.MaskedKMaxPooling(k)(FEATURES, MASK).numpy()
    assert found.shape == (4, 2 * k)
    for row in range(4):
        for channel, values in enumerate(real(row).T):
            largest = np.sort(np.argsort(-values)[:k])
            expected = np.zeros(k, np.float32)
            expected[: len(largest)] = values[largest]
            place = slice(channel * k, (channel + 1) * k)
            np.testing.assert_array_equal(found[row, place], expected)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3), (7, 2)])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_windows_begin_at_the_first_word(size: int, stride: int, extra: int) -> None:
    features = np.pad(FEATURES, [(0, 0), (0, extra), (0, 0)], constant_values=9)
    mask = np.pad(MASK, [(0, 0), (0, extra)])
    found, kept = pooling.MaskedMaxPooling(size, stride)(features, mask)
    for row in range(4):
        windows = [
            real(row)[start : start + size] for start in range(0, LENGTHS[row], stride)
        ]
        assert kept.numpy()[row].sum() == len(windows)
        for number, window in enumerate(windows):
            np.testing.assert_array_equal(found.numpy()[row, number], window.max(0))
        np.testing.assert_array_equal(found.numpy()[row, len(windows) :], 0)


def test_the_first_positions_lie_side_by_side() -> None:
    found = pooling.FirstPositions(3)(FEATURES, MASK).numpy()
    np.testing.assert_array_equal(found[0], FEATURES[0, :3].ravel())
    np.testing.assert_array_equal(found[1], [*FEATURES[1, 0], 0, 0, 0, 0])
    np.testing.assert_array_equal(found[2], 0)


@pytest.mark.parametrize(
    "layer",
    [
        pooling.MaskedKMaxPooling(2),
        pooling.MaskedMaxPooling(3, 2),
        pooling.FirstPositions(4),
    ],
)
def test_layers_are_built_again_from_their_settings(layer) -> None:
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
