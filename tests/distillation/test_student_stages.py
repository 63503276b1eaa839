"""Targets of a student; tests of emoclf.distillation.student_stages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tiny import tiny_settings, tiny_split

from emoclf.distillation.distillation_settings import DistillationSettings
from emoclf.distillation.stored_arrays import store_texts
from emoclf.distillation.student_stages import student_stages
from emoclf.distillation.transfer_set import TransferSet
from emoclf.distillation.unlabelled import UnlabelledCounts


def test_all_targets_of_one_stage_have_one_temperature(tmp_path: Path) -> None:
    train = tiny_split().train
    texts = store_texts(tmp_path / "texts", [*train.texts, "one", "two"])
    transfer = TransferSet(tmp_path, texts, len(train), UnlabelledCounts(), (), False)
    row = [0.7, 0.2, 0.1]
    prepared: Any = SimpleNamespace(
        train=SimpleNamespace(
            targets=train.label_ids, weights=None, token_ids=[np.array([2])]
        ),
        encoder=SimpleNamespace(encode=lambda block: [np.array([2]) for _ in block]),
    )

    def targets(taught: Any = None, **options: Any) -> list[np.ndarray]:
        if taught is None:
            taught = np.tile(np.float32(row), (len(train), 1))
        stages, soft = student_stages(
            transfer,
            [np.tile(np.float16(row), (len(texts), 1))],
            prepared,
            train,
            tiny_settings(),
            DistillationSettings(**options),
            taught,
        )
        assert soft is stages[-1].train or len(stages) == 1
        return [np.array(stage.train.targets, np.float32) for stage in stages]

    powers = np.sqrt(row)
    scaled = powers / powers.sum()
    (joint,) = targets(order="joint", temperature=2.0, true_share=0.0)
    np.testing.assert_allclose(joint, np.tile(scaled, (len(texts), 1)), atol=1e-3)
    (joint,) = targets(order="joint", temperature=2.0, true_share=0.5)
    truth = np.eye(3)[train.label_ids]
    np.testing.assert_allclose(joint[:-2], (truth + scaled) / 2, atol=1e-3)
    # The second of two stages has a temperature of its own: 1.
    first, last = targets(temperature=2.0, true_share=0.0)
    np.testing.assert_allclose(first, np.tile(scaled, (len(texts), 1)), atol=1e-3)
    np.testing.assert_allclose(last, np.tile(row, (len(train), 1)), atol=1e-3)
    # Out-of-fold probabilities are those of the training texts alone.
    of_folds = np.tile(np.float32([0.1, 0.8, 0.1]), (len(train), 1))
    first, last = targets(of_folds, true_share=0.5)
    np.testing.assert_allclose(first[:-2], of_folds, atol=1e-3)
    np.testing.assert_allclose(first[-2:], [row, row], atol=1e-3)
    np.testing.assert_allclose(last, (truth + of_folds) / 2, atol=1e-3)
    powers = np.sqrt(of_folds)
    first, last = targets(of_folds, temperature=2.0, true_share=0.0)
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(first[:-2], expected, atol=1e-3)
    np.testing.assert_allclose(last, of_folds, atol=1e-3)
