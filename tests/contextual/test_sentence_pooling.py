"""Sentence vectors are pooled as sentence-transformers pools them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")
pytest.importorskip("transformers", reason="the extra transformers is not installed")

from tiny import tiny_split
from tiny_encoder import write_tiny_encoder

import emoclf
from emoclf import Predictor
from emoclf.bundle.bundle import _inputs_of
from emoclf.bundle.json_values import JsonObject
from emoclf.contextual.input_vectors import InputVectors
from emoclf.contextual.sentence_pooling import FLAGS, POOLINGS, declared_pooling, pooled
from emoclf.contextual.transformer import Encoder
from emoclf.errors import ModelError

# transformers and torch warn about each other's releases.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
TEXTS = ["a lovely smile", "fear", "it was dark at home and nobody came", "so happy"]


def by_hand(rows: np.ndarray, mode: str) -> np.ndarray:
    """Return the pooled vectors of one text, without padding."""
    n = len(rows)
    return {
        "cls": rows[0],
        "lasttoken": rows[-1],
        "max": rows.max(0),
        "mean": sum(rows) / n,
        "mean_sqrt_len_tokens": sum(rows) / n**0.5,
        "weightedmean": sum((i + 1) * x for i, x in enumerate(rows))
        / sum(range(1, n + 1)),
    }[mode]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("modes", [*[(x,) for x in POOLINGS], ("cls", "mean")])
def test_pooling_by_hand(modes: tuple[str, ...], side: str) -> None:
    rng = np.random.default_rng(0)
    # All negative: the padding's zeros would be the largest.
    texts = [-rng.random((n, 3), np.float32) for n in (4, 1, 7)]
    vectors, mask = np.zeros((3, 7, 3), np.float32), np.zeros((3, 7), bool)
    for i, rows in enumerate(texts):
        places = slice(len(rows)) if side == "right" else slice(7 - len(rows), 7)
        vectors[i, places], mask[i, places] = rows, True
    expected = [np.concatenate([by_hand(rows, x) for x in modes]) for rows in texts]
    np.testing.assert_allclose(pooled(vectors, mask, modes), expected, rtol=1e-5)


def declare(folder: Path, config: Any, *more: str, place: str = "1_Pooling") -> str:
    """Write the files of sentence-transformers beside a model, and return its name."""
    modules = [("", "Transformer"), (place, "Pooling"), *((x, x) for x in more)]
    listed = [{"path": path, "type": f"library.{kind}"} for path, kind in modules]
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))
    return str(folder)


def flags(*names: str) -> dict[str, Any]:
    return {"word_embedding_dimension": 16} | {
        flag: name in names for flag, name in FLAGS.items()
    }


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        *[(flags(name), (name,)) for name in POOLINGS],
        (flags(), ("mean",)),
        (flags("mean", "cls"), ("cls", "mean")),
        ({"pooling_mode": "lasttoken", "include_prompt": True}, ("lasttoken",)),
        ({"pooling_mode": ["max", "cls"]}, ("max", "cls")),
        ({"pooling_mode": "max", **flags("cls")}, ("max",)),
    ],
)
def test_what_a_folder_declares(tmp_path: Path, config: Any, expected: Any) -> None:
    assert declared_pooling(declare(tmp_path, config, "Normalize")) == expected


def test_a_folder_of_transformers_declares_nothing(tmp_path: Path) -> None:
    assert declared_pooling(str(tmp_path)) == ("mean",)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"pooling_mode": "attention"}, "asks for the pooling .'attention'"),
        ({"pooling_mode": ["cls", "cls"]}, "asks for the pooling"),
        ({"pooling_mode": []}, "asks for the pooling"),
        ({"pooling_mode": [{}]}, "asks for the pooling"),
        ([1], r"1_Pooling/config.json of the encoder .* contains \[1\]"),
    ],
)
def test_what_is_not_supported(tmp_path: Path, config: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        declared_pooling(declare(tmp_path, config))


def test_folders_that_are_damaged_or_have_other_layers(tmp_path: Path) -> None:
    name = declare(tmp_path, flags("cls"), "Dense")
    with pytest.raises(ModelError, match=r"module 'Dense'.*such as text_cnn"):
        declared_pooling(name)
    with pytest.raises(ModelError, match=r"not in the encoder's folder"):
        declared_pooling(declare(tmp_path, flags("cls"), place="../1_Pooling"))
    with pytest.raises(ModelError, match=r"2_Pooling/config.json of .* contains None"):
        declared_pooling(declare(tmp_path, flags("cls"), place="2_Pooling"))
    (tmp_path / "modules.json").write_text("[3]")
    with pytest.raises(ModelError, match=r"modules.json of the encoder .* lists 3"):
        declared_pooling(name)
    (tmp_path / "modules.json").write_text("[")
    with pytest.raises(ModelError, match=r"modules.json .* cannot be read"):
        declared_pooling(name)


def test_names_in_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    # What was never downloaded may declare anything.
    with pytest.raises(ModelError, match=r"modules.json .*cannot be read.*the path of"):
        declared_pooling("an/encoder")
    place = tmp_path / "models--an--encoder"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("abc")
    declare(place / "snapshots" / "abc", flags("cls"))
    assert declared_pooling("an/encoder") == ("cls",)
    (place / "snapshots" / "abc" / "modules.json").unlink()
    missing = place / ".no_exist" / "abc" / "modules.json"
    missing.parent.mkdir(parents=True)
    missing.touch()
    assert declared_pooling("an/encoder") == ("mean",)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOCLF_CACHE", str(tmp_path / "cache"))
    return write_tiny_encoder(tmp_path / "encoder")


def test_vectors_of_texts_follow_the_folder(folder: Path) -> None:
    name = str(folder)
    tokens = InputVectors.of_encoder(name, pooled=False)
    mean = InputVectors.of_encoder(name, pooled=True)
    assert "pooling" not in mean.to_dict()
    assert mean.digest == tokens.digest == Encoder(name).digest()
    mean.embed(TEXTS, keep=True)
    declare(folder, flags("cls", "max"))
    both = InputVectors.of_encoder(name, pooled=True)
    assert (both.dim, both.pooling) == (2 * tokens.dim, ("cls", "max"))
    # Neither an older version nor the cache must take them for means.
    assert both.digest != mean.digest
    found = both.embed(TEXTS, keep=True)
    for rows, row in zip(tokens.embed(TEXTS), found, strict=True):
        expected = np.concatenate([by_hand(rows, x) for x in ("cls", "max")])
        np.testing.assert_allclose(row[0], expected, atol=4e-3)
    # Vectors of tokens are the same.
    assert InputVectors.of_encoder(name, pooled=False).digest == tokens.digest


def test_a_bundle_keeps_its_pooling(folder: Path, tmp_path: Path) -> None:
    declare(folder, flags("lasttoken"))
    options = {"architecture": "sentence_head", "encoder": str(folder), "epochs": 1}
    trained = emoclf.train_classifier(tiny_split(), **options, verbose=0)
    path = trained.save(tmp_path / "head.emoclf")
    expected = trained.predict_proba(TEXTS)
    # The folder's declaration is that of the time of training.
    (folder / "modules.json").unlink()
    found = Predictor.load(path).predict_proba(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert "a vector (lasttoken) of the transformer" in (path / "README.md").read_text()
    mean = emoclf.train_classifier(tiny_split(), **options, verbose=0)
    assert mean.predictor.digest() != trained.predictor.digest()


def test_a_bundle_with_a_pooling_that_does_not_exist() -> None:
    inputs = {"dim": 3, "encoder": "x", "digest": "0", "pooled": True}
    about = JsonObject({"inputs": inputs | {"pooling": ["sum"]}})
    with pytest.raises(ValueError, match=r"inputs.pooling must be names of cls, max"):
        _inputs_of(about)
