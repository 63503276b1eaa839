"""A SavedModel answers raw strings as the predictor does, without the package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny import tiny_trained

from emoclf.bundle.described_folder import EXPORT
from emoclf.errors import BundleError, ExportError
from emoclf.export.parity import HARD_TEXTS
from emoclf.export.saved_model import export_saved_model
from emoclf.predictor import Predictor
from emoclf.serving import load_exported
from emoclf.serving.export_folder import read_export
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
# A text without a word, which has a third of each, reaches none of them.
SIGNS = (0.7, 0.36, 0.4)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served models")
    return export_saved_model(tiny_trained().predictor, folder / "tiny")


def multilabel() -> Predictor:
    """Return a classifier whose texts may have several labels, or none."""
    bundle = tiny_trained().bundle
    return Predictor(replace(bundle, multilabel=True, thresholds=SIGNS))


def with_jieba() -> Predictor:
    bundle = tiny_trained().bundle
    encoder = TextEncoder(Tokenizer("jieba"), bundle.encoder.vocabulary, max_length=20)
    return Predictor(replace(bundle, encoder=encoder))


@cache
def loaded(path: Path) -> Any:
    return tf.saved_model.load(str(path))


def ask(path: Path, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
    inputs = {name: tf.constant(value) for name, value in inputs.items()}
    answer = loaded(path).signatures[signature](**inputs)
    return {name: value.numpy() for name, value in answer.items()}


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


def test_tensorflows_own_tool_runs_it(exported: Path) -> None:
    tool = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run"]
    options = ["--tag_set", "serve", "--signature_def", "predict_top"]
    texts = ["--input_exprs", "text=[b'a lovely gift', b'in the dark']"]
    done = subprocess.run(
        [*tool, "--dir", str(exported), *options, *texts],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[[b'joy' b'" in done.stdout
    assert "[b'fear' b'" in done.stdout


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


def test_signatures_name_the_likeliest_and_show_tokens(exported: Path) -> None:
    texts = ["What a LOVELY day!", "dark", ""]
    top = ask(exported, "predict_top", text=texts)
    probabilities = tiny_trained().predictor.predict_proba(texts)
    falling = -np.sort(-probabilities, axis=1)
    np.testing.assert_allclose(top["probabilities"], falling, atol=1e-5)
    assert top["labels"][:2, 0].tolist() == [b"joy", b"fear"]
    seen = ask(exported, "tokens", text=texts)
    words = [b"what", b"a", b"lovely", b"day", b"!"]
    assert seen["tokens"].tolist() == [words, [b"dark", *[b""] * 4], [b""] * 5]
    encoder = tiny_trained().bundle.encoder
    assert seen["token_ids"][0].tolist() == encoder.encode(texts)[0].tolist()
    nothing = ask(exported, "tokens", text=[""])
    assert nothing["tokens"].shape == nothing["token_ids"].shape == (1, 0)


def test_several_labels_stand_in_the_order_of_what_counts(tmp_path: Path) -> None:
    predictor = multilabel()
    path = export_saved_model(predictor, tmp_path, top=2)
    texts = ["lovely dark", "furious dark lovely", "dark", "", "shouted insult"]
    answer = ask(path, "serving_default", text=texts)
    expected = predictor.predict_proba(texts)
    names = list(predictor.label_names)
    for row, text in enumerate(texts):
        labels = [label.decode() for label in answer["labels"][row]]
        chances = expected[row][[names.index(label) for label in labels]]
        np.testing.assert_allclose(answer["probabilities"][row], chances, atol=1e-5)
        count = int(answer["count"][row])
        assert {*labels[:count]} == {*predictor.predict([text])[0]}
        assert (np.diff(chances[:count]) <= 0).all()
        assert (np.diff(chances[count:]) <= 0).all()
        assert answer["label"][row].decode() == (labels[0] if count else "")
    assert answer["count"][3] == 0
    assert answer["label"][3] == b""
    assert len({*answer["count"].tolist()}) > 1
    top = ask(path, "predict_top", text=texts)
    assert top["labels"].tolist() == answer["labels"][:, :2].tolist()
    assert top["count"].tolist() == answer["count"].tolist()
    served = load_exported(tmp_path)
    np.testing.assert_allclose(served.predict_proba(texts), expected, atol=1e-5)
    assert served.predict(texts) == predictor.predict(texts)


def test_the_highest_version_answers(exported: Path, tmp_path: Path) -> None:
    for version in (2, 10):
        shutil.copytree(exported, tmp_path / str(version))
    (tmp_path / "notes").mkdir()
    assert read_export(tmp_path).place == tmp_path / "10"
    # Its replacement was interrupted: it stands beside its place.
    (tmp_path / "10").rename(tmp_path / ".10.before")
    assert read_export(tmp_path).place == tmp_path / ".10.before"
    (tmp_path / ".10.before").rename(tmp_path / "10")
    assert load_exported(tmp_path).predict(["a lovely gift"]) == ["joy"]
    with pytest.raises(BundleError, match=r"has no emoclf\.json"):
        load_exported(tmp_path / "notes")


def test_nothing_is_replaced_unasked(exported: Path, tmp_path: Path) -> None:
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


def test_an_export_that_differs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(tiny_trained().bundle)
    honest = predictor.predict_proba
    monkeypatch.setattr(predictor, "predict_proba", lambda texts: honest(texts) + 1e-3)
    with pytest.raises(ExportError, match=r"differ by 0.001"):
        export_saved_model(predictor, tmp_path / "bad", tokens=True)
    assert not list((tmp_path / "bad").glob("*"))


def test_jieba_needs_the_signature_of_tokens(tmp_path: Path) -> None:
    predictor = with_jieba()
    with pytest.raises(ExportError, match=r"Python only.*tokens=True"):
        export_saved_model(predictor, tmp_path / "x")
    assert not list(tmp_path.glob("x/*"))
    path = export_saved_model(predictor, tmp_path / "x", tokens=True)
    texts = ["it was lovely at home", "我来到北京清华大学"]
    token_ids = np.zeros((2, 30), np.int32)
    for row, ids in enumerate(predictor.bundle.encoder.encode(texts)):
        token_ids[row, : len(ids)] = ids
    answer = ask(path, "serving_default", token_ids=token_ids)
    expected = predictor.predict_proba(texts)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert load_exported(path).predict(texts) == predictor.predict(texts)
