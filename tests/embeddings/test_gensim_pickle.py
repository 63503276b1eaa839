"""Files of gensim are read, and nothing that a pickle contains is run.

gensim 3.8.3 wrote everything in ``gensim-3.8.3.tar.xz``; this is never changed.
"""

from __future__ import annotations

import gzip
import os
import pickle
import runpy
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import Doc2Vec, FastText, KeyedVectors, Word2Vec
from gensim.models.doc2vec import TaggedDocument

from emoclf.embeddings.word_vectors import read_vectors
from emoclf.errors import VectorsError

ARCHIVE = Path(__file__).with_name("gensim-3.8.3.tar.xz")
TEXTS = [["playing", "player", "played"], ["good", "goodness"]] * 9


class Call:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.pair = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.pair


def keyed() -> KeyedVectors:
    vectors = KeyedVectors(3)
    vectors.add_vectors(["good", "bad"], np.arange(6, dtype="f4").reshape(2, 3))
    return vectors


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written by gensim 3.8.3")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("name", ["keyed.kv", "apart.kv"])
def test_keyed_vectors_of_gensim_3(old: Path, name: str) -> None:
    found = read_vectors(old / name)
    assert found.words == ("good", "bad", "naïve")
    np.testing.assert_array_equal(found.matrix, np.arange(12).reshape(3, 4) / 8)


def test_models_of_gensim_3(old: Path) -> None:
    found = read_vectors(old / "word2vec.model", words={"bad"})
    np.testing.assert_allclose(found.matrix[0, :2], [0.096365020, -0.072794057])
    for name in ("fasttext.model", "fasttext.kv"):
        found = read_vectors(old / name, words={"good"}, compose=["goods"])
        np.testing.assert_allclose(
            found.matrix[:, 0], [-0.0301827732, 0.0427805521], rtol=1e-6
        )


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "saved.kv"
    keyed().save(str(path), pickle_protocol=protocol)
    np.testing.assert_array_equal(read_vectors(path).matrix, keyed().vectors)


@pytest.mark.parametrize("whole", [True, False])
def test_fasttext_of_gensim_4(tmp_path: Path, whole: bool) -> None:
    model = FastText(TEXTS, vector_size=4, min_count=1, bucket=50, epochs=1)
    (model if whole else model.wv).save(str(tmp_path / "saved"))
    found = read_vectors(tmp_path / "saved", compose=["plays"])
    assert found.words == (*model.wv.index_to_key, "plays")
    for word, row in zip(found.words, found.matrix, strict=True):
        np.testing.assert_allclose(row, model.wv[word], atol=1e-6)


def test_arrays_beside_the_file(tmp_path: Path) -> None:
    model = Word2Vec(TEXTS, vector_size=4, min_count=1)
    model.wv.vectors.setflags(write=True)
    model.wv.save(str(tmp_path / "saved.kv"), separately=["vectors"])
    found = read_vectors(tmp_path / "saved.kv")
    np.testing.assert_array_equal(found.matrix, model.wv.vectors)
    (tmp_path / "saved.kv.vectors.npy").unlink()
    with pytest.raises(VectorsError, match=r"no file .*saved.kv.vectors.npy"):
        read_vectors(tmp_path / "saved.kv")


def test_a_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "saved.kv.gz"
    keyed().save(str(path), separately=["vectors"])
    np.testing.assert_array_equal(read_vectors(path).matrix, keyed().vectors)
    # A file that was compressed by hand.
    keyed().save(str(tmp_path / "saved.kv"))
    path.write_bytes(gzip.compress((tmp_path / "saved.kv").read_bytes()))
    np.testing.assert_array_equal(read_vectors(path).matrix, keyed().vectors)


def test_words_of_numpy(tmp_path: Path) -> None:
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(np.array(["good", "naïve"])), np.eye(2, 3, dtype="f8"))
    vectors.save(str(tmp_path / "saved.kv"))
    assert read_vectors(tmp_path / "saved.kv").words == ("good", "naïve")


