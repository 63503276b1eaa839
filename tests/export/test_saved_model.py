"""A SavedModel predicts from raw strings as the predictor does, without the package.

Covers emoclf/export/saved_model.py, signatures.py and emoclf/serving/saved_model.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import tiny_trained

from emoclf.batching import pad
from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import BundleError, ExportError
from emoclf.export.parity import HARD_TEXTS
from emoclf.export.saved_model import export_saved_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.serving.export_folder import read_export
from emoclf.text.encoder import TextEncoder
from emoclf.text.tokenizer import Tokenizer

#: Predict with TensorFlow alone, then with its command line tool.
LOADER = """
import json, runpy, sys
sys.modules["emoclf"] = None
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
outputs = serve(text=tf.constant(json.loads(sys.argv[2])))
print(json.dumps({
    "label": [x.decode() for x in outputs["label"].numpy()],
    "labels": [[x.decode() for x in row] for row in outputs["labels"].numpy()],
    "probabilities": outputs["probabilities"].numpy().tolist(),
}), flush=True)
options = ["--dir", sys.argv[1], "--tag_set", "serve", "--signature_def", "predict_top"]
inputs = ["--input_exprs", "text=[b'a lovely gift', b'in the dark']"]
sys.argv = ["saved_model_cli", "run", *options, *inputs]
runpy.run_module("tensorflow.python.tools.saved_model_cli", run_name="__main__")
"""
# An empty text, whose probabilities are a third each, reaches none of them.
THRESHOLDS = (0.7, 0.36, 0.4)


@pytest.fixture(scope="session")
def exported(tiny_export: Callable[[str], Path]) -> Path:
    return tiny_export("saved-model")


def multilabel() -> Predictor:
    """Return a multilabel classifier, with texts that get no label."""
    bundle = tiny_trained().bundle
    return Predictor(replace(bundle, multilabel=True, thresholds=THRESHOLDS))


def with_jieba() -> Predictor:
    bundle = tiny_trained().bundle
    encoder = TextEncoder(Tokenizer("jieba"), bundle.encoder.vocabulary, max_length=20)
    return Predictor(replace(bundle, encoder=encoder))


@cache
def loaded(path: Path) -> Any:
    return tf.saved_model.load(str(path))


def run_signature(path: Path, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    outputs = loaded(path).signatures[signature](**inputs)
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.slow
def test_a_process_without_the_package_predicts_the_same(exported: Path) -> None:
    """The command line tool of TensorFlow runs it too."""
    texts = ["What a LOVELY gift!", "alone in the dark", *HARD_TEXTS[:-1]]
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(exported), json.dumps(texts)],
        capture_output=True,
        text=True,
        check=True,
    )
    first_line, _, tool_output = done.stdout.partition("\n")
    outputs = json.loads(first_line)
    predictor = tiny_trained().predictor
    np.testing.assert_allclose(
        outputs["probabilities"], predictor.predict_proba(texts), atol=1e-5
    )
    assert outputs["label"] == predictor.predict(texts)
    assert outputs["labels"] == [["anger", "fear", "joy"]] * len(texts)
    assert "[[b'joy' b'" in tool_output
    assert "[b'fear' b'" in tool_output


@pytest.mark.slow
def test_the_layout_is_tensorflow_servings(exported: Path) -> None:
    assert exported.name == "1"
    assert (exported / "saved_model.pb").is_file()
    about = json.loads((exported / EXPORT.about).read_text())
    assert about["label_names"] == ["anger", "fear", "joy"]
    assert about["network"] == {"input": "text", "top": 3}
    parity = about["parity"]["float32"]
    assert parity["largest_difference"] <= parity["bound"]
    assert {"saved_model.pb", "variables/variables.index"} <= set(about["files"])
    assert [path.name for path in exported.parent.iterdir()] == ["1"]


def test_weights_are_written_once(exported: Path) -> None:
    folder = exported / "variables"
    stored = tf.train.list_variables(str(folder / "variables"))
    weights = {tuple(x.shape) for x in tiny_trained().bundle.model.weights}
    shapes = [tuple(shape) for _, shape in stored if tuple(shape) in weights]
    assert len(shapes) == len(tiny_trained().bundle.model.weights)


def test_signatures_return_the_likeliest_labels_and_tokens(exported: Path) -> None:
    texts = ["What a LOVELY day!", "dark", ""]
    top = run_signature(exported, "predict_top", text=texts)
    probabilities = tiny_trained().predictor.predict_proba(texts)
    descending = -np.sort(-probabilities, axis=1)
    np.testing.assert_allclose(top["probabilities"], descending, atol=1e-5)
    assert top["labels"][:2, 0].tolist() == [b"joy", b"fear"]
    inspected = run_signature(exported, "tokens", text=texts)
    words = [b"what", b"a", b"lovely", b"day", b"!"]
    assert inspected["tokens"].tolist() == [words, [b"dark", *[b""] * 4], [b""] * 5]
    encoder = tiny_trained().bundle.encoder
    assert inspected["token_ids"][0].tolist() == encoder.encode(texts)[0].tolist()
    empty = run_signature(exported, "tokens", text=[""])
    assert empty["tokens"].shape == empty["token_ids"].shape == (1, 0)


@pytest.mark.slow
def test_multilabel_predictions_come_first(tmp_path: Path) -> None:
    predictor = multilabel()
    path = export_saved_model(predictor, tmp_path / "tokens", top=2, tokens=True)
    texts = ["lovely dark", "furious dark lovely", "dark", "", "shouted insult"]
    token_ids = pad(predictor.bundle.encoder.encode(texts))
    outputs = run_signature(path, "serving_default", token_ids=token_ids)
    of_texts = export_saved_model(predictor, tmp_path / "texts")
    same = run_signature(of_texts, "serving_default", text=texts)
    assert same["labels"].tolist() == outputs["labels"].tolist()
    assert same["count"].tolist() == outputs["count"].tolist()
    expected = predictor.predict_proba(texts)
    names = list(predictor.label_names)
    for row, text in enumerate(texts):
        labels = [label.decode() for label in outputs["labels"][row]]
        probabilities = expected[row][[names.index(label) for label in labels]]
        np.testing.assert_allclose(
            outputs["probabilities"][row], probabilities, atol=1e-5
        )
        count = int(outputs["count"][row])
        assert {*labels[:count]} == {*predictor.predict([text])[0]}
        assert (np.diff(probabilities[:count]) <= 0).all()
        assert (np.diff(probabilities[count:]) <= 0).all()
        assert outputs["label"][row].decode() == (labels[0] if count else "")
    assert outputs["count"][3] == 0
    assert outputs["label"][3] == b""
    assert len({*outputs["count"].tolist()}) > 1
    top = run_signature(path, "predict_top", token_ids=token_ids)
    assert top["labels"].tolist() == outputs["labels"][:, :2].tolist()
    assert top["count"].tolist() == outputs["count"].tolist()
    for folder in ("tokens", "texts"):
        served = load_exported(tmp_path / folder)
        np.testing.assert_allclose(served.predict_proba(texts), expected, atol=1e-5)
        assert served.predict(texts) == predictor.predict(texts)


def test_the_highest_version_is_loaded(exported: Path, tmp_path: Path) -> None:
    for version in (2, 10):
        shutil.copytree(exported, tmp_path / str(version))
    (tmp_path / "notes").mkdir()
    assert read_export(tmp_path).place == tmp_path / "10"
    # As after an interrupted replacement.
    (tmp_path / "10").rename(tmp_path / ".10.before")
    assert read_export(tmp_path).place == tmp_path / ".10.before"
    (tmp_path / ".10.before").rename(tmp_path / "10")
    assert load_exported(tmp_path).predict(["a lovely gift"]) == ["joy"]
    with pytest.raises(BundleError, match=r"has no emoclf\.json"):
        load_exported(tmp_path / "notes")


@pytest.mark.slow
def test_versions_are_replaced_only_when_asked(exported: Path, tmp_path: Path) -> None:
    predictor = tiny_trained().predictor
    base = tmp_path / "models"
    shutil.copytree(exported, base / "1")
    with pytest.raises(ExportError, match="overwrite"):
        export_saved_model(predictor, base)
    assert export_saved_model(predictor, base, version=2, tokens=True).name == "2"
    again = export_saved_model(predictor, base, overwrite=True, tokens=True)
    assert again == base / "1"
    (tmp_path / "1").mkdir()
    with pytest.raises(ExportError, match="left alone"):
        export_saved_model(predictor, tmp_path, overwrite=True)
    with pytest.raises(ExportError, match="is an export itself"):
        export_saved_model(predictor, base / "1")
    with pytest.raises(ExportError, match=r"version .* from 1 on. Got 0"):
        export_saved_model(predictor, tmp_path, version=0)
    with pytest.raises(ExportError, match=r"top .* from 1 on. Got 0"):
        export_saved_model(predictor, tmp_path / "new", top=0)


@pytest.mark.slow
def test_an_export_that_differs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(tiny_trained().bundle)
    original = predictor.predict_proba
    monkeypatch.setattr(
        predictor, "predict_proba", lambda texts: original(texts) + 1e-3
    )
    with pytest.raises(ExportError, match=r"differ by 0.001"):
        export_saved_model(predictor, tmp_path / "bad", tokens=True)
    assert not list((tmp_path / "bad").glob("*"))


@pytest.mark.slow
def test_jieba_needs_the_signature_of_tokens(tmp_path: Path) -> None:
    predictor = with_jieba()
    with pytest.raises(ExportError, match=r"Python only.*tokens=True"):
        export_saved_model(predictor, tmp_path / "x")
    assert not list(tmp_path.glob("x/*"))
    path = export_saved_model(predictor, tmp_path / "x", tokens=True)
    texts = ["it was lovely at home", "我来到北京清华大学"]
    token_ids = pad(predictor.bundle.encoder.encode(texts))
    outputs = run_signature(path, "serving_default", token_ids=token_ids)
    expected = predictor.predict_proba(texts)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    assert load_exported(path).predict(texts) == predictor.predict(texts)
