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
from emoclf.distillation.teacher_predictions import mean_probabilities
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
    out_of_fold: np.ndarray | None = None,
) -> list[Stage]:
    """Return the stages of the training that the settings describe.

    ``out_of_fold`` replaces the teachers' predictions for the training texts.
    """
    n_train, multilabel = transfer.n_train, train.multilabel
    truth = prepared.train.targets
    if not multilabel:
        truth = np.eye(len(train.label_names))[truth]
    share = distillation.true_share
    is_joint = distillation.order == JOINT
    temperature = distillation.temperature
    taught = out_of_fold
    if taught is None:
        taught = mean_probabilities(predictions, 0, n_train)
    # The same scale as that of the other texts in the same stage.
    scaled = at_temperature(taught, temperature, multilabel=multilabel)
    mixed = share * truth + (1 - share) * (scaled if is_joint else taught)
    targets = transfer.targets(
        predictions,
        temperature,
        multilabel=multilabel,
        first=mixed if is_joint else scaled,
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
        return [first]
    training = replace(
        settings.training,
        epochs=distillation.last_epochs,
        learning_rate=settings.training.rate * distillation.last_rate,
    )
    soft = Examples(
        prepared.train.token_ids,
        mixed.astype(np.float32),
        prepared.train.weights,
        temperature=1.0,
    )
    title = f"{n_train:,} training texts, with a share of {share:g} of the true labels"
    return [first, Stage(LAST_STAGE, title, soft, training)]
