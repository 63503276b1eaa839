"""The starter vectors: their file, their words, and when training uses them.

Modules: ``emoclf.embeddings.starter`` and ``emoclf.workflow.automatic_settings``.
"""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from make_starter_vectors import write_starter_vectors

from emoclf import embedding_matrix, load_sample, read_dataset
from emoclf.cli import main
from emoclf.datasets.dataset import Dataset
from emoclf.embeddings import starter
from emoclf.embeddings.starter import STARTER_FILE, StarterVectors
from emoclf.embeddings.vector_objects import given_vectors, vector_sources
from emoclf.embeddings.word_vectors import WordVectors
from emoclf.errors import SettingsError, VectorsError
from emoclf.settings import RunSettings
from emoclf.text.vocabulary import Vocabulary
from emoclf.workflow.automatic_settings import resolve, starter_coverage
from emoclf.workflow.prepare import prepare

ENGLISH = load_sample().texts
OTHER_LANGUAGES = {
    "German": (
        "Ich habe mich sehr gefreut, als meine Schwester zu Besuch kam.",
        "Die Nachbarn waren die ganze Nacht laut, und niemand konnte schlafen.",
        "Er hat mir nicht geglaubt, obwohl ich die Wahrheit gesagt habe.",
    ),
    "Spanish": (
        "Me alegré mucho cuando mi hermana vino a visitarnos.",
        "Los vecinos hicieron ruido toda la noche y nadie pudo dormir.",
        "No me creyó, aunque le había dicho la verdad.",
    ),
    "French": (
        "J'étais très contente quand ma sœur est venue nous voir.",
        "Les voisins ont fait du bruit toute la nuit, personne n'a dormi.",
        "Il ne m'a pas cru, alors que je lui avais dit la vérité.",
    ),
    "Chinese": ("我妹妹来看我的时候我很高兴。", "邻居整夜吵闹,没有人能睡着。"),
}


@pytest.mark.parametrize("bits", starter.LEVELS)
def test_rounded_vectors_are_near_the_given_ones(tmp_path: Path, bits: int) -> None:
    words = tuple(f"word{number}" for number in range(3000))
    matrix = np.random.default_rng(0).normal(0, 0.1, (3000, 24)).astype(np.float32)
    matrix *= np.linspace(2, 0.5, 24, dtype=np.float32)
    path = tmp_path / "v.npz"
    write_starter_vectors(WordVectors(words, matrix), path, bits=bits)
    rows = StarterVectors(path).read(None)
    assert tuple(rows.numbers) == words
    error = ((rows.matrix - matrix) ** 2).mean() / (matrix**2).mean()
    # Max (1960), table I: the least error for a normal distribution.
    assert error < {2: 0.118, 3: 0.035, 4: 0.0096}[bits] * 1.1
    some = StarterVectors(path).read(frozenset(words[5::7]))
    np.testing.assert_array_equal(some.matrix, rows.matrix[5::7])


def test_the_packaged_file() -> None:
    assert STARTER_FILE.stat().st_size <= 3_000_000
    vectors = StarterVectors()
    assert vectors.count is not None
    assert vectors.count >= 20_000
    assert len(set(vectors.words)) == vectors.count
    for word in ("the", "don't", "joy", "shouted", ":)", "😂", "❤️", "'s"):
        assert word in vectors.words
    rows = vectors.read(None)
    assert np.sqrt((rows.matrix**2).mean()) == pytest.approx(0.12, rel=0.05)
    assert rows.matrix.any(1).all()


def test_words_of_one_meaning_are_near_each_other() -> None:
    rows = StarterVectors().read(
        frozenset(["happy", "delighted", "table", "😊", "car"])
    )
    of = {word: rows.matrix[i] for word, i in rows.numbers.items()}

    def cosine(a: str, b: str) -> float:
        return float(of[a] @ of[b] / np.linalg.norm(of[a]) / np.linalg.norm(of[b]))

    assert cosine("happy", "delighted") > cosine("happy", "table") + 0.2
    assert cosine("😊", "happy") > cosine("😊", "car")


