"""Stages of a student: the targets of its texts, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from emoclf.datasets.dataset import Dataset
from emoclf.distillation.distillation_folder import FIRST_STAGE, LAST_STAGE
from emoclf.distillation.distillation_settings import JOINT, DistillationSettings
from emoclf.distillation.stages import Stage
from emoclf.distillation.transfer_set import TransferSet
from emoclf.evaluation.temperature import at_temperature
from emoclf.settings import RunSettings
from emoclf.training.batches import Examples
from emoclf.workflow.prepare import Prepared


def student_stages(
    transfer: TransferSet,
    predictions: Sequence[Any],
    prepared: Prepared,
    train: Dataset,
    settings: RunSettings,
    distillation: DistillationSettings,
    train_probabilities: np.ndarray,
) -> tuple[list[Stage], Examples]:
    """Return the stages of the training that the settings describe.

    ``train_probabilities`` are the teachers' for the training texts, or those of a
    cross-validation. The second value are the training texts with a mixture of them and
    the true labels.
    """
    n_train, multilabel = transfer.n_train, train.multilabel
    is_joint = distillation.order == JOINT
    temperature, share = distillation.temperature, distillation.true_share
    truth = prepared.train.targets
    if not multilabel:
        truth = np.eye(len(train.label_names))[truth]

    def mixed(probabilities: np.ndarray) -> np.ndarray:
        return share * truth + (1 - share) * probabilities

    soft = Examples(
        prepared.train.token_ids,
        mixed(train_probabilities).astype(np.float32),
        prepared.train.weights,
        temperature=1.0,
    )
    # The same scale as that of the other texts in the same stage.
    scaled = at_temperature(train_probabilities, temperature, multilabel=multilabel)
    targets = transfer.targets(
        predictions,
        temperature,
        multilabel=multilabel,
        first=mixed(scaled) if is_joint else scaled,
    )
    weights = None
    if is_joint:
        weights = np.ones(len(transfer), np.float32)
        weights[:n_train] = distillation.label_weight
        if prepared.train.weights is not None:
            weights[:n_train] *= prepared.train.weights
    ids = transfer.token_ids(prepared.encoder)
    first = Stage(
        FIRST_STAGE,
        f"the teachers' probabilities for {len(transfer):,} texts",
        Examples(ids, targets, weights, temperature),
        settings.training,
    )
    if is_joint or not distillation.last_epochs:
        return [first], soft
    training = replace(
        settings.training,
        epochs=distillation.last_epochs,
        learning_rate=settings.training.rate * distillation.last_rate,
    )
    title = f"{n_train:,} training texts, with a share of {share:g} of the true labels"
    return [first, Stage(LAST_STAGE, title, soft, training)], soft
