"""Checks of labels, texts and word vectors."""

from __future__ import annotations

import numpy as np

from emoclf.doctor.data import (
    check_coverage,
    check_cut,
    check_label_names,
    check_soft_targets,
    check_targets,
    check_texts,
)
from emoclf.doctor.findings import Finding


def name(finding: Finding | None) -> str | None:
    return finding and finding.name


def test_labels_that_no_head_takes() -> None:
    def check(targets: object, multilabel: bool = False) -> Finding | None:
        return check_targets(targets, n_classes=3, multilabel=multilabel)

    assert check(np.array([0, 1, 2])) is None
    assert check(np.eye(3), multilabel=True) is None
    shifted = check(np.array([1, 2, 3]))
    assert shifted is not None
    assert (shifted.causes, shifted.cures) == (
        ("labels that are counted from 1",),
        ("labels - 1",),
    )
    one_hot = check(np.eye(3))
    assert one_hot is not None
    assert one_hot.cures == ("targets.argmax(axis=1)",)
    for targets, multilabel in [
        (np.array([0, 1]), True), (np.eye(2), True), (2 * np.eye(3), True),
        (np.array([-1, 0]), False), (np.array([0, 3]), False),
        (np.array([0, 1.5]), False), (np.array(["anger"]), False),
        (np.array([0, np.nan]), False),
    ]:  # fmt: skip
        assert name(check(targets, multilabel)) == "wrong-targets"


def test_soft_targets() -> None:
    def check(targets: np.ndarray, multilabel: bool = False) -> Finding | None:
        return check_soft_targets(targets, n_classes=3, multilabel=multilabel)

    third = np.full((4, 3), 1 / 3, np.float16)
    assert check(third) is None
    assert check(np.eye(3)) is None
    assert check(np.ones((2, 3)), multilabel=True) is None
    assert name(check(np.ones((2, 3)))) == "wrong-targets"
    wrong = check(np.array([[0.5, 0.5, 0], [2.0, -1, 0]]))
    assert wrong is not None
    assert "row 1 is [2.0, -1.0, 0.0]" in wrong.message
    for targets in (third[:, :2], np.array([0, 1]), np.eye(3, dtype=int)):
        assert name(check(targets)) == "wrong-targets"
    assert name(check(np.full((1, 3), np.nan))) == "wrong-targets"


def test_names_of_labels() -> None:
    assert check_label_names(["joy", "joyful", "😀", "1", "-1", "C", "C++"]) is None
    found = check_label_names(["anger", "ANGER ", "joy"])
    assert name(found) == "similar-labels"
    assert "'anger' and 'ANGER '" in str(found)


def test_texts_and_vectors() -> None:
    known, unknown = np.array([2, 3, 4]), np.array([1, 1, 1])

    def texts(*ids: np.ndarray) -> str | None:
        return name(check_texts(ids, unknown_id=1, part="validation"))

    assert texts(*[known] * 9) is None
    assert texts(known, unknown) == "texts-unknown"
    assert texts(np.array([], int)) == "texts-without-words"
    assert check_cut(4, 100, max_length=20) is None
    cut = check_cut(5, 100, max_length=20)
    assert cut is not None
    assert cut.cures[0] == "max_length=40"
    assert check_coverage(0.9, missing=["x"]) is None
    low = check_coverage(0.5, missing=["touchpad", "usb"])
    assert low is not None
    assert "touchpad, usb" in low.message
