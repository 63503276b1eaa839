"""Public functions take the usual kinds of things, and refuse others by name.

Covers text/validation.py, datasets/dataset.py, datasets/split.py, workflow/train.py.
"""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny import tiny_dataset, tiny_settings, tiny_split, tiny_trained

import emoclf
from emoclf import (
    DataError,
    Dataset,
    EmoclfError,
    EmotionClassifier,
    Predictor,
    SettingsError,
    Split,
    audit_dataset,
    evaluate_classifier,
    read_dataset,
    split_dataset,
    train_classifier,
)
from emoclf.bundle.bundle_folder import read_metrics
from emoclf.datasets.sample import sample_path
from emoclf.datasets.trainable import as_dataset
from emoclf.settings import DataSettings
from emoclf.workflow.train import split_of

QUICK: dict[str, Any] = {
    "epochs": 1,
    "filters": 2,
    "vectors": "none",
    "dim": 4,
    "ngrams": False,
    "near_duplicates": 1.0,
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return tiny_dataset().to_frame().assign(number=range(60))


def test_a_dataset_is_a_sequence_of_examples(frame: pd.DataFrame) -> None:
    data = tiny_dataset()
    assert len(data) == 60
    assert data[0] == (data.texts[0], "anger")
    assert data[np.int64(-1)].label == "joy"
    assert [example.text for example in data] == list(data.texts)
    for index in (slice(2), [0, 1], np.arange(2), np.arange(60) < 2):
        assert data[index] == data.head(2)
    assert len(data[[]]) == 0
    for wrong in ("text", [0.5], [99], None):
        with pytest.raises(DataError, match=r"The index of a Dataset must be pos.*60"):
            data[wrong]  # type: ignore[call-overload]
    again = Dataset.from_frame(frame)
    assert (again.texts, again.labels) == (data.texts, data.labels)
    assert again.text_column == "text"


def test_a_multilabel_dataset_comes_back_from_its_frame() -> None:
    data = Dataset.from_lists(["a b", "c"], [["x", "y"], []])
    assert Dataset.from_frame(data.to_frame()).labels == data.labels


def test_a_split_has_three_parts_and_takes_frames(frame: pd.DataFrame) -> None:
    train, valid, test = split = split_dataset(frame, {"near_duplicates": 1.0})
    assert (split.train, split.valid, split.test) == (train, valid, test)
    own = Split(frame[:50], frame[50:])  # type: ignore[arg-type]
    assert own.valid.label_names == own.train.label_names == ("anger", "fear", "joy")
    assert own.test is None


def train_in_all_ways(frame: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    data, split = tiny_dataset(), tiny_split()
    renamed = frame.rename(columns={"text": "said", "label": "felt"})
    columns = {"text_column": "said", "label_column": "felt"}
    return {
        "split": lambda: train_classifier(split, **QUICK),
        "dataset": lambda: train_classifier(data, **QUICK),
        "frame": lambda: train_classifier(frame, **QUICK),
        "named": lambda: train_classifier(renamed, **columns, **QUICK),
        "lists": lambda: train_classifier(list(data.texts), list(data.labels), **QUICK),
        "series": lambda: train_classifier(frame["text"], frame["label"], **QUICK),
        "two sets": lambda: train_classifier(split.train, split.valid, QUICK),
        "two frames": lambda: train_classifier(
            split.train.to_frame(), split.valid.to_frame(), tiny_settings(epochs=1)
        ),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", train_in_all_ways(pd.DataFrame(columns=["text", "label"]))
)
def test_train_classifier_takes_the_usual_kinds(
    way: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way not in ("split", "two frames"):
        # A training of equal texts would be the same.
        monkeypatch.setattr("emoclf.workflow.train.split_of", stop_after_split)
        with pytest.raises(Stopped) as stopped:
            train_in_all_ways(frame)[way]()
        (split,) = stopped.value.args
        for part, expected in zip(split, tiny_split(), strict=True):
            if part is not None:
                assert (part.texts, part.labels) == (expected.texts, expected.labels)
        assert (split.test is None) == way.startswith("two")
        return
    trained = train_in_all_ways(frame)[way]()
    assert trained.result.epochs == 1
    assert trained.predict(["lovely"])[0] in trained.label_names
    assert trained.history.to_frame().index.tolist() == [1]
    if way == "split":
        assert trained.evaluate().network.part == "test"
    else:
        with pytest.raises(DataError, match="trained without a test set"):
            trained.evaluate()


class Stopped(Exception):
    """The training was stopped; its argument is the split."""


def stop_after_split(*args: Any) -> None:
    raise Stopped(split_of(*args))


@pytest.mark.slow
def test_what_is_saved_has_metrics_and_knows_the_column(
    tmp_path: Path, frame: pd.DataFrame
) -> None:
    trained = train_classifier(frame, verbose=0, **QUICK)
    path = trained.save(tmp_path / "a.emoclf")
    assert len(read_metrics(path)["evaluations"]) == 6
    predictor = Predictor.load(path)
    assert predictor.predict(frame[:3]) == predictor.predict(frame["text"][:3])
    assert predictor.predict(frame[["text"]][:3]) == predictor.predict(frame[:3])
    other = frame.rename(columns={"text": "said"})
    with pytest.raises(DataError, match=r"'said', 'label', 'number'.*'text', the col"):
        predictor.predict(other)
    report = evaluate_classifier(predictor, frame)
    assert report.network.n == 60
    assert not report.beats_baselines
    with pytest.raises(DataError, match="label 'joi', which the classifier does not"):
        evaluate_classifier(predictor, frame.replace("joy", "joi"))


def wrong_calls() -> dict[str, Callable[[], Any]]:
    data, split, trained = tiny_dataset(), tiny_split(), tiny_trained()
    frame = data.to_frame()
    search = {"folder": "unused"}
    return {
        "settings=3": lambda: train_classifier(data, settings=3),  # type: ignore[arg-type]
        "settings as valid": lambda: train_classifier(data, {"epochs": 1}),  # type: ignore[arg-type]
        "texts alone": lambda: train_classifier(["a"]),
        "split and valid": lambda: train_classifier(split, split.valid),
        "verbose=7": lambda: train_classifier(data, verbose=7),  # type: ignore[arg-type]
        "split a list": lambda: split_dataset(["a"]),  # type: ignore[arg-type]
        "audit a path": lambda: audit_dataset("a.csv"),  # type: ignore[arg-type]
        "read a frame": lambda: read_dataset(frame),  # type: ignore[arg-type]
        "read a stream": lambda: read_dataset(io.StringIO("text,label\na,b\n")),  # type: ignore[arg-type]
        "predictor of a path": lambda: Predictor("a.emoclf"),  # type: ignore[arg-type]
        "evaluate a path": lambda: evaluate_classifier("a.emoclf", split),
        "evaluate unfitted": lambda: evaluate_classifier(EmotionClassifier(), split),
        "export a path": lambda: emoclf.export_classifier("a", "b", to="onnx"),
        "load a frame": lambda: emoclf.load_bundle(frame),  # type: ignore[arg-type]
        "load a number": lambda: emoclf.load_exported(3),  # type: ignore[arg-type]
        "save a training": lambda: emoclf.save_bundle(trained, "a"),  # type: ignore[arg-type]
        "file with a frame": lambda: emoclf.predict_file(frame, sample_path(), "b.csv"),  # type: ignore[arg-type]
        "file of a frame": lambda: emoclf.predict_file(trained, frame, "b.csv"),  # type: ignore[arg-type]
        "compare a list": lambda: emoclf.compare_networks(split, ["a"]),  # type: ignore[arg-type]
        "search a list": lambda: emoclf.search_settings([1], **search),  # type: ignore[arg-type]
        "check a predictor": lambda: emoclf.check_model(trained.predictor),  # type: ignore[arg-type]
        "vectors of a frame": lambda: emoclf.read_vectors(frame),  # type: ignore[arg-type]
        "word2vec of texts": lambda: emoclf.train_word2vec(["a b"]),
        "a test set as settings": lambda: train_classifier(data, data, data),  # type: ignore[arg-type]
        "test=": lambda: train_classifier(data, test=data),
        "random_state=": lambda: train_classifier(data, random_state=1),
        "a path": lambda: train_classifier("a.csv"),
        "a dict": lambda: train_classifier({"text": ["a"], "label": ["b"]}),  # type: ignore[arg-type]
        "labels as a set": lambda: Dataset.from_lists(["a"], {"b"}),  # type: ignore[arg-type]
        "texts as a dict": lambda: Dataset.from_lists({"text": "a"}, ["b"]),  # type: ignore[arg-type]
        "fit with a dict": lambda: EmotionClassifier().fit(["a"], {"b": 1}),
    }


@pytest.mark.parametrize("call", wrong_calls())
def test_a_wrong_kind_is_refused_by_name(call: str) -> None:
    with pytest.raises(EmoclfError, match=r"Got|Give|called|give"):
        wrong_calls()[call]()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"text": "a lovely day"},
            "a dict with the keys 'text' instead; pass the list",
        ),
        ({"a", "b"}, "a set instead, which has no order"),
        ("a lovely day", "the single str 'a lovely day' instead; put it into a list"),
        (b"a lovely day", "the single bytes"),
    ],
)
def test_no_classifier_takes_mappings_sets_and_single_texts(
    texts: Any, message: str, tiny_export: Callable[[str], Path]
) -> None:
    trained = tiny_trained()
    folded = emoclf.load_exported(tiny_export("folded"))
    for classifier in (trained, trained.predictor, folded):
        for method in ("predict", "predict_proba", "predict_stream"):
            with pytest.raises(DataError, match=message):
                list(getattr(classifier, method)(texts))
    values = {"text": "lovely"}
    assert trained.predict(values.values()) == trained.predict(["lovely"])