def test_a_limit_is_one_of_words() -> None:
    (source,) = vector_sources("starter", limit=10)
    assert source.first_words(99) == StarterVectors().words[:10]
    assert len(source.read(None)) == 10


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "empty", "text"])
def test_a_damaged_file(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "english.npz"
    if damage != "missing":
        shutil.copy(STARTER_FILE, path)
    data = bytearray(STARTER_FILE.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("words.npy", "nonsense")
    with pytest.raises(VectorsError, match=r"missing or damaged: .* Install emoclf"):
        StarterVectors(path).read(None)


def unlabelled(texts: Sequence[str]) -> Dataset:
    """Return a training set whose labels do not matter."""
    return Dataset.from_lists(texts, ["joy"] * len(texts))


def test_english_texts_get_starter_vectors() -> None:
    settings = resolve(RunSettings(), unlabelled(ENGLISH))
    assert settings.embedding.vectors == "starter"
    assert starter_coverage(RunSettings(), ENGLISH) > 0.97


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_other_languages_do_not(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "emoclf"):
        settings = resolve(RunSettings(), unlabelled(OTHER_LANGUAGES[language]))
    assert settings.embedding.vectors is None
    assert "the embedding is random" in caplog.text


@pytest.mark.parametrize(
    "flat",
    [
        {"vectors": None},
        {"embedding": "random"},
        {"dim": 50},
        {"dim": 100},
        {"tokenizer": "characters"},
    ],
)
def test_who_asks_for_another_embedding_gets_it(flat: dict) -> None:
    settings = resolve(RunSettings.from_flat(**flat), unlabelled(ENGLISH))
    assert settings.embedding.vectors is None


def test_named_vectors_stay() -> None:
    given = {"vectors": ["starter", "other.bin"], "batch_size": 9, "ngrams": False}
    settings = RunSettings.from_flat(**given)
    assert resolve(settings, unlabelled(ENGLISH)) is settings


@pytest.mark.parametrize(("n_texts", "batch_size"), [(999, 16), (1000, 50)])
def test_small_sets_get_small_batches(
    n_texts: int, batch_size: int, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [ENGLISH[0]] * n_texts
    with caplog.at_level(logging.INFO, "emoclf"):
        settings = resolve(RunSettings(), unlabelled(texts))
    assert settings.training.batch_size == batch_size
    assert ("Batches of 16, for 999 training texts." in caplog.text) == (n_texts < 1000)
    given = resolve(RunSettings.from_flat(batch_size=7), unlabelled(texts))
    assert given.training.batch_size == 7


@pytest.mark.parametrize("vectors", ["none", "auto"])
def test_settings_are_no_names_of_vectors(vectors: str) -> None:
    settings, sets = given_vectors(RunSettings.from_flat(vectors="a.bin"), vectors)
    assert sets == ()
    assert settings.embedding.vectors == (None if vectors == "none" else vectors)
    with pytest.raises(SettingsError, match=f"contains '{vectors}' beside others"):
        given_vectors(RunSettings(), [vectors, "a.bin"])


def test_a_width_beside_vectors_is_an_error() -> None:
    data = load_sample()
    settings = RunSettings.from_flat(vectors="starter", dim=50)
    with pytest.raises(SettingsError, match="dim=50 is for a random"):
        prepare(data, data, settings)


def test_a_file_of_the_name_needs_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("starter").write_text("joy 1 2 3\nfear 3 2 1\n")
    _, coverage = embedding_matrix("./starter", Vocabulary(["joy"]))
    assert coverage.dim == 3
    _, coverage = embedding_matrix("starter", Vocabulary(["joy"]))
    assert coverage.dim == StarterVectors().dim


def test_coverage_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nI am so happy!,joy\nWho is there?,fear\n")
    assert main(["vectors", "coverage", str(path), "--json"]) == 0
    coverage = json.loads(capsys.readouterr().out)
    assert (coverage["source"], coverage["running_found"]) == ("starter", 9)
    assert read_dataset(path).texts[0] == "I am so happy!"


def test_settings_that_were_stored_without_vectors_are_random() -> None:
    stored = RunSettings.from_flat(filters=7).to_dict()
    assert stored["embedding"].pop("vectors") == "auto"
    assert RunSettings.from_stored(stored).embedding.vectors is None
    assert RunSettings.from_stored(RunSettings().to_dict()) == RunSettings()