def test_vectors_of_documents_are_refused(tmp_path: Path) -> None:
    model = Doc2Vec([TaggedDocument(["a", "b"], [n]) for n in range(9)], min_count=1)
    model.save(str(tmp_path / "whole"))
    assert read_vectors(tmp_path / "whole").words == tuple(model.wv.index_to_key)
    model.dv.save(str(tmp_path / "documents"))
    with pytest.raises(VectorsError, match="no words"):
        read_vectors(tmp_path / "documents")


@pytest.mark.parametrize("where", ["alone", "attribute", "word", "array"])
@pytest.mark.parametrize(
    "call",
    [
        lambda mark: Call(Path.touch, Path(mark)),
        lambda mark: Call(os.mkdir, mark),
        lambda mark: Call(os.system, f"touch {mark}"),
        lambda mark: Call(eval, f"open({mark!r}, 'w')"),
        lambda mark: Call(getattr, [], "append"),
        lambda mark: Call(runpy.run_path, mark),
        lambda mark: Call(np.save, mark, 1),
        lambda mark: Call(np.load, mark, None, True),
        lambda mark: Call(np.memmap, mark, "u1", "w+", 0, (4,)),
        lambda mark: Call(open, mark, "w"),
    ],
)
def test_nothing_is_run(
    tmp_path: Path, call: Callable[[str], Call], where: str
) -> None:
    mark, vectors = tmp_path / "mark", keyed()
    evil: Any = call(str(mark))
    if where == "attribute":
        vectors.expandos = {"count": evil}
    elif where == "word":
        vectors.index_to_key = ["good", evil]
    elif where == "array":
        vectors.vectors = np.array([evil, evil], object)
    path = tmp_path / "vectors.txt"
    path.write_bytes(pickle.dumps(evil if where == "alone" else vectors, 4))
    with pytest.raises(VectorsError, match=r"nothing of it was run.*word2vec"):
        read_vectors(path)
    assert not mark.exists()


def test_an_array_beside_the_file_is_no_pickle(tmp_path: Path) -> None:
    keyed().save(str(tmp_path / "saved.kv"), separately=["vectors"])
    array = np.array([Call(os.mkdir, str(tmp_path / "mark"))], object)
    np.save(tmp_path / "saved.kv.vectors.npy", array)
    with pytest.raises(VectorsError, match="cannot be read"):
        read_vectors(tmp_path / "saved.kv")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("value", [{"good": np.ones(3)}, [1, 2], None, "words"])
def test_other_pickles_are_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "vectors.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(VectorsError, match=r"not of gensim's word vectors"):
        read_vectors(path)


def test_a_damaged_pickle(tmp_path: Path) -> None:
    path = tmp_path / "saved.kv"
    keyed().save(str(path))
    data = path.read_bytes()
    for place in range(2, len(data), 7):
        path.write_bytes(data[:place])
        with pytest.raises(VectorsError):
            read_vectors(path)
        changed = bytearray(data)
        changed[place] ^= 0x41
        path.write_bytes(changed)
        with suppress(VectorsError):
            read_vectors(path)


def test_a_function_of_a_pickle_keeps_its_own_attributes(tmp_path: Path) -> None:
    # encode, ({}, {"__defaults__": ("utf-8",)}), BUILD
    path = tmp_path / "v.pkl"
    state = pickle.dumps(({}, {"__defaults__": ("utf-8",)}), 2)[2:-1]
    path.write_bytes(b"\x80\x02c_codecs\nencode\n" + state + b"b.")
    with pytest.raises(VectorsError, match="a function has no state"):
        read_vectors(path)


def test_what_stands_for_words_is_not_written_out(tmp_path: Path) -> None:
    vectors, nested = keyed(), ["word"]
    for _ in range(60):
        nested = [nested, nested]
    vectors.index_to_key = nested
    path = tmp_path / "v.pkl"
    path.write_bytes(pickle.dumps(vectors))
    with pytest.raises(VectorsError, match="no words, but a list of list"):
        read_vectors(path)
