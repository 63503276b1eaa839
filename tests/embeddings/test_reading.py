"""Every kind of vector file is read, whole or only where needed; damage is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import save_facebook_model

from emoclf.embeddings.vector_files import open_vectors
from emoclf.embeddings.word_vectors import (
    WordVectors,
    frequent_words,
    read_vectors,
    save_vectors,
)
from emoclf.errors import VectorsError

WORDS = ("the", "good", "Paris", "didn't", "naïve", "我")
MATRIX = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
VECTORS = WordVectors(WORDS, MATRIX)


def keyed() -> KeyedVectors:
    vectors = KeyedVectors(5)
    vectors.add_vectors(list(WORDS), MATRIX)
    return vectors


def write(folder: Path, kind: str) -> Path:
    """Write the vectors in one of the formats, mostly by gensim."""
    path = folder / kind
    if kind.startswith("glove"):
        rows = zip(WORDS, MATRIX, strict=True)
        lines = [" ".join([w, *(f"{x:.9g}" for x in row)]) for w, row in rows]
        text = "\n".join(lines) + "\n"
        path.write_bytes(
            gzip.compress(text.encode()) if kind.endswith("gz") else text.encode()
        )
    elif kind == "saved.kv":
        keyed().save(str(path))
    elif kind == "ours.bin":
        save_vectors(VECTORS, path)
    else:
        keyed().save_word2vec_format(str(path), binary=".bin" in kind)
    return path


KINDS = (
    "w2v.bin",
    "w2v.bin.gz",
    "w2v.txt",
    "w2v.txt.gz",
    "fasttext.vec",
    "glove.txt",
    "glove.txt.gz",
    "saved.kv",
    "ours.bin",
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    everything = read_vectors(path)
    assert everything.words == WORDS
    np.testing.assert_allclose(everything.matrix, MATRIX, rtol=1e-5)
    some = read_vectors(path, words={"我", "good", "nowhere"})
    assert some.words == ("good", "我")
    np.testing.assert_allclose(some.matrix, MATRIX[[1, 5]], rtol=1e-5)
    assert frequent_words(path, 2) == ["the", "good"]
    assert open_vectors(path).dim == 5


def test_a_whole_model_of_gensims(tmp_path: Path) -> None:
    model = Word2Vec([["a", "b", "c"]] * 9, vector_size=4, min_count=1)
    model.save(str(tmp_path / "saved.model"))
    found = read_vectors(tmp_path / "saved.model", words={"b"})
    np.testing.assert_array_equal(found.matrix, [model.wv["b"]])


@pytest.fixture(scope="module")
def facebook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FastText]:
    texts = [["playing", "player", "played"], ["good", "goodness"]] * 20
    model = FastText(vector_size=6, min_count=1, bucket=50, epochs=2, seed=1)
    model.build_vocab(texts)
    model.train(texts, total_examples=40, epochs=2)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return path, model


def test_fasttext_bin_with_sub_words(facebook: tuple[Path, FastText]) -> None:
    path, model = facebook
    found = read_vectors(path, words={"player"}, compose=["plays", "player"])
    assert found.words == ("player", "plays")
    assert found.composed == {"plays"}
    for word, row in zip(found.words, found.matrix, strict=True):
        np.testing.assert_allclose(row, model.wv[word], atol=1e-5)


def test_a_fasttext_bin_that_is_cut_short(
    facebook: tuple[Path, FastText], tmp_path: Path
) -> None:
    data = facebook[0].read_bytes()
    for share in (0.9, 0.3, 0.01):
        (tmp_path / "cut.bin").write_bytes(data[: int(share * len(data))])
        with pytest.raises(VectorsError, match=r"cut short|damaged"):
            read_vectors(tmp_path / "cut.bin", words={"player"})


@pytest.mark.parametrize("kind", ["w2v.bin", "w2v.txt", "w2v.bin.gz", "glove.txt.gz"])
def test_a_truncated_file(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(VectorsError, match=r"cut short|damaged"):
        read_vectors(path, words={"the"})


def test_a_number_that_is_none(tmp_path: Path) -> None:
    bad = MATRIX.copy()
    bad[1, 2] = np.nan
    path = save_vectors(WordVectors(WORDS, bad), tmp_path / "nan.bin")
    with pytest.raises(VectorsError, match=r"'good'.*nan"):
        read_vectors(path, words={"the", "good"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a file of word vectors"),
        (b"text,label\nwhat a day,joy\n", "not a file of word vectors"),
        (b"3 4\nthe 1 2 3 4\nof 1 2 3\na 1 2 3 4\n", "line 3"),
        (b"9 2\nthe 1 2\nof 3 4\n", "promises 9 vectors"),
        (b"the 1 2 3\nof 1 2 x\n", "line 2"),
    ],
)
def test_what_is_no_file_of_vectors(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match=message):
        read_vectors(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "w2v.bin")
    with pytest.raises(VectorsError, match=r"no file .*w2v.txt"):
        read_vectors(tmp_path / "w2v.txt")
    with pytest.raises(VectorsError, match="is a directory"):
        read_vectors(tmp_path)


def test_a_failed_save_keeps_what_was_there(tmp_path: Path) -> None:
    path = save_vectors(VECTORS, tmp_path / "v.bin")
    with pytest.raises(VectorsError, match="Cannot write"):
        save_vectors(VECTORS, path / "inside.bin")
    assert read_vectors(path).words == WORDS
    assert [p.name for p in tmp_path.iterdir()] == ["v.bin"]
