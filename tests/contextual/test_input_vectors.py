"""Vectors of an encoder as the input of networks; tests of emoclf.contextual.

Black-box tests of input_vectors.py and vector_cache.py, and of the road of such a
network through training, bundle, evaluation, explanation and search.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tiny import tiny_split, tiny_trained
from tiny_encoder import write_tiny_encoder

import emoclf
from emoclf.cli import main
from emoclf.contextual.input_vectors import InputVectors
from emoclf.contextual.transformer import MAX_TOKENS, Encoder
from emoclf.contextual.vector_cache import SMALL_SHARDS, VectorCache
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split, split_dataset
from emoclf.errors import BundleError, ExportError, ModelError, SettingsError
from emoclf.export import export_classifier
from emoclf.predictor import Predictor
from emoclf.workflow.trained_classifier import TrainedClassifier

# transformers and torch warn about each other's releases.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
WORDS = {"anger": "angry", "joy": "happy"}
STARTS = ("it was", "so it was", "and it was", "nobody came and it was")
PLACES = ("at home", "at night", "and dark", "and so it was day", "")
TEXTS = ["lovely at home", "dark", "", "nobody came and it was so dark at night"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("an encoder"))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("a cache")
        patch.setenv("EMOCLF_CACHE", str(place))
        yield place


def small_dataset() -> Dataset:
    """Return 40 texts with a word of each label that the encoder knows."""
    rows = [
        (f"{start} {word} {place}", label)
        for start in STARTS
        for place in PLACES
        for label, word in WORDS.items()
    ]
    return Dataset.from_lists(*zip(*rows, strict=True))


def small_split() -> Split:
    return split_dataset(small_dataset(), near_duplicates=1.0, valid_fraction=0.3)


@pytest.fixture(scope="module")
def trained(folder: Path) -> TrainedClassifier:
    return emoclf.train_classifier(
        small_split(),
        encoder=str(folder),
        kernel_sizes=(1, 2),
        filters=32,
        epochs=20,
        patience=20,
        learning_rate=0.02,
        dropout=0.0,
        ema=None,
        verbose=0,
    )


def test_tokens_and_texts(folder: Path) -> None:
    encoder = Encoder(folder)
    inputs = InputVectors.of_encoder(str(folder), pooled=False)
    found = inputs.embed(TEXTS)
    expected = encoder.encode_tokens(TEXTS)
    for rows, vectors, mask in zip(found, expected.vectors, expected.mask, strict=True):
        assert rows.dtype == np.float16
        np.testing.assert_allclose(rows, vectors[mask], atol=2e-3)
    pooled = InputVectors.of_encoder(str(folder), pooled=True).embed(TEXTS)
    assert {rows.shape for rows in pooled} == {(1, encoder.dim)}
    means = [rows.mean(0, keepdims=True, dtype=np.float32) for rows in found]
    np.testing.assert_allclose(np.array(pooled), np.array(means), atol=4e-3)


def test_each_text_is_encoded_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOCLF_CACHE", str(tmp_path))
    inputs = InputVectors.of_encoder(str(folder), pooled=False)
    first = inputs.embed([*TEXTS, *TEXTS], keep=True)
    calls = []
    monkeypatch.setattr(
        Encoder, "encode_tokens", lambda self, texts: calls.append(texts)
    )
    again = InputVectors.of_encoder(str(folder), pooled=False)
    for mine, theirs in zip(again.embed([*TEXTS, *TEXTS]), first, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not calls
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npy")) < 10_000


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_a_damaged_shard_is_made_again(
    tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [np.ones((2, 3), np.float16), np.zeros((1, 3), np.float16)]
    VectorCache(tmp_path, 3).add(["a", "b"], rows)
    assert VectorCache(tmp_path, 3).find(["b", "c"])[1] is None
    assert np.array_equal(VectorCache(tmp_path, 3).find(["b"])[0], rows[1])
    (path,) = tmp_path.glob(f"*.{ending}")
    path.write_bytes(path.read_bytes()[:-8])
    assert VectorCache(tmp_path, 3).find(["a", "b"]) == [None, None]
    assert "is damaged" in caplog.text
    # A shard whose writer was killed before its index does not count.
    (next(iter(tmp_path.glob("*.npz")))).unlink()
    assert VectorCache(tmp_path, 3).find(["a"]) == [None]


def test_small_shards_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = VectorCache(tmp_path, 3)
    rows = {str(i): np.full((1 + i % 3, 3), i, np.float16) for i in range(40)}
    for name, vectors in rows.items():
        cache.add([name], [vectors])
    assert len(list(tmp_path.iterdir())) <= 2 * SMALL_SHARDS
    for reader in (cache, VectorCache(tmp_path, 3)):
        for found, vectors in zip(reader.find(rows), rows.values(), strict=True):
            np.testing.assert_array_equal(found, vectors)


def test_encoders_are_told_apart_by_all_their_weights(
    folder: Path, tmp_path: Path
) -> None:
    from transformers import BertModel

    before = Encoder(folder).digest()
    assert Encoder(folder).digest() == before
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    config = json.loads((other / "config.json").read_text())
    config["transformers_version"] = "0.0.1"
    (other / "config.json").write_text(json.dumps(config))
    assert Encoder(other).digest() == before
    model = BertModel.from_pretrained(other)
    model.encoder.layer[1].output.dense.weight.data.mul_(1.5)
    model.save_pretrained(other)
    assert Encoder(other).digest() != before


def test_long_texts_are_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    inputs = InputVectors.of_encoder(str(folder), pooled=False)
    (rows,) = inputs.embed(["dark " * 300])
    assert len(rows) == MAX_TOKENS
    assert "1 of 1 texts have more than 128 tokens" in caplog.text


def test_the_whole_road(
    trained: TrainedClassifier, folder: Path, tmp_path: Path
) -> None:
    assert trained.split is not None
    report = trained.evaluate()
    assert report.network.accuracy > 0.8
    trained.save(tmp_path / "a.emoclf")
    about = json.loads((tmp_path / "a.emoclf" / "bundle.json").read_text())
    assert about["format"] == 2
    assert about["inputs"]["encoder"] == str(folder)
    assert set(about["inputs"]) == {"encoder", "dim", "digest", "pooled"}
    card = (tmp_path / "a.emoclf" / "README.md").read_text()
    assert "the token vectors of the transformer encoder" in card
    loaded = Predictor.load(tmp_path / "a.emoclf")
    texts = list(trained.split.test.texts)
    expected = trained.predict_proba(texts)
    np.testing.assert_array_equal(loaded.predict_proba(texts), expected)
    # Alone and beside others, a text has the same probabilities.
    alone = np.concatenate([loaded.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, expected, atol=2e-3)
    assert emoclf.check_drift(loaded, texts).n_texts == len(texts)
    explanation = loaded.explain("it was lovely at home")
    assert explanation.method == "occlusion"
    with pytest.raises(ExportError, match="Distil it into a network of words"):
        export_classifier(loaded, tmp_path / "x", to="folded")


def test_an_encoder_in_another_place(
    trained: TrainedClassifier, folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    inputs = trained.bundle.inputs
    assert inputs is not None
    lost = replace(trained.bundle, inputs=inputs.at(str(tmp_path / "gone")))
    emoclf.save_bundle(lost, tmp_path / "b.emoclf")
    with pytest.raises(ModelError, match=r"If it was moved, give its folder with"):
        Predictor.load(tmp_path / "b.emoclf").predict(["lovely"])
    loaded = Predictor.load(tmp_path / "b.emoclf", encoder=moved)
    assert loaded.predict(["it was lovely at home"]) == trained.predict(
        ["it was lovely at home"]
    )
    other = write_tiny_encoder(tmp_path / "other", dim=16)
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(other)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(2)
    model.save_pretrained(other)
    with pytest.raises(ModelError, match="is not the one that this classifier was"):
        Predictor.load(tmp_path / "b.emoclf", encoder=other).predict(["lovely"])


def test_places_of_encoders_are_for_those_with_one(tmp_path: Path) -> None:
    tiny_trained().save(tmp_path / "a.emoclf")
    about = json.loads((tmp_path / "a.emoclf" / "bundle.json").read_text())
    assert about["format"] == 1
    with pytest.raises(BundleError, match="this one was not"):
        Predictor.load(tmp_path / "a.emoclf", encoder="x")


@pytest.mark.parametrize(
    ("flat", "message"),
    [
        ({"vectors": "starter"}, "takes their place"),
        ({"dim": 20}, "takes their place"),
        ({"embedding": "static"}, "takes their place"),
        ({"ngrams": True}, "counts n-grams"),
        ({"architecture": "ngram_linear"}, "sentence_head"),
    ],
)
def test_settings_that_an_encoder_replaces(
    folder: Path, flat: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        emoclf.train_classifier(
            tiny_split(), encoder=str(folder), epochs=1, verbose=0, **flat
        )


def test_a_sentence_head_in_an_estimator(folder: Path) -> None:
    data = small_dataset()
    estimator = emoclf.EmotionClassifier(
        "sentence_head",
        encoder=folder,
        epochs=20,
        patience=20,
        learning_rate=0.05,
        dropout=0.0,
        settings={"ema": None},
        random_state=0,
    )
    estimator.fit(data.texts, data.labels)
    assert estimator.score(data.texts, data.labels) > 0.8
    assert estimator.predictor_.bundle.inputs.pooled


def test_comparison_and_folds(folder: Path) -> None:
    networks = {
        "head": {"architecture": "sentence_head", "encoder": str(folder)},
        "cnn": {"encoder": str(folder), "kernel_sizes": (1, 2), "filters": 4},
    }
    settings = {"epochs": 1}
    result = emoclf.compare_networks(
        small_split(),
        {name: {**flat, **settings} for name, flat in networks.items()},
        seeds=1,
    )
    assert {"head", "cnn"} <= {run.name for run in result.runs}
    folds = emoclf.cross_validate(
        small_dataset(), architecture="mean_embedding", encoder=str(folder), folds=2,
        epochs=1,
    )  # fmt: skip
    assert len(folds.evaluations) == 2


def test_commands(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data.csv"
    small_dataset().to_frame().to_csv(data, index=False)
    bundle = str(tmp_path / "head.emoclf")
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    # A relative path, which is another one in another folder.
    monkeypatch.chdir(tmp_path)
    arguments = ["--architecture", "sentence_head", "--encoder", "moved"]
    assert main(["train", str(data), "-o", bundle, *arguments, "--epochs", "1"]) == 0
    monkeypatch.chdir("/")
    assert main(["predict", bundle, "--text", "lovely"]) == 0
    moved.rename(tmp_path / "elsewhere")
    place = ["--encoder", str(tmp_path / "elsewhere")]
    assert main(["drift", bundle, str(data), *place]) in (0, 3)
    capsys.readouterr()
    assert main(["predict", bundle, "--text", "lovely", "--text", "dark"]) == 1
    assert "--encoder" in capsys.readouterr().err
    assert main(["predict", bundle, "--text", "lovely", "--text", "dark", *place]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["evaluate", bundle, str(data), *place]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_a_search(folder: Path, tmp_path: Path) -> None:
    result = emoclf.search_settings(
        small_split(),
        {"encoder": str(folder), "epochs": 1, "kernel_sizes": [1]},
        folder=tmp_path / "a.search",
        space={"filters": {"choices": [4, 8]}},
        trials=2,
        folds=2,
        keep=1,
    )
    predictor = result.predictor
    assert predictor.bundle.inputs is not None
    assert len(predictor.predict(TEXTS)) == len(TEXTS)
