"""Several sets of word vectors side by side: matrix, coverage, settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_split

from emoclf import CoverageReport, embedding_matrix
from emoclf.cli import main
from emoclf.embeddings.matrix import JOINED_RMS
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import SettingsError, VectorsError
from emoclf.settings import RunSettings
from emoclf.text.vocabulary import Vocabulary

RNG = np.random.default_rng(0)
SMALL = WordVectors(("lovely", "dark"), RNG.normal(0, 0.01, (2, 3)), "small")
LARGE = WordVectors(("dark", "insult", "gifts"), RNG.normal(0, 9, (3, 5)), "large")
VOCABULARY = Vocabulary(["dark", "nowhere", "insult", "lovely"])
DARK, NOWHERE, INSULT, LOVELY = range(2, 6)
SPLIT = tiny_split()


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def test_sets_are_scaled_alike_and_joined_in_their_order() -> None:
    matrix, _ = embedding_matrix([SMALL, LARGE], VOCABULARY)
    assert matrix.shape == (6, 8)
    assert rms(matrix[[DARK, LOVELY], :3]) == pytest.approx(JOINED_RMS, rel=1e-5)
    assert rms(matrix[[DARK, INSULT], 3:]) == pytest.approx(JOINED_RMS, rel=1e-5)
    for word, row in (("lovely", LOVELY), ("dark", DARK)):
        of_small = SMALL.matrix[SMALL.words.index(word)]
        ratio = matrix[row, :3] / of_small
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


def test_a_word_that_one_set_lacks_has_zeros_there() -> None:
    matrix, _ = embedding_matrix([SMALL, LARGE], VOCABULARY)
    assert not matrix[INSULT, :3].any()
    assert not matrix[LOVELY, 3:].any()
    assert matrix[NOWHERE].all()
    assert not matrix[0].any()


def test_any_set_covers_a_word() -> None:
    counts = {"dark": 4, "nowhere": 1, "insult": 2, "lovely": 3}
    _, coverage = embedding_matrix([SMALL, LARGE], VOCABULARY, counts=counts)
    assert (coverage.types, coverage.types_found) == (4, 3)
    assert (coverage.running, coverage.running_found) == (10, 9)
    assert coverage.source == "small + large"
    assert coverage.dim == 8
    assert [part.running_found for part in coverage.sets] == [7, 6]
    assert "  large (5 dimensions): 60.0% of all tokens" in coverage.lines()[2]
    assert CoverageReport.from_dict(coverage.to_dict()) == coverage


def test_one_set_in_a_list_is_that_set() -> None:
    alone, coverage = embedding_matrix(SMALL, VOCABULARY)
    listed, _ = embedding_matrix([SMALL], VOCABULARY)
    np.testing.assert_array_equal(alone, listed)
    assert "sets" not in coverage.to_dict()


def test_a_set_without_any_word_is_named() -> None:
    other = WordVectors(("wort", "satz"), RNG.normal(size=(2, 3)), "German")
    with pytest.raises(VectorsError, match="German has a vector for none of the 4"):
        embedding_matrix([SMALL, other], VOCABULARY)


def test_a_set_of_zeros_is_named() -> None:
    zeros = WordVectors(("dark", "insult"), np.zeros((2, 3)), "zeros")
    with pytest.raises(VectorsError, match="zeros cannot be scaled"):
        embedding_matrix([zeros, LARGE], VOCABULARY)


def test_settings_keep_all_paths(tmp_path: Path) -> None:
    settings = RunSettings.from_flat(vectors=[tmp_path / "a.bin", "b.bin"])
    paths = (str(tmp_path / "a.bin"), "b.bin")
    assert settings.embedding.vectors == settings.embedding.vector_paths == paths
    assert RunSettings.from_toml(settings.to_toml()) == settings
    assert RunSettings.from_flat(vectors=["a.bin"]).embedding.vectors == "a.bin"
    with pytest.raises(SettingsError, match=r"list of paths\. Got WordVectors"):
        RunSettings.from_flat(vectors=["a.bin", SMALL])


def test_the_command_line_takes_a_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.csv"
    rows = zip(SPLIT.train.texts, SPLIT.train.labels, strict=True)
    lines = [f'"{text}",{label}' for text, label in rows]
    data.write_text("\n".join(["text,label", *lines]))
    a, b, comma = (tmp_path / name for name in ("a.bin", "b.bin", "c,d.bin"))
    for path, vectors in ((a, SMALL), (b, LARGE), (comma, LARGE)):
        save_vectors(vectors, path)
    call = ["vectors", "coverage", str(data), "--vectors"]
    assert main([*call, f"{a},{b}"]) == 0
    assert "a.bin + b.bin (8 dimensions)" in capsys.readouterr().out
    # A comma in the name of a file that exists separates nothing.
    assert main([*call, str(comma)]) == 0
    assert "c,d.bin (5 dimensions)" in capsys.readouterr().out
