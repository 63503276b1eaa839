"""Probabilities of a cross-validation, in place of a teacher's for its own texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_teacher import WordTeacher
from tiny import tiny_dataset, tiny_settings, tiny_split

from emoclf import Dataset, cross_validate, distil_classifier
from emoclf.cli import main
from emoclf.datasets.split import Split
from emoclf.distillation.out_of_fold import read_out_of_fold
from emoclf.errors import DataError
from emoclf.evaluation.predicted_texts import Predictions
from emoclf.settings import DataSettings


def written(path: Path, data: Dataset) -> np.ndarray:
    """Write random probabilities of the texts, and return them."""
    numbers = np.random.default_rng(0).dirichlet(np.ones(3), len(data))
    found = Predictions(
        numbers.astype(np.float32),
        data.label_ids,
        data.label_names,
        np.full(3, 0.5),
        data.texts,
    )
    found.to_frame().to_csv(path, index=False)
    return numbers


def test_the_probabilities_of_training_texts_are_read(tmp_path: Path) -> None:
    path, split = tmp_path / "folds.csv", tiny_split()
    expected = written(path, split.train)
    found = read_out_of_fold(path, split, DataSettings())
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_cannot_be_out_of_fold_is_refused(tmp_path: Path) -> None:
    path, split = tmp_path / "folds.csv", tiny_split()
    written(path, split.train[:-1])
    with pytest.raises(DataError, match=r"folds\.csv lacks 1 of \d+ texts, such as"):
        read_out_of_fold(path, split, DataSettings())
    written(path, tiny_dataset())
    held = len(split.valid)
    with pytest.raises(
        DataError, match=rf"contains {held} of the validation texts: networks"
    ):
        read_out_of_fold(path, split, DataSettings())
    # A text of both sets is no sign of it.
    valid = split.train[:2]
    expected = written(path, split.train)
    both = read_out_of_fold(path, Split(split.train, valid), DataSettings())
    np.testing.assert_allclose(both, expected, atol=1e-5)
    frame = pd.DataFrame({"text": split.train.texts, "label": split.train.labels})
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match="has labels, and no probabilities"):
        read_out_of_fold(path, split, DataSettings())


@pytest.mark.slow
def test_a_cross_validation_writes_them_and_a_student_learns_them(
    tmp_path: Path,
) -> None:
    split = tiny_split()
    corpus, path = tmp_path / "train.csv", tmp_path / "folds.csv"
    split.train.to_frame().to_csv(corpus, index=False)
    command = ["crossval", str(corpus), "--folds", "2", "--out-of-fold", str(path)]
    options = ["--epochs", "1", "--filters", "4", "--vectors", "none", "--dim", "8"]
    assert main([*command, *options]) == 0
    found = read_out_of_fold(path, split, DataSettings())
    settings = {"epochs": 1, "filters": 4, "vectors": "none", "dim": 8}
    again = cross_validate(split.train, settings, folds=2)
    assert again.pooled.predictions is not None
    expected = again.pooled.predictions.probabilities
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # It is not replaced unasked, and that is said before anything is trained.
    before = path.read_bytes()
    assert main([*command, *options]) == 1
    assert path.read_bytes() == before
    student = distil_classifier(
        split,
        teacher=WordTeacher(),
        out_of_fold=path,
        unlabelled=["a lovely day", "so dark"],
        settings=tiny_settings(epochs=1),
        last_epochs=1,
        verbose=0,
    )
    assert student.bundle.metrics["distillation"]["out_of_fold"] == "folds.csv"
    card = (student.save(tmp_path / "student.emoclf") / "README.md").read_text("utf-8")
    assert "from a cross-validation of the teacher (folds.csv)" in card
