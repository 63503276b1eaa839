"""Sequences on disk have what was stored, in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclf.batching import lengths_of
from emoclf.distillation.stored_arrays import mapped, store_arrays, store_texts


def test_arrays_of_different_lengths(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 99, n).astype(np.int32) for n in (3, 0, 5, 1, 0)]
    stored = store_arrays(tmp_path / "ids", iter(arrays), np.int32)
    assert len(stored) == 5
    assert lengths_of(stored).tolist() == [3, 0, 5, 1, 0]
    for row, array in enumerate(arrays):
        np.testing.assert_array_equal(stored[row], array)
    np.testing.assert_array_equal(stored[-3], arrays[2])
    assert [len(one) for one in stored[1:4]] == [0, 5, 1]
    with pytest.raises(IndexError):
        stored[5]


@pytest.mark.parametrize(
    "texts", [["What a day!", "", "非常好 😂", "a\nb", "\ud800"], []]
)
def test_texts(tmp_path: Path, texts: list[str]) -> None:
    stored = store_texts(tmp_path / "texts", iter(texts))
    assert list(stored) == texts
    blocks = [texts[i : i + 2] for i in range(1, len(texts), 2)]
    assert [*stored.blocks(2, 1)] == blocks


def test_the_hash_tells_texts_and_their_order_apart(tmp_path: Path) -> None:
    lists = [["ab", "c"], ["a", "bc"], ["c", "ab"], ["abc"], ["abc", ""]]
    hashes = {store_texts(tmp_path / "texts", texts).digest() for texts in lists}
    assert len(hashes) == len(lists)


def test_rows_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(np.arange(6, dtype=np.float16).tobytes())
    np.testing.assert_array_equal(mapped(path, np.float16, 3), [[0, 1, 2], [3, 4, 5]])
    path.write_bytes(b"")
    assert mapped(path, np.float16, 3).shape == (0, 3)
