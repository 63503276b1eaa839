"""A SavedModel answers raw strings as the predictor does, without the package."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_trained

from emoclf.errors import ExportError
from emoclf.export.saved_model import HARD_TEXTS, METADATA, export_saved_model
from emoclf.predictor import Predictor
from emoclf.text.encoder import TextEncoder
from emoclf.text.tokenizer import Tokenizer

LOADER = """
import sys, json
sys.modules["emoclf"] = None
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = serve(text=tf.constant(json.loads(sys.argv[2])))
print(json.dumps({
    "label": [x.decode() for x in answer["label"].numpy()],
    "labels": [[x.decode() for x in row] for row in answer["labels"].numpy()],
    "probabilities": answer["probabilities"].numpy().tolist(),
}))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served models")
    return export_saved_model(tiny_trained().predictor, folder / "tiny")


def test_a_process_without_the_package_gets_the_same_answers(exported: Path) -> None:
    texts = ["What a LOVELY gift!", "alone in the dark", *HARD_TEXTS[:-1]]
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(exported), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    predictor = tiny_trained().predictor
    np.testing.assert_allclose(
        answer["probabilities"], predictor.predict_proba(texts), atol=1e-5
    )
    assert answer["label"] == predictor.predict(texts)
    assert answer["labels"] == [["anger", "fear", "joy"]] * len(texts)


def test_the_layout_is_tensorflow_servings(exported: Path) -> None:
    assert exported.name == "1"
    assert (exported / "saved_model.pb").is_file()
    about = json.loads((exported / METADATA).read_text())
    assert about["label_names"] == ["anger", "fear", "joy"]
    assert about["largest_difference"] <= about["bound"]
    assert [path.name for path in exported.parent.iterdir()] == ["1"]


def test_nothing_is_replaced_unasked(exported: Path, tmp_path: Path) -> None:
    predictor = tiny_trained().predictor
    with pytest.raises(ExportError, match="overwrite"):
        export_saved_model(predictor, exported.parent)
    assert export_saved_model(predictor, exported.parent, version=2).name == "2"
    assert export_saved_model(predictor, exported.parent, overwrite=True) == exported
    (tmp_path / "1").mkdir()
    with pytest.raises(ExportError, match="left alone"):
        export_saved_model(predictor, tmp_path, overwrite=True)
    with pytest.raises(ExportError, match=r"from 1 on. Got 0"):
        export_saved_model(predictor, tmp_path, version=0)


def test_an_export_that_differs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(tiny_trained().bundle)
    honest = predictor.predict_proba
    monkeypatch.setattr(predictor, "predict_proba", lambda texts: honest(texts) + 1e-3)
    with pytest.raises(ExportError, match=r"differ by 0.001"):
        export_saved_model(predictor, tmp_path / "bad")
    assert not list((tmp_path / "bad").glob("*"))


def test_jieba_cannot_be_exported(tmp_path: Path) -> None:
    bundle = tiny_trained().bundle
    encoder = TextEncoder(Tokenizer("jieba"), bundle.encoder.vocabulary, max_length=20)
    with pytest.raises(ExportError, match="Python only"):
        export_saved_model(Predictor(replace(bundle, encoder=encoder)), tmp_path / "x")
    assert not list(tmp_path.glob("x/*"))