def test_unknown_keywords_are_corrected() -> None:
    for name, meant in (("epoch", "epochs"), ("verbos", "verbose")):
        with pytest.raises(SettingsError, match=f"{name}'.*Did you mean '{meant}'"):
            train_classifier(tiny_dataset(), **{name: 1})


def test_representations_are_short_and_escaped() -> None:
    trained, split = tiny_trained(), tiny_split()
    evil = Dataset.from_lists(["<script>" * 9, "b"], ["<b>", "&"])
    report = evaluate_classifier(trained, split)
    finding = emoclf.Finding("a", "note", "<i>")
    shown = [trained, trained.predictor, trained.bundle, split, split.train, evil]
    for one in [*shown, report, report.network, audit_dataset(evil), finding]:
        assert len(repr(one)) < 2000
        page = one._repr_html_() if hasattr(one, "_repr_html_") else ""
        assert "<script>" not in page
        assert "<i>" not in page
    assert repr(split).startswith("<Split: train ")
    assert "anger, fear, joy" in repr(trained.predictor)


def test_figures_come_as_frames() -> None:
    report = evaluate_classifier(tiny_trained(), tiny_split())
    table = report.to_frame().set_index(["set", "classifier"])
    row = table.loc[("test", "text_cnn")]
    assert row["macro_f1"] == report.network.macro_f1
    assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
    assert report.network.to_frame().loc["joy", "support"] == report.network.n / 3
    assert audit_dataset(tiny_dataset()).to_frame().loc["joy", "texts"] == 20


