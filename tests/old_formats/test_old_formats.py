"""Files that emoclf 0.1.0 wrote keep loading, and predict the same.

That version wrote everything in ``emoclf-0.1.0.tar.xz``: bundles, an export in each of
its formats, the labels and probabilities that the bundles predicted, a finished search,
and a training run and a search that were killed. The archive is never changed.
``estimator-0.1.0.pkl.xz`` is an EmotionClassifier with findings that it pickled.
``linear-part-0.11.0.tar.xz`` has a TextCNN with a linear part of version 0.11.0.
"""

from __future__ import annotations

import json
import lzma
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from emoclf.bulk.predict_chunks import load_classifier
from emoclf.cli import main

ARCHIVE = Path(__file__).with_name("emoclf-0.1.0.tar.xz")
#: Export formats of version 0.1.0; the archive contains no later ones.
EXPORTS = (
    "saved-model", "onnx", "litert", "litert-int8", "folded", "folded-int8"
)  # fmt: skip
#: Largest difference of a probability in exact and in rounded formats.
EXACT, ROUNDED = 1e-5, 0.02
OPTIONS = (
    "--filters 8 --kernel-sizes 1,2 --dim 12 --batch-size 8 --learning-rate 0.02 "
    "--near-duplicates 1.0 --ema none"
).split()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written by 0.1.0")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("name", ["classifier.emoclf", *EXPORTS])
def test_bundles_and_exports_predict_the_same(old: Path, name: str) -> None:
    expected = json.loads((old / "answers.json").read_text("utf-8"))
    classifier = load_classifier(old / name)
    assert classifier.predict(expected["texts"]) == expected["labels"]
    probabilities = classifier.predict_proba(expected["texts"])
    bound = ROUNDED if name.endswith("int8") else EXACT
    np.testing.assert_allclose(
        probabilities, expected["probabilities"], rtol=0, atol=bound
    )


def test_a_linear_part_has_its_number_of_pairs(tmp_path: Path) -> None:
    """Until 0.11 there were 32,768 rows for hashed pairs of words."""
    with tarfile.open(ARCHIVE.with_name("linear-part-0.11.0.tar.xz")) as archive:
        archive.extractall(tmp_path, filter="data")
    expected = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    classifier = load_classifier(tmp_path / "classifier.emoclf")
    for _ in range(2):
        found = classifier.predict_proba(expected["texts"])
        np.testing.assert_allclose(found, expected["probabilities"], atol=EXACT)
        classifier.save(tmp_path / "again.emoclf", overwrite=True)
        classifier = load_classifier(tmp_path / "again.emoclf")


@pytest.mark.filterwarnings("ignore:emoclf:DeprecationWarning")
def test_a_pickled_estimator_predicts_the_same() -> None:
    content = ARCHIVE.with_name("estimator-0.1.0.pkl.xz").read_bytes()
    classifier = pickle.loads(lzma.decompress(content))
    found = classifier.predict_proba(["a lovely day", "awful"])
    expected = [[0.016321, 0.983679], [0.805916, 0.194084]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=EXACT)
    assert [finding.name for finding in classifier.findings_][-1] == "dead-units"
    # It has the parameters of later versions, too.
    assert clone(classifier).get_params()["encoder"] is None


def test_a_multilabel_bundle_predicts_the_same(old: Path) -> None:
    expected = json.loads((old / "multilabel.json").read_text("utf-8"))
    classifier = load_classifier(old / "multilabel.emoclf")
    assert classifier.multilabel
    assert classifier.predict(expected["texts"]) == list(map(tuple, expected["labels"]))
    np.testing.assert_allclose(
        classifier.predict_proba(expected["texts"]),
        expected["probabilities"],
        rtol=0,
        atol=EXACT,
    )


def test_a_bundle_with_metrics_can_be_evaluated(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(old / "trained.emoclf"), str(old / "tiny.csv"), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 60


def test_a_finished_search_is_shown_and_its_best_bundle_loads(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = old / "finished.search"
    assert main(["tune", "show", str(search), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["trials"]) == 3
    assert shown["chosen"]["number"] == 3
    assert shown["trials"][0]["repeats"][0]["figures"]["macro_f1"] >= 0
    assert {row["floor"] for row in shown["comparisons"]} == {
        "majority class",
        "TF-IDF + linear SVM",
    }
    assert main(["tune", "show", str(search)]) == 0
    assert "trial 3" in capsys.readouterr().out
    assert load_classifier(search / "best.emoclf").predict(["it was lovely"])


def test_an_unfinished_search_of_an_older_version_is_refused(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["tune", str(old / "tiny.csv"), *OPTIONS, "--epochs", "3", "--trials"]
    command += ["6", "--folds", "2", "--workers", "1"]
    command += [
        "--space",
        str(old / "space.toml"),
        "-o",
        str(old / "unfinished.search"),
    ]
    assert main(command) == 1
    message = capsys.readouterr().err
    assert "the version of emoclf was '0.1.0' and is now" in message
    assert "--new" in message


def test_an_unfinished_run_of_an_older_version_is_refused(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(old / "tiny.csv"), *OPTIONS, "--epochs", "5000"]
    command += ["--patience", "5000", "-o", str(old / "interrupted.emoclf"), "--resume"]
    assert main(command) == 1
    message = capsys.readouterr().err
    assert "the version of emoclf was '0.1.0' and is now" in message
    assert "--overwrite" in message


def test_a_drift_of_an_old_bundle_is_refused(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = old / "texts.txt"
    texts.write_text("a text", "utf-8")
    assert main(["drift", str(old / "classifier.emoclf"), str(texts)]) == 1
    assert "it was trained by an older emoclf, or" in capsys.readouterr().err
