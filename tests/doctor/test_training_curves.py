"""Checks of learning curves."""

from __future__ import annotations

import numpy as np
import pytest

from emoclf.doctor.findings import Finding
from emoclf.doctor.training_curves import check_fit, check_rising_loss

EVEN = np.full(3, 1 / 3)


def name(finding: Finding | None) -> str | None:
    return finding and finding.name


def test_a_loss_that_keeps_rising() -> None:
    rising = check_rising_loss([1.0, 1.1, 1.3, 1.5])
    assert name(rising) == "loss-rises"
    settled = [0.7, 0.05, 0.0100, 0.0104, 0.0108, 0.0112]
    assert check_rising_loss(settled) is None
    for calm in ([1.5, 1.3, 1.1, 1.0], [1.0, 1.001, 1.002, 1.003], [1.0, 1.2, 1.4],
                 [1.0, 1.1, 1.3, np.nan]):  # fmt: skip
        assert check_rising_loss(calm) is None


def test_the_curves() -> None:
    def check(**values: object) -> Finding | None:
        common = {"accuracy": 0.8, "val_losses": [1.0, 0.6, 0.7], "val_accuracy": 0.6}
        common |= {"best_epoch": 2, "prior": EVEN, "multilabel": False, **values}
        return check_fit(**common)  # type: ignore[arg-type]

    assert check() is None
    # The validation set shows what averaged weights without dropout have learnt.
    assert check(accuracy=0.35) is None
    slow = check(accuracy=0.35, val_accuracy=0.4)
    assert slow is not None
    assert slow.name == "under-fitting"
    assert slow.message == (
        "35% of the training texts were predicted correctly during the last epoch, and "
        "40% of the validation texts are; always predicting the most frequent label "
        "gives 33%"
    )
    assert name(check(accuracy=0.99, val_accuracy=0.3)) == "over-fitting"
    late = check(val_losses=[1.0, 0.6, 3.0], best_epoch=3)
    assert late is not None
    assert late.name == "over-fitting"
    assert late.evidence["prior"] == pytest.approx(np.log(3))
    assert check(accuracy=0.0, multilabel=True) is None
    skewed = np.array([0.95, 0.05])
    for accuracy in (0.955, 0.94):
        calm = check(accuracy=accuracy, val_accuracy=accuracy, prior=skewed)
        assert calm is None
