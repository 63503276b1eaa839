"""EmotionClassifier as scikit-learn uses it; emoclf.estimator_labels too.

``check_estimator`` skips estimators of strings, so what matters is tested by name.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_predict,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from tiny import tiny_dataset, tiny_settings

from emoclf.bundle.bundle_folder import save_bundle
from emoclf.cli import main
from emoclf.errors import DataError, SettingsError
from emoclf.estimator import EmotionClassifier
from emoclf.estimator_labels import labelled_dataset
from emoclf.models import ARCHITECTURES
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings

DATA = tiny_dataset()
TEXTS, LABELS = list(DATA.texts), list(DATA.labels)
NEW = ["a lovely gift", "alone in the dark", "an unfair insult"]


def new(**values: object) -> EmotionClassifier:
    settings = {"settings": tiny_settings(), "random_state": 0}
    return EmotionClassifier(**{**settings, **values})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted() -> EmotionClassifier:
    return new().fit(TEXTS, LABELS)


@pytest.mark.slow
def test_fit_and_predict(fitted: EmotionClassifier) -> None:
    assert is_classifier(fitted)
    assert fitted.classes_.tolist() == ["anger", "fear", "joy"]
    assert fitted.predict(NEW).tolist() == ["joy", "fear", "anger"]
    probabilities = fitted.predict_proba(NEW)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-12)
    assert fitted.score(TEXTS, LABELS) > 0.9
    assert fitted.n_iter_ >= fitted.best_epoch_ >= 1


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_fits(architecture: str, tmp_path: Path) -> None:
    values = {"dim": 12, "near_duplicates": 1.0, **ARCHITECTURES[architecture].tiny}
    small = RunSettings.from_flat(architecture=architecture, **values)
    classifier = EmotionClassifier(settings=small, epochs=1, random_state=0)
    classifier.fit(TEXTS, LABELS).save(tmp_path / "saved")
    assert classifier.predictor_.bundle.settings.architecture == architecture
    assert all(finding.cures for finding in classifier.findings_)
    loaded = EmotionClassifier.load(tmp_path / "saved")
    assert loaded.get_params()["architecture"] == architecture
    np.testing.assert_array_equal(
        loaded.predict_proba(NEW), classifier.predict_proba(NEW)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of_texts", "of_labels"), [(pd.Series, tuple), (np.array, np.array)]
)
def test_any_collection_fits(of_texts, of_labels) -> None:
    classifier = new(epochs=1).fit(of_texts(TEXTS), of_labels(LABELS))
    for collection in (pd.Series, np.array, tuple):
        assert classifier.predict(collection(NEW)).shape == (3,)


@pytest.mark.slow
def test_classes_keep_their_type(tmp_path: Path) -> None:
    numbers = [{"anger": 10, "fear": 2, "joy": 33}[label] for label in LABELS]
    classifier = new().fit(TEXTS, pd.Series(numbers))
    loaded = EmotionClassifier.load(classifier.save(tmp_path / "numbers.emoclf"))
    for copy in (classifier, loaded):
        assert copy.classes_.tolist() == [2, 10, 33]
        assert copy.predict(NEW).tolist() == [33, 2, 10]
    assert loaded.score(TEXTS, numbers) == classifier.score(TEXTS, numbers)


def test_params_are_stored_untouched() -> None:
    sizes = [2, 3]
    classifier = new(kernel_sizes=sizes, filters=7, epochs=np.int64(3))
    assert classifier.kernel_sizes is sizes
    copy = clone(classifier)
    assert copy.get_params()["filters"] == 7
    assert copy.set_params(filters=9).filters == 9
    assert not hasattr(copy, "classes_")


@pytest.mark.slow
def test_a_keyword_wins_over_the_settings() -> None:
    classifier = new(filters=3, embedding="random", epochs=1).fit(TEXTS, LABELS)
    settings = classifier.predictor_.bundle.settings
    assert settings.model.filters == 3
    assert classifier.n_iter_ == 1
    # Other settings are left alone.
    assert settings.model.kernel_sizes == (1, 2)
    assert settings.embedding.dim == tiny_settings().embedding.dim


@pytest.mark.slow
def test_the_same_random_state_gives_the_same_model() -> None:
    first, second = (new(epochs=1).fit(TEXTS, LABELS) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(NEW), second.predict_proba(NEW))
    assert new(random_state=np.random.RandomState(0))._seed() != 0
    other = new(epochs=1, random_state=1).fit(TEXTS, LABELS)
    assert (other.predict_proba(NEW) != first.predict_proba(NEW)).any()


def test_pickle_carries_plain_values(fitted: EmotionClassifier) -> None:
    data = pickle.dumps(fitted)
    modules = {part for part in data.split(b"\x8c") if b"keras." in part}
    assert not modules, "a Keras object was pickled"
    copy = pickle.loads(data)
    np.testing.assert_array_equal(copy.predict_proba(NEW), fitted.predict_proba(NEW))
    assert copy.get_params().keys() == fitted.get_params().keys()


def test_an_unfitted_copy_pickles() -> None:
    assert pickle.loads(pickle.dumps(new(filters=5))).filters == 5


@pytest.mark.slow
def test_save_and_load(fitted: EmotionClassifier, tmp_path: Path) -> None:
    path = fitted.save(tmp_path / "saved.emoclf")
    loaded = EmotionClassifier.load(path)
    np.testing.assert_array_equal(loaded.predict(NEW), fitted.predict(NEW))
    np.testing.assert_array_equal(
        Predictor.load(path).predict_proba(NEW), fitted.predictor_.predict_proba(NEW)
    )
    again = clone(loaded).set_params(epochs=1)
    assert again.fit(TEXTS, LABELS).predict(NEW).shape == (3,)


@pytest.mark.slow
def test_in_a_pipeline() -> None:
    upper = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    pipeline = Pipeline([("upper", upper), ("classify", new())])
    assert pipeline.fit(TEXTS, LABELS).predict(NEW).tolist() == ["joy", "fear", "anger"]


@pytest.mark.slow
def test_grid_search_with_log_loss() -> None:
    one_split = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    search = GridSearchCV(
        new(epochs=1), {"filters": [2, 8]}, scoring="neg_log_loss", cv=one_split
    )
    search.fit(TEXTS, LABELS)
    assert search.best_params_["filters"] in (2, 8)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.predict(NEW).shape == (3,)


@pytest.mark.slow
def test_cross_val_predict_keeps_the_order_of_classes() -> None:
    # Shuffled: neighbours in the tiny corpus share the word that decides.
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    probabilities = cross_val_predict(
        new(), TEXTS, LABELS, cv=folds, method="predict_proba"
    )
    assert probabilities.shape == (60, 3)
    best = np.array(["anger", "fear", "joy"])[probabilities.argmax(1)]
    # Three times what another order would give.
    assert (best == np.array(LABELS)).mean() > 0.6
    assert log_loss(LABELS, probabilities) < 1.0


@pytest.mark.slow
def test_cross_validation_with_a_class_of_two_rows() -> None:
    texts = [*TEXTS, "it was odd at home", "how strange"]
    with pytest.warns(UserWarning, match="least populated class"):
        labels = cross_val_predict(new(epochs=1), texts, [*LABELS, "odd", "odd"], cv=3)
    assert labels.shape == (62,)


@pytest.mark.slow
def test_calibration() -> None:
    calibrated = CalibratedClassifierCV(new(epochs=1), cv=2).fit(TEXTS, LABELS)
    np.testing.assert_allclose(calibrated.predict_proba(NEW).sum(1), 1)


@pytest.mark.slow
def test_a_weight_of_zero_hides_a_text() -> None:
    wrong = ["joy" if label == "fear" else label for label in LABELS]
    texts, labels = TEXTS + TEXTS, LABELS + wrong
    weight = np.r_[np.ones(60), np.zeros(60)]
    classifier = new(epochs=20).fit(
        texts, labels, sample_weight=weight, validation_data=(TEXTS, LABELS)
    )
    assert (classifier.predict(TEXTS) == LABELS).mean() > 0.9


@pytest.mark.slow
def test_balanced_class_weights() -> None:
    few = [i for i, label in enumerate(LABELS) if label != "joy" or i % 5 == 0]
    texts, labels = [TEXTS[i] for i in few], [LABELS[i] for i in few]
    classifier = new(class_weight="balanced", epochs=1).fit(texts, labels)
    assert classifier.predict_proba(texts).shape == (len(few), 3)
    with pytest.raises(SettingsError, match="Did you mean 'joy'"):
        new(class_weight={"joi": 2.0}).fit(texts, labels)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, LABELS[:-1], "60 texts and 59 labels"),
        (TEXTS, [*LABELS[:-1], None], "Label number 59 is missing"),
        ("one text", ["joy"], "put it into a list"),
        (TEXTS, ["joy"] * 60, "only one"),
    ],
)
def test_wrong_input_is_refused(texts, labels, message: str) -> None:
    with pytest.raises(DataError, match=message):
        new().fit(texts, labels)


def test_an_empty_validation_set_is_refused() -> None:
    with pytest.raises(DataError, match="validation_data has no texts"):
        new().fit(TEXTS, LABELS, validation_data=([], []))


def test_a_wrong_setting_is_refused_by_fit() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'text_cnn'"):
        new(architecture="textcnn").fit(TEXTS, LABELS)
    with pytest.raises(SettingsError, match="at least 1"):
        new(filters=0).fit(TEXTS, LABELS)


def test_an_unfitted_classifier_is_refused() -> None:
    with pytest.raises(NotFittedError):
        new().predict(NEW)


@pytest.mark.parametrize(
    ("weights", "shown"),
    [(np.ones(5), r"\(5,\)"), (np.zeros(60), "not all 0"), (-np.ones(60), "of -1")],
)
def test_weights_that_do_not_fit_are_refused(weights, shown: str) -> None:
    with pytest.raises(SettingsError, match=shown):
        new().fit(TEXTS, LABELS, sample_weight=weights)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([*LABELS[:-1], LABELS[-1] + " "], "white space"),
        ([*LABELS[:-1], 3], "all texts, or all numbers"),
        (["0", "0.0", "1"] * 20, "how a number or a truth value is written"),
        (["[joy, love]", "anger", "joy"] * 20, "0, .*looks like a list.*another name"),
        (["a\x1b[2Jb", "anger", "joy"] * 20, r"0, 'a.x1b.*contains control characters"),
        ([*LABELS[:-1], pd.NA], "number 59 is missing"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        new().fit(TEXTS, pd.Series(labels, dtype=object))


def test_settings_must_be_settings() -> None:
    with pytest.raises(SettingsError, match=r"Got 'run.toml'"):
        new(settings="run.toml").fit(TEXTS, LABELS)


MATRIX = np.eye(3, dtype=int)[DATA.label_ids]
MATRIX[::7, 1] = 1
LISTS = [[label, "odd"] if i % 7 else [label] for i, label in enumerate(LABELS)]


COLUMN = np.array(LABELS).reshape(-1, 1)


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        (MATRIX, [0, 1, 2], "i"),
        (MATRIX > 0, [0, 1, 2], "b"),
        (MATRIX.astype(float), [0, 1, 2], "f"),
        (csr_matrix(MATRIX), [0, 1, 2], "i"),
        (MATRIX.tolist(), [0, 1, 2], "i"),
        (pd.DataFrame(MATRIX, columns=["a", "f", "j"]), ["a", "f", "j"], "i"),
        (LISTS, ["anger", "fear", "joy", "odd"], "U"),
        (pd.Series(map(str, LISTS)), ["anger", "fear", "joy", "odd"], "U"),
        ([[3], [3, 15], [27]] * 20, [3, 15, 27], "i"),
        # Lists of one label are multilabel too, as in datasets.
        ([[label] for label in LABELS], ["anger", "fear", "joy"], "U"),
        # But one column is one label for each text.
        (COLUMN, ["anger", "fear", "joy"], "U"),
        (pd.DataFrame(COLUMN), ["anger", "fear", "joy"], "U"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_forms_of_labels(y, classes: list, kind: str) -> None:
    dataset, dataset_classes, dataset_kind = labelled_dataset(TEXTS, y)
    assert dataset_classes.tolist() == classes
    assert dataset_kind == kind
    assert dataset.multilabel == (getattr(y, "shape", ()) != (60, 1))
    shape = (60, len(classes)) if dataset.multilabel else (60,)
    assert dataset.label_ids.shape == shape


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        (MATRIX > 0, [0, 1, 2], "b"),
        (csr_matrix(MATRIX.astype(float)), [0, 1, 2], "f"),
        (LISTS, ["anger", "fear", "joy", "odd"], "i"),
        ([[3], [3, 15], [27]] * 20, [3, 15, 27], "i"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.slow
def test_several_labels(y, classes, kind: str, tmp_path: Path) -> None:
    classifier = new(epochs=1).fit(TEXTS, y)
    assert classifier.classes_.tolist() == classes
    predicted = classifier.predict(NEW)
    assert predicted.shape == classifier.predict_proba(NEW).shape == (3, len(classes))
    assert predicted.dtype.kind == kind
    assert 0 <= classifier.score(TEXTS, y) <= 1
    loaded = EmotionClassifier.load(classifier.save(tmp_path / "saved"))
    for copy in (loaded, pickle.loads(pickle.dumps(classifier))):
        np.testing.assert_array_equal(copy.predict(NEW), predicted)
        assert copy.predict(NEW).dtype == predicted.dtype
        np.testing.assert_array_equal(copy.classes_, classifier.classes_)


@pytest.mark.slow
def test_a_matrix_in_cross_validation_and_with_validation_data() -> None:
    probabilities = cross_val_predict(
        new(epochs=1), TEXTS, MATRIX, cv=2, method="predict_proba"
    )
    assert probabilities.shape == MATRIX.shape
    classifier = new(epochs=20).fit(TEXTS, MATRIX, validation_data=(TEXTS, MATRIX))
    assert classifier.score(TEXTS, MATRIX) > 0.5
    with pytest.raises(DataError, match=r"validation set has one label for each text"):
        new().fit(TEXTS, [*LISTS], validation_data=(TEXTS, LABELS))
    with pytest.raises(DataError, match=r"have 2 columns of 0 and 1.* has 3 classes"):
        new().fit(TEXTS, MATRIX, validation_data=(TEXTS, MATRIX[:, :2]))


@pytest.mark.slow
def test_columns_of_frames_are_found_by_their_names() -> None:
    frame = pd.DataFrame(MATRIX, columns=["anger", "fear", "joy"])
    turned = frame[["joy", "anger", "fear"]]
    classifier = new(epochs=20).fit(TEXTS, frame, validation_data=(TEXTS, turned))
    assert classifier.score(TEXTS, turned) == classifier.score(TEXTS, frame) > 0.5
    with pytest.raises(DataError, match=r"joy, anger, odd are not the classes anger"):
        classifier.score(TEXTS, turned.rename(columns={"fear": "odd"}))


@pytest.mark.slow
def test_frames_of_texts_and_lists_of_one_label_as_validation_data() -> None:
    lists = [[label] for label in LABELS]
    frame = pd.DataFrame({"text": TEXTS, "id": range(len(TEXTS))})
    classifier = new(epochs=1, settings=tiny_settings(text_column="text"))
    classifier.fit(frame, LISTS, validation_data=(frame, lists))
    assert classifier.predict(frame).shape == (60, 4)
    assert 0 <= classifier.score(frame, lists) <= 1


@pytest.mark.slow
def test_the_settings_of_labels_apply_to_lists() -> None:
    joined = [",".join(labels) for labels in LISTS]
    settings = {"label_separator": ",", "filters": 8, "dim": 12, "ngrams": False}
    classifier = new(epochs=1, settings=settings).fit(TEXTS, joined)
    assert classifier.classes_.tolist() == ["anger", "fear", "joy", "odd"]
    assert 0 <= classifier.score(TEXTS, joined) <= 1


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (MATRIX * 0.8, r"multilabel: a 0 or a 1 .* Row 0 is 0.8, .*argmax"),
        (np.c_[DATA.label_ids, DATA.label_ids], r"multilabel: .* Row 40 is 2, 2"),
        ([["joy"], "joy"] * 30, r"X, position 1: the label must be a list.*Got 'joy'"),
        ([["joy", None], ["joy"]] * 30, r"position 0: .* contains an empty label"),
    ],
)
def test_wrong_forms_of_several_labels_are_refused(y, message: str) -> None:
    with pytest.raises(DataError, match=message):
        new().fit(TEXTS, y)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [bool, float, np.int8])
def test_the_table_of_a_fit_can_be_evaluated(
    kind: type, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"text": TEXTS, "label": np.array(LABELS) == "joy"})
    frame["label"] = frame["label"].astype(kind)
    classifier = new(epochs=1, class_weight={kind(1): 2}).fit(frame.text, frame.label)
    saved = classifier.save(tmp_path / "saved.emoclf")
    assert EmotionClassifier.load(saved).classes_.tolist() == [kind(0), kind(1)]
    frame.to_csv(tmp_path / "d.csv", index=False)
    frame.to_json(tmp_path / "d.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "d.parquet")
    for ending in ("csv", "jsonl", "parquet"):
        command = ["evaluate", str(saved), str(tmp_path / f"d.{ending}"), "--json"]
        assert main(command) == 0
        shown = json.loads(capsys.readouterr().out)
        assert sum(row["support"] > 0 for row in shown["per_class"]) == 2


@pytest.mark.slow
def test_classifiers_that_were_saved_with_other_names_keep_their_classes(
    tmp_path: Path,
) -> None:
    # In 0.2 truth values were called True and False, and numbers 1.0 and 0.0.
    truth = np.array(LABELS) == "joy"
    fitted = new(epochs=1).fit(TEXTS, truth).predictor_.bundle
    for names, kind, classes in (
        (("False", "True"), "b", [False, True]),
        (("0.0", "1.0"), "f", [0.0, 1.0]),
    ):
        path = tmp_path / kind
        save_bundle(replace(fitted, label_names=names, label_kind=kind), path)
        assert EmotionClassifier.load(path).classes_.tolist() == classes
        labels = truth.astype(type(classes[0]))
        frame = pd.DataFrame({"text": TEXTS, "label": labels})
        frame.to_json(tmp_path / f"{kind}.jsonl", orient="records", lines=True)
        assert main(["evaluate", str(path), str(tmp_path / f"{kind}.jsonl")]) == 0
