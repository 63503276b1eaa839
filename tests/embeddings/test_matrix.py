"""Word vectors in the order of a vocabulary, whatever forms a file knows."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.embeddings.matrix import embedding_matrix, random_matrix
from emoclf.embeddings.spellings import EXACT, OTHER_CASE, OTHER_SPELLING, PARTS
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import VectorsError
from emoclf.text.vocabulary import Vocabulary


def vectors(*words: str) -> WordVectors:
    rng = np.random.default_rng(3)
    return WordVectors(words, rng.normal(0, 0.4, (len(words), 50)).astype(np.float32))


def row(given: WordVectors, word: str) -> np.ndarray:
    return given.matrix[given.words.index(word)]


@pytest.mark.parametrize("through_a_file", [False, True])
def test_rows_stand_in_the_order_of_ids(tmp_path, through_a_file: bool) -> None:
    given = vectors("a", "c", "b")
    vocabulary = Vocabulary(["b", "missing", "a"])
    source = save_vectors(given, tmp_path / "v.bin") if through_a_file else given
    matrix, coverage = embedding_matrix(
        source, vocabulary, counts={"b": 5, "missing": 3}
    )
    assert matrix.shape == (5, 50)
    assert matrix.dtype == np.float32
    assert not matrix[0].any()
    np.testing.assert_array_equal(matrix[2], row(given, "b"))
    np.testing.assert_array_equal(matrix[4], row(given, "a"))
    # Unknown words are taken to be like those that are known.
    np.testing.assert_allclose(matrix[1], (row(given, "a") + row(given, "b")) / 2)
    # "a" comes from the vectors, not from the texts.
    assert (coverage.types, coverage.types_found) == (2, 1)
    assert (coverage.running, coverage.running_found) == (8, 5)
    assert coverage.missing == (("missing", 3),)
    assert "62.5%" in coverage.lines()[0]


def test_missing_rows_have_the_variance_of_found_ones() -> None:
    given = vectors(*(f"w{i}" for i in range(300)))
    missing = [f"m{i}" for i in range(300)]
    matrix, _ = embedding_matrix(given, Vocabulary([*given.words, *missing]))
    assert matrix[302:].std() == pytest.approx(given.matrix.std(), rel=0.03)
    again, _ = embedding_matrix(given, Vocabulary([*given.words, *missing]))
    np.testing.assert_array_equal(matrix, again)
    other, _ = embedding_matrix(given, Vocabulary([*given.words, *missing]), seed=1)
    assert (matrix[302:] != other[302:]).any()


@pytest.mark.parametrize(
    ("known", "word", "way", "parts"),
    [
        (("didn't", "did", "n't"), "didn't", EXACT, ("didn't",)),
        (("did", "n't"), "didn't", PARTS, ("did", "n't")),
        (("it", "'s"), "it's", PARTS, ("it", "'s")),
        (("didnt",), "didn't", OTHER_SPELLING, ("didnt",)),
        (("Paris",), "paris", OTHER_CASE, ("Paris",)),
        (("NASA",), "nasa", OTHER_CASE, ("NASA",)),
        (("!",), "!!!", OTHER_SPELLING, ("!",)),
        (("####", "##"), "1995", OTHER_SPELLING, ("####",)),
    ],
)
def test_other_peoples_conventions(
    known: tuple[str, ...], word: str, way: str, parts: tuple[str, ...]
) -> None:
    given = vectors(*known)
    matrix, coverage = embedding_matrix(given, Vocabulary([word]))
    assert coverage.served == {way: 1}
    expected = np.mean([row(given, part) for part in parts], axis=0)
    np.testing.assert_allclose(matrix[2], expected, atol=1e-6)


def test_no_overlap_is_an_error() -> None:
    with pytest.raises(VectorsError, match=r"bonjour|language"):
        embedding_matrix(vectors("hello", "world"), Vocabulary(["bonjour"]))


def test_little_coverage_is_said() -> None:
    vocabulary = Vocabulary(["a", *(f"m{i}" for i in range(9))])
    _, coverage = embedding_matrix(vectors("a"), vocabulary)
    assert coverage.share_of_types == pytest.approx(0.1)
    assert any("This coverage is low" in line for line in coverage.lines())


def test_random_rows_are_kims() -> None:
    matrix = random_matrix(Vocabulary(list("abcdef")), 40, seed=2)
    assert not matrix[0].any()
    assert np.abs(matrix[1:]).max() <= 0.25
    assert matrix[1:].std() == pytest.approx(0.25 / np.sqrt(3), rel=0.1)
