"""Vector instructions and plain loops compute the same maxima as NumPy."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import random_networks as networks

from emoclf.export.folded import export_folded
from emoclf.export.parity import HARD_TEXTS
from emoclf.folded import compiled, load_folded, vector_sums
from emoclf.folded.compiled import CompiledConvolution
from emoclf.folded.loops import pad_texts, write_maxima_plainly
from emoclf.folded.stored_vectors import StoredVectors
from emoclf.folded.text_cnn import Convolution, NumpyConvolution, TextBlock
from emoclf.folded.word_rows import (
    CACHE_LINE_BYTES,
    WordRows,
    _aligned_zeros,
    kernel_by_shift,
    round_to_int8,
    round_to_int16,
    windows_of,
)

N_WORDS = 40
ROUNDINGS = {"int16": round_to_int16, "int8": round_to_int8}


def aligned(numbers: np.ndarray) -> np.ndarray:
    """Return a copy that begins with a cache line, as tables do."""
    copy = _aligned_zeros(numbers.size, numbers.dtype)
    copy[:] = numbers.ravel()
    return copy.reshape(numbers.shape)


def numpy_maxima(
    tables: np.ndarray, texts: list[np.ndarray], stride: int
) -> np.ndarray:
    """Return the largest sums, text by text and window by window.

    Parameters
    ----------
    tables : ndarray, shape (n_words, window_words, n_filters)
    texts : list of ndarray of int
        Padded texts.
    stride : int
    """
    _, window_words, n_filters = tables.shape
    lowest = -np.inf if tables.dtype == np.float32 else -32768
    maxima = np.full((len(texts), n_filters), lowest)
    for text, ids in enumerate(texts):
        for start in range(0, len(ids) - window_words + 1, stride):
            window = [tables[ids[start + i], i] for i in range(window_words)]
            maxima[text] = np.maximum(maxima[text], np.sum(window, 0, np.float64))
    return maxima


@pytest.mark.slow
@pytest.mark.parametrize("write", [vector_sums.write_maxima, write_maxima_plainly])
@pytest.mark.parametrize(
    ("dtype", "window_words", "stride"),
    [
        ("float32", 1, 1),
        ("float32", 3, 2),
        ("float32", 7, 1),
        ("float32", 15, 1),
        ("float32", 30, 1),
        ("int16", 2, 1),
        ("int16", 5, 3),
        ("int16", 21, 1),
        ("int8", 1, 2),
        ("int8", 4, 1),
        ("int8", 30, 1),
    ],
)
def test_maxima_of_random_shapes(
    write: Any, dtype: str, window_words: int, stride: int
) -> None:
    rng = np.random.default_rng(window_words)
    group_size = CACHE_LINE_BYTES // np.dtype(dtype).itemsize
    bound = 32000 // window_words
    if dtype == "int8":
        bound = min(bound, 127)
    shape = 3, N_WORDS, window_words, group_size
    table = aligned(rng.uniform(-bound, bound, shape).astype(dtype))
    before, after = window_words // 2, window_words // 2 + 3
    first = min(before, 2)
    sum_type = np.float32 if dtype == "float32" else np.int16
    for n_texts in (1, 2, 9):
        lengths = rng.integers(0, 3 * window_words + 5, n_texts)
        lengths[n_texts // 2] = 0
        flat = rng.integers(0, N_WORDS, lengths.sum()).astype(np.int32)
        words = pad_texts(flat, lengths, before, after)
        ends = np.cumsum(lengths + before + after)
        texts = [
            words[end - length - before - after + first : end]
            for end, length in zip(ends, lengths, strict=True)
        ]
        # Padding alone is no window of an empty text.
        texts = [ids if n else ids[:0] for ids, n in zip(texts, lengths, strict=True)]
        counts = np.array(
            [max(len(ids) - window_words + stride, 0) // stride for ids in texts]
        )
        maxima = np.full((n_texts, 5 * group_size), 77, sum_type)
        inner = maxima[:, group_size:-group_size]
        write(
            words,
            lengths,
            counts,
            None if stride == 1 else stride,
            before + after,
            first,
            (0,) * window_words,
            table.ravel(),
            N_WORDS,
            maxima,
            group_size,
        )
        expected = numpy_maxima(np.concatenate(list(table), axis=2), texts, stride)
        if dtype == "float32":
            np.testing.assert_allclose(inner, expected, rtol=1e-5, atol=0.05)
        else:
            np.testing.assert_array_equal(inner, expected)
        # Nothing is written beside them.
        assert (maxima[:, :group_size] == 77).all()
        assert (maxima[:, -group_size:] == 77).all()


@pytest.mark.parametrize("dtype", ["float32", "int16", "int8"])
@pytest.mark.parametrize(
    ("sizes", "padding", "stride"),
    [
        ((3, 4, 5), "same", 1),
        ((1, 30), "same", 1),
        ((30,), "valid", 1),
        ((7, 2), "same", 2),
        ((3,), "valid", 3),
    ],
)
def test_compiled_convolution_equals_numpy(
    sizes: tuple[int, ...], padding: str, stride: int, dtype: str
) -> None:
    rng = np.random.default_rng(sum(sizes))
    vectors = rng.normal(0, 1, (N_WORDS, 6)).astype(np.float32)
    vectors[0] = 0
    (windows,) = windows_of(sizes, padding, stride)
    kernels = {size: rng.normal(0, 1, (size, 6, 21)).astype("f4") for size in sizes}
    kernel = kernel_by_shift(windows, kernels)
    stored = StoredVectors(vectors)
    rounding = None
    if dtype != "float32":
        rows = WordRows(stored, kernel.reshape(6, -1))
        rounding = ROUNDINGS[dtype](rows, len(windows.shifts))
    bias = np.zeros(21 * len(sizes), np.float32)
    convolution = Convolution(windows, kernel, bias, rounding, stored)
    lengths = np.sort(rng.integers(0, 60, 40))[::-1].copy()
    lengths[-2:] = 0
    flat = rng.integers(0, N_WORDS, lengths.sum()).astype(np.int32)
    numpy, numba = NumpyConvolution(convolution), CompiledConvolution(convolution)
    for layer in (numpy, numba):
        layer.rows.compute(flat)
    starts = np.cumsum(lengths) - lengths
    expected = numpy.maxima(TextBlock(np.append(flat, np.int32(0)), starts, lengths))
    maxima = numba.maxima(flat, lengths)[:, : numba.n_filters]
    expected = expected[:, numba.layout.order]
    if dtype == "float32":
        np.testing.assert_allclose(maxima, expected, rtol=1e-5, atol=1e-4)
    else:
        np.testing.assert_array_equal(maxima, expected)


@pytest.fixture(scope="module")
def folded_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    predictor = networks.random_predictor(filters=9, padding="valid")
    return export_folded(predictor, tmp_path_factory.mktemp("e") / "f")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int16", "int8"])
def test_plain_loops_are_used_if_vectors_do_not_compile(
    precision: str,
    folded_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = ["", *networks.texts()]
    folded = load_folded(folded_path, precision=precision, engine="numba")
    expected = folded.predict_proba(texts)

    def fail(*arguments: Any) -> None:
        raise AttributeError("module 'llvmlite.ir' has no attribute 'VectorType'")

    monkeypatch.setattr(vector_sums, "write_maxima", fail)
    monkeypatch.setattr(compiled, "write_maxima", compiled.MaximaWriter())
    with caplog.at_level(logging.WARNING):
        plain = folded.predict_proba(texts)
    np.testing.assert_allclose(plain, expected, atol=1e-6)
    (record,) = caplog.records
    assert "has no attribute 'VectorType'" in record.message
    assert "Plain loops are used instead" in record.message


@pytest.mark.parametrize(
    ("cpu_features", "filters", "bits", "window_words", "expected"),
    [
        ("+avx2,+avx512vl", 64, 16, 5, 64),
        ("+avx2,+avx512vl", 64, 16, 30, 32),
        ("+avx2,+fma", 16, 32, 5, 16),
        ("+avx2,+fma", 64, 16, 5, 32),
        ("+neon", 16, 32, 9, 8),
        ("", 16, 32, 5, 8),
        ("", 16, 32, 17, 0),
    ],
)
def test_open_windows_fit_the_registers(
    cpu_features: str, filters: int, bits: int, window_words: int, expected: int
) -> None:
    count = vector_sums._filters_in_registers(cpu_features, filters, bits, window_words)
    assert count == expected


@pytest.mark.slow
def test_a_processor_with_few_registers_computes_the_same(tmp_path: Path) -> None:
    # Compiled without AVX: a quarter of a group is summed at a time, and the windows of
    # the wide kernel one by one.
    predictor = networks.random_predictor(filters=50, kernel_sizes=(5, 17))
    path = export_folded(predictor, tmp_path / "f")
    texts = [*HARD_TEXTS, *networks.texts()]
    precisions = ["float32", "int8"]
    program = (
        "import numpy, pickle, sys\n"
        "from emoclf.folded import load_folded\n"
        "path, precisions, texts = pickle.load(sys.stdin.buffer)\n"
        "for precision in precisions:\n"
        "    folded = load_folded(path, precision=precision, engine='numba')\n"
        "    numpy.save(path / precision, folded.predict_proba(texts))\n"
    )
    least = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((path, precisions, texts)),
        env={**os.environ, **least, "NUMBA_CACHE_DIR": str(tmp_path)},
        check=True,
    )
    for precision in precisions:
        folded = load_folded(path, precision=precision, engine="numba")
        expected = np.load(path / f"{precision}.npy")
        np.testing.assert_allclose(expected, folded.predict_proba(texts), atol=1e-6)
