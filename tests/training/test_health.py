"""Judgements are made from numbers alone, and told in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.doctor import curves, gradients, predictions
from emoclf.doctor.data import check_coverage, check_cut, check_targets, check_texts
from emoclf.doctor.findings import Finding, fitting_cures, sorted_findings

NAMES = ("anger", "fear", "joy")
EVEN = np.full(3, 1 / 3)


def name(finding: Finding | None) -> str | None:
    return finding and finding.name


def test_collapse_says_how_far_imbalance_explains_it() -> None:
    truth = np.repeat([0, 1, 2], 40)
    always = np.zeros(120, int)
    even = predictions.check_collapse(always, truth, NAMES, prior=EVEN)
    assert even is not None
    assert "100% of the texts get the label 'anger', which 33% have" in even.message
    assert "imbalance" not in even.causes[0]
    skewed = predictions.check_collapse(
        always, truth, NAMES, prior=np.array([0.8, 0.1, 0.1])
    )
    assert skewed is not None
    assert skewed.causes[0] == "imbalance: 80% of the training texts have it"
    assert skewed.cures[0] == "class_weight='balanced'"


def test_a_class_that_nearly_all_texts_have_is_no_collapse() -> None:
    truth = np.array([0] * 96 + [1] * 4)
    assert (
        predictions.check_collapse(np.zeros(100, int), truth, NAMES, prior=EVEN) is None
    )
    assert predictions.check_collapse(truth, truth, NAMES, prior=EVEN) is None
    nothing = np.empty(0, int)
    assert predictions.check_collapse(nothing, nothing, NAMES, prior=EVEN) is None


def test_labels_that_are_never_found() -> None:
    truth = np.array([0] * 20 + [1] * 9 + [2] * 12)
    found = predictions.check_unseen(np.zeros(41, int), truth, NAMES, prior=EVEN)
    assert found is not None
    # Nine texts of 'fear' are too few to say.
    assert found.evidence["labels"] == "joy"
    multilabel = np.eye(3, dtype=int)[truth]
    found = predictions.check_unseen(multilabel * 0, multilabel, NAMES, prior=EVEN)
    assert found is not None
    assert found.evidence["labels"] == "anger, joy"


@pytest.mark.parametrize(
    ("mean", "prior", "expected"),
    [
        ([0.608, 0.392], [0.608, 0.392], "stuck-at-prior"),
        ([0.5, 0.5], [0.608, 0.392], "stuck-at-uniform"),
        ([0.5, 0.5], [0.5, 0.5], "stuck-at-uniform"),
        ([0.9, 0.1], [0.608, 0.392], "stuck-at-a-constant"),
    ],
)
def test_answers_that_do_not_move(mean: list, prior: list, expected: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 50)
    answers = np.array(mean) + rng.normal(0, 0.003, (50, 1)) * [1, -1]
    found = predictions.check_stuck(answers, truth, prior=np.array(prior))
    assert name(found) == expected
    moved = np.array(mean) + rng.normal(0, 0.1, (50, 1)) * [1, -1]
    assert predictions.check_stuck(moved, truth, prior=np.array(prior)) is None
    multilabel = (rng.random((50, 2)) < 0.5).astype(int)
    half = np.full((50, 2), 0.5) + rng.normal(0, 1e-3, (50, 2))
    found = predictions.check_stuck(half, multilabel, prior=np.array([0.1, 0.2]))
    assert name(found) == "stuck-at-uniform"
    # Flat, but right: it has begun to learn.
    right = np.array([0.5, 0.5]) + np.where(truth, -1, 1)[:, None] * [0.004, -0.004]
    assert predictions.check_stuck(right, truth, prior=np.array([0.5, 0.5])) is None


def test_the_worst_layer_is_named() -> None:
    found = gradients.check_units({"a": 0.2, "b": 0.95}, {"c": 0.6})
    assert [(f.name, f.severity, f.evidence["layer"]) for f in found] == [
        ("dead-units", "error", "b"),
        ("saturated-units", "warning", "c"),
    ]
    assert gradients.check_units({"a": 0.2}, {"c": 0.4}) == []
    assert gradients.check_units({}, {}) == []


def test_gradients() -> None:
    def judged(**norms: float) -> str | None:
        return name(gradients.check_gradients(norms, head="logits"))

    assert judged(all=2.0, conv=1e-3, logits=1e-3) is None
    assert judged(all=2.0, conv=1e-9, logits=1e-3) == "vanishing-gradients"
    assert judged(all=1e4, conv=1.0, logits=1.0) == "exploding-gradients"
    assert judged(all=np.inf, logits=1.0) == "exploding-gradients"
    assert judged(all=1.0, logits=1.0) is None
    assert judged() is None


def test_updates_and_rates() -> None:
    assert name(gradients.check_updates({"a": 1e-3, "b": 0.5})) == "updates-too-large"
    assert name(gradients.check_updates({"a": 1e-9, "b": 1e-8})) == "updates-too-small"
    assert gradients.check_updates({"a": 1e-9, "b": 1e-3}) is None
    assert gradients.check_updates({}) is None
    for rate, said in [(1e-3, None), (0.02, None), (1e-5, None),
                       (0.1, "far above"), (1e-7, "far below")]:  # fmt: skip
        found = gradients.check_rate(rate, usual=1e-3, optimizer="adam")
        assert (found is None) == (said is None)
        assert found is None or str(said) in found.message


def test_a_loss_that_keeps_rising() -> None:
    rising = curves.check_rising_loss([1.0, 1.1, 1.3, 1.5])
    assert name(rising) == "loss-rises"
    settled = [0.7, 0.05, 0.0100, 0.0104, 0.0108, 0.0112]
    assert curves.check_rising_loss(settled) is None
    for calm in ([1.5, 1.3, 1.1, 1.0], [1.0, 1.001, 1.002, 1.003], [1.0, 1.2, 1.4],
                 [1.0, 1.1, 1.3, np.nan]):  # fmt: skip
        assert curves.check_rising_loss(calm) is None


def test_the_curves() -> None:
    def judged(**values: object) -> Finding | None:
        common = {"accuracy": 0.8, "val_losses": [1.0, 0.6, 0.7], "val_accuracy": 0.6}
        common |= {"best_epoch": 2, "prior": EVEN, "multilabel": False, **values}
        return curves.check_fit(**common)  # type: ignore[arg-type]

    assert judged() is None
    assert name(judged(accuracy=0.35)) == "under-fitting"
    assert name(judged(accuracy=0.99, val_accuracy=0.3)) == "over-fitting"
    late = judged(val_losses=[1.0, 0.6, 3.0], best_epoch=3)
    assert late is not None
    assert late.name == "over-fitting"
    assert late.evidence["prior"] == pytest.approx(np.log(3))
    assert judged(accuracy=0.0, multilabel=True) is None
    skewed = np.array([0.95, 0.05])
    for accuracy in (0.955, 0.94):
        calm = judged(accuracy=accuracy, val_accuracy=accuracy, prior=skewed)
        assert calm is None


def test_labels_that_no_head_takes() -> None:
    def judged(targets: object, multilabel: bool = False) -> Finding | None:
        return check_targets(targets, n_classes=3, multilabel=multilabel)

    assert judged(np.array([0, 1, 2])) is None
    assert judged(np.eye(3), multilabel=True) is None
    shifted = judged(np.array([1, 2, 3]))
    assert shifted is not None
    assert (shifted.causes, shifted.cures) == (
        ("labels that are counted from 1",),
        ("labels - 1",),
    )
    one_hot = judged(np.eye(3))
    assert one_hot is not None
    assert one_hot.cures == ("targets.argmax(axis=1)",)
    for targets, multilabel in [
        (np.array([0, 1]), True), (np.eye(2), True), (2 * np.eye(3), True),
        (np.array([-1, 0]), False), (np.array([0, 3]), False),
        (np.array([0, 1.5]), False), (np.array(["anger"]), False),
        (np.array([0, np.nan]), False),
    ]:  # fmt: skip
        assert name(judged(targets, multilabel)) == "wrong-targets"


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


def test_cures_that_a_run_does_not_have_are_left_out() -> None:
    cures = ("clip_norm=5", "activation='relu'", "pooling='max'", "less dropout")
    in_force = {"clip_norm": 5.0, "pooling": "last"}
    assert fitting_cures(cures, in_force) == ("pooling='max'", "less dropout")
    assert fitting_cures(("batch_norm=True",), {"batch_norm": True}) == ()


def test_findings_travel_and_are_sorted() -> None:
    note = Finding("a", "note", "a note")
    error = Finding("b", "error", "an error", {"x": 1}, ("c",), ("d",), epoch=3)
    assert sorted_findings([note, error]) == (error, note)
    assert Finding.from_dict(error.to_dict()) == error
    assert str(error).splitlines() == [
        "error: b (epoch 3): an error",
        "  likely causes: c.",
        "  change: d.",
    ]
