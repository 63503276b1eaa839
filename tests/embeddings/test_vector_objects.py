"""Word vectors as objects, in every public call that takes a path of vectors."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from sklearn.base import clone
from tiny import tiny_dataset, tiny_settings, tiny_split

from emoclf import (
    EmotionClassifier,
    Predictor,
    compare_networks,
    embedding_matrix,
    search_settings,
    train_classifier,
)
from emoclf.embeddings.vector_objects import (
    given_vectors,
    vector_sets,
    vectors_path,
    vectors_setting,
    write_vectors,
)
from emoclf.embeddings.word_vectors import WordVectors, save_vectors
from emoclf.errors import ResumeError, SettingsError, VectorsError
from emoclf.text.vocabulary import Vocabulary
from emoclf.workflow.prepare import prepare

WORDS = ("lovely", "dark", "insult", "adorable", "route 66")
MATRIX = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
OWN = WordVectors(WORDS, MATRIX, "my vectors")
SPLIT = tiny_split()


def keyed() -> KeyedVectors:
    vectors = KeyedVectors(6)
    vectors.add_vectors(list(WORDS), MATRIX)
    return vectors


def fasttext() -> FastText:
    texts = [["lovely", "dark"], ["insult", "gifts"]] * 9
    return FastText(texts, vector_size=6, min_count=1, bucket=50, epochs=1)


def small_file(folder: Path) -> Path:
    """Write vectors of two words, of width 3."""
    return save_vectors(WordVectors(WORDS[:2], MATRIX[:2, :3]), folder / "small.bin")


def name_of(vectors: Any) -> str | tuple[str, ...] | None:
    return vectors_setting(vector_sets(vectors))


FORMS = {
    "own": OWN,
    "gensim": keyed(),
    "pair": (WORDS, MATRIX),
    "lists": (list(WORDS), MATRIX.tolist()),
    "mapping": dict(zip(WORDS, MATRIX, strict=True)),
    "frame": pd.DataFrame(MATRIX, index=list(WORDS)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    vocabulary = Vocabulary(["dark", "nowhere", "insult"])
    path = tmp_path / "v.bin"
    save_vectors(WordVectors(WORDS[:4], MATRIX[:4]), path)
    expected, _ = embedding_matrix(path, vocabulary)
    matrix, coverage = embedding_matrix(FORMS[form], vocabulary)
    np.testing.assert_array_equal(matrix, expected)
    assert coverage.types_found == 2
    _, coverage = embedding_matrix(FORMS[form], vocabulary, limit=2)
    assert coverage.types_found == 1


def test_a_model_of_gensim() -> None:
    model = Word2Vec([["dark", "lovely"]] * 9, vector_size=4, min_count=1)
    matrix, _ = embedding_matrix(model, Vocabulary(["dark"]))
    np.testing.assert_array_equal(matrix[2], model.wv["dark"])


def test_sub_words_of_an_object() -> None:
    model = fasttext()
    matrix, coverage = embedding_matrix(model.wv, Vocabulary(["darker"]))
    assert coverage.types_found == 1
    np.testing.assert_allclose(matrix[2], model.wv["darker"], atol=1e-6)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (MATRIX, r"\(words, array\), or a list of them. Got ndarray"),
        (7, "Got int"),
        ({"a", "b"}, "Got set"),
        ((3, 4), "Got tuple"),
        ([OWN, 7], "Got list"),
        ([], "Got list"),
        (["no-such.bin", OWN], "no-such.bin"),
        ((["a", "b"], MATRIX), r"shape \(2, dim\). Got \(5, 6\)"),
        ((["a"] * 5, MATRIX), "a word twice"),
        ((range(5), MATRIX), r"must be a str. Got 0 \(int\)"),
        ({"a": [1, 2], "b": [1]}, "array of numbers"),
        ({"a": "b"}, "array of numbers"),
        ({}, "shape"),
        (KeyedVectors(3), "no words"),
        ({"dark": [np.nan, 1.0]}, r"'dark' contains nan"),
    ],
)
def test_what_is_no_object_of_vectors(vectors: Any, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        embedding_matrix(vectors, Vocabulary(["dark"]))


def test_the_name_has_the_hash_of_the_content() -> None:
    assert str(name_of(OWN)).startswith("my vectors (SHA-256 ")
    assert name_of((WORDS, MATRIX)) == name_of((WORDS, MATRIX + 0))
    assert name_of((WORDS, MATRIX)) != name_of((WORDS, MATRIX + 1))
    assert name_of("v.bin") == "v.bin"
    assert name_of(None) is None
    assert name_of(["v.bin", OWN]) == ("v.bin", name_of(OWN))


@pytest.mark.parametrize("vectors", [OWN, keyed(), fasttext()])
def test_a_file_for_other_processes(tmp_path: Path, vectors: Any) -> None:
    (source,) = vector_sets(vectors)
    assert not isinstance(source, str)
    path = vectors_path(source, tmp_path)
    write_vectors(source, path)
    before = path.stat().st_mtime_ns
    write_vectors(source, path)
    assert path.stat().st_mtime_ns == before
    vocabulary = Vocabulary(["lovely", "darker", "insult"])
    expected, _ = embedding_matrix(vectors, vocabulary)
    matrix, _ = embedding_matrix(path, vocabulary)
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def test_own_vectors_are_short_to_print_and_not_copied() -> None:
    assert repr(OWN) == "<WordVectors: source my vectors, words × dimensions 5 × 6>"
    assert copy.deepcopy(OWN) is OWN


def test_settings_are_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "v.bin"
    assert tiny_settings(vectors=path).embedding.vectors == str(path)
    with pytest.raises(SettingsError, match=r"Got dict instead. Pass an object as"):
        tiny_settings(vectors=FORMS["mapping"])
    name = name_of(OWN)
    with pytest.raises(VectorsError, match="were an object, my vectors"):
        prepare(SPLIT.train, SPLIT.valid, tiny_settings(vectors=name))


def test_the_limit_is_a_setting() -> None:
    settings = tiny_settings(vectors="my vectors", vectors_limit=2)
    found = prepare(SPLIT.train, SPLIT.valid, settings, vectors=(OWN,))
    assert found.coverage is not None
    assert found.coverage.types_found == 2
    assert "adorable" not in found.encoder.vocabulary.tokens


@pytest.mark.slow
def test_training_keeps_name_and_hash(tmp_path: Path) -> None:
    settings, path = tiny_settings(vectors="given", epochs=1), small_file(tmp_path)
    sets = [path, keyed()]
    trained = train_classifier(SPLIT.train, SPLIT.valid, settings, vectors=sets)
    names = (str(path), name_of(keyed()))
    assert trained.bundle.settings.embedding.vectors == names
    assert trained.prepared.matrix.shape[1] == 3 + 6
    trained.predictor.save(tmp_path / "m")
    loaded = Predictor.load(tmp_path / "m")
    assert loaded.bundle.settings.embedding.vectors == names
    one, _ = given_vectors(settings, keyed())
    assert one.embedding.vectors == name_of(keyed())
    np.testing.assert_array_equal(
        loaded.predict_proba(["so lovely"]),
        trained.predictor.predict_proba(["so lovely"]),
    )


@pytest.mark.slow
def test_the_estimator_takes_objects() -> None:
    data = tiny_dataset()
    estimator = EmotionClassifier(vectors=OWN, epochs=1, filters=2, random_state=0)
    assert clone(estimator).vectors is OWN
    estimator.fit(data.texts, data.labels)
    vectors = estimator.predictor_.bundle.settings.embedding.vectors
    assert vectors == name_of(OWN)


@pytest.mark.slow
def test_a_comparison_takes_objects(tmp_path: Path) -> None:
    networks = {"a": tiny_settings(vectors="given", epochs=1)}
    call: dict[str, Any] = {"seeds": 1, "folder": tmp_path / "compared"}
    compared = compare_networks(SPLIT, networks, vectors=OWN, **call)
    again = compare_networks(SPLIT, networks, vectors=OWN, **call)
    assert again.runs[-1] == compared.runs[-1]
    with pytest.raises(ResumeError, match="other settings"):
        compare_networks(SPLIT, networks, vectors=(WORDS, MATRIX + 1), **call)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [None, 1])
def test_a_search_takes_objects(tmp_path: Path, workers: int | None) -> None:
    call: dict[str, Any] = {
        "folder": tmp_path / "search",
        # The workers must read the vectors themselves.
        "space": {"vector_words": {"choices": [3, 4]}},
        "trials": 2,
        "seeds": 1,
        "workers": workers,
        "keep": 1,
    }
    path, model = small_file(tmp_path), fasttext()
    settings = tiny_settings(vectors="given", epochs=1)
    result = search_settings(SPLIT, settings, vectors=[path, OWN, model], **call)
    assert [one.status for one in result.outcomes] == ["completed"] * 2
    best = Predictor.load(result.path).bundle
    assert best.model.layers[1].output.shape[-1] == 3 + 6 + 6
    paths = best.settings.embedding.vector_paths
    assert paths[0] == str(path)
    for vectors, found in zip((OWN, model), paths[1:], strict=True):
        assert str(name_of(vectors)).split()[-1].rstrip(")") in found
    with pytest.raises(ResumeError, match="vectors was"):
        search_settings(SPLIT, settings, vectors=OWN, **call)