@pytest.mark.slow
def test_a_used_classifier_is_pickled_and_copied() -> None:
    trained, texts = tiny_trained(), ["lovely", "alone"]
    before = trained.predict_proba(texts)
    for one in (trained, trained.predictor):
        for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
            np.testing.assert_array_equal(again.predict_proba(texts), before)


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    tiny_trained().save(tmp_path / "a.emoclf")
    (tmp_path / "lines.txt").write_text("lovely\nalone\n")
    script = tmp_path / "script.py"
    script.write_text(
        "from emoclf import predict_file\n"
        "predict_file('a.emoclf', 'lines.txt', 'o.jsonl', workers=2)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_script_shows_progress_and_no_lines_of_tensorflow(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from emoclf import load_sample, train_classifier\n"
        "small = {'vectors': 'none', 'dim': 4, 'filters': 2, 'ngrams': False}\n"
        "train_classifier(load_sample()[:300], epochs=2, **small)\n"
        "train_classifier(load_sample()[:300], epochs=1, verbose=0, **small)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True
    )
    assert done.stderr.startswith("epoch 1/2")
    assert "epoch 2/2" in done.stderr
    assert "epoch 1/1" not in done.stderr
    assert "oneDNN" not in done.stderr
    assert "cuda" not in done.stderr


def test_settings_of_reading_are_keywords(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    rows = [f"text {n} of {n * n};{'joy' if n % 2 else 'fear'}\n" for n in range(30)]
    path.write_text("Kommentar;Gefühl\n" + "".join(rows), "utf-8")
    names = {"text_column": "Kommentar", "label_column": "Gefühl"}
    data = read_dataset(path, **names)
    assert data.label_names == ("fear", "joy")
    numbered = read_dataset(path, label_names={"joy": "1", "fear": "0"}, **names)
    assert numbered.label_names == ("1", "0")
    with pytest.raises(SettingsError, match="Did you mean 'text_column'"):
        read_dataset(path, text_colum="Kommentar")
    frame = data.to_frame().rename(columns={"text": "Kommentar", "label": "Gefühl"})
    split = split_dataset(frame, test_fraction=0, near_duplicates=1.0, **names)
    assert split.test is None
    matrix = pd.DataFrame({"text": ["a", "b"], "is_joy": [1, 0], "is_fear": [1, 1]})
    settings = DataSettings(label_columns="is_*, is_fear")
    assert as_dataset(matrix, settings).labels == (("is_joy", "is_fear"), ("is_fear",))


def test_a_classifier_is_evaluated_on_other_texts() -> None:
    trained, data = tiny_trained(), tiny_dataset()
    report = trained.evaluate(data.to_frame())
    again = evaluate_classifier(trained.predictor, data)
    assert report.network.macro_f1 == again.network.macro_f1


@pytest.mark.slow
def test_an_export_takes_frames_and_is_evaluated(
    tiny_export: Callable[[str], Path], tmp_path: Path
) -> None:
    data = tiny_dataset()
    frame = data.to_frame()
    folded = emoclf.load_exported(tiny_export("folded"))
    report = evaluate_classifier(folded, frame)
    trained = tiny_trained().evaluate(frame)
    assert report.network.macro_f1 == trained.network.macro_f1
    named = train_classifier(frame["text"], frame["label"], verbose=0, **QUICK)
    assert named.text_column == "text"
    named.save(tmp_path / "a.emoclf")
    path = emoclf.export_classifier(named.predictor, tmp_path / "a.folded", to="folded")
    assert emoclf.load_exported(path).predict(frame) == named.predict(frame)
