"""The doctor as a Keras callback, for networks that ``model.fit`` trains."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from emoclf.doctor import gradients, training_curves
from emoclf.doctor.findings import Finding
from emoclf.doctor.model_checks import (
    check_model,
    head_activations,
    head_layers,
    is_multilabel,
    numbered_targets,
)
from emoclf.doctor.overflow import explain_overflow
from emoclf.errors import DataError, ModelError, wrong_kind
from emoclf.training.watcher import (
    FIRST_CHECKED_STEP,
    WatchedUnits,
    Watcher,
    as_probabilities,
    check_predictions,
    class_shares,
    never_ends_training,
)

logger = logging.getLogger(__name__)

#: Validation texts whose predictions are checked, and those whose units are watched.
CHECKED_TEXTS = 1024
SAMPLE_TEXTS = 128
#: Cures in the words of Keras; other settings of emoclf are left out.
KERAS_CURES = {
    "clip_norm=5": "clipnorm=5 in the optimizer",
    "max_norm=3": "kernel_constraint=MaxNorm(3)",
    "class_weight='balanced'": "fit(class_weight=…), inversely to the class sizes",
}
KERAS_SETTINGS = {"learning_rate": None, "activation": None}


class DoctorCallback(Watcher):
    """Report what is wrong with a network while ``model.fit`` trains it.

    Findings are logged as warnings when they occur, and kept in ``findings``. The
    training is never ended or changed.

    Parameters
    ----------
    validation_data : (x, y), optional
        Arrays as for ``fit``. Without them, predictions and units are not checked.
    targets : array, optional
        Targets of the training set, whose class shares are compared with the
        predictions; default: those of the validation set.
    label_names : sequence of str, optional
        Names of the classes, for the findings.

    Attributes
    ----------
    findings : list of Finding
        Findings of the last training.

    Examples
    --------
    >>> doctor = DoctorCallback(validation_data=(x, y))  # doctest: +SKIP
    >>> model.fit(x_train, y_train, callbacks=[doctor])  # doctest: +SKIP
    >>> [finding.name for finding in doctor.findings]  # doctest: +SKIP
    ['class-collapse']
    """

    def __init__(
        self,
        validation_data: tuple[Any, Any] | None = None,
        *,
        targets: Any = None,
        label_names: Sequence[str] | None = None,
    ) -> None:
        if validation_data is not None and not (
            isinstance(validation_data, tuple | list) and len(validation_data) == 2
        ):
            wanted = "a pair of arrays (x, y)"
            raise DataError(wrong_kind("validation_data", wanted, validation_data))
        super().__init__((), KERAS_SETTINGS, cures=KERAS_CURES)
        self.validation_data = validation_data
        self.targets = targets
        self.label_names = label_names

    @never_ends_training
    def on_train_begin(self, logs: Any = None) -> None:
        self.start()
        self._inputs: Any = None
        self._truth: np.ndarray | None = None
        self._examined = self._examine()

    def _examine(self) -> bool:
        """Check the model and the targets; return False if it is not built yet."""
        x, y = self.validation_data or (None, None)
        targets = y if self.targets is None else self.targets
        try:
            self.report(*check_model(self.model, targets))
        except ModelError as error:
            logger.info("The doctor checks the loss and the updates only. %s", error)
            return False
        if y is None or any(
            earlier.name == "wrong-targets" for earlier in self.findings
        ):
            return True
        self._head = head_layers(self.model)
        rows = np.linspace(0, len(y) - 1, min(len(y), CHECKED_TEXTS)).astype(int)
        self._inputs = keras.tree.map_structure(lambda part: np.asarray(part)[rows], x)
        self._truth = numbered_targets(self.model, np.asarray(y)[rows])
        training = numbered_targets(self.model, np.asarray(targets))
        n_classes = max(2, int(self.model.output_shape[-1]))
        self._prior = class_shares(training, n_classes)
        self._names = list(self.label_names or map(str, range(n_classes)))
        return True

    @never_ends_training
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.begin_epoch(epoch, int((self.params or {}).get("steps") or 1))

    @never_ends_training
    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.end_step()
        self._steps += 1
        if not self.overflowed and not math.isfinite((logs or {}).get("loss", 0.0)):
            self.overflowed = True
            self.report(explain_overflow(self.model, self._sample(), None))

    @never_ends_training
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._examined:
            # The first batch builds a Sequential without an input.
            self._examined = self._examine()
        self._losses.append(float((logs or {}).get("loss", math.nan)))
        if self.overflowed:
            return
        self.report(training_curves.check_rising_loss(self._losses))
        self.report(gradients.check_updates(self.update_ratios()))
        if self._inputs is None:
            return
        if self._watched is None:
            self._watched = WatchedUnits(self.model, self._sample(), head=self._head)
        self.report(*gradients.check_units(*self._watched.shares()))
        if self._steps >= FIRST_CHECKED_STEP:
            self.report_predictions(self._check_predictions())

    @never_ends_training
    def on_train_end(self, logs: Any = None) -> None:
        if self._inputs is None or self.overflowed:
            return
        findings = self._check_predictions()
        self.drop_outdated(findings)
        self.report(*findings, final=True)

    def _sample(self) -> Any:
        """Return a few inputs as tensors."""
        if self._inputs is None:
            return None
        return keras.tree.map_structure(
            lambda part: keras.ops.convert_to_tensor(part[:SAMPLE_TEXTS]), self._inputs
        )

    def _check_predictions(self) -> list[Finding]:
        outputs = self.model.predict(self._inputs, batch_size=128, verbose=0)
        assert self._truth is not None
        activations = head_activations(self.model)
        if not np.isfinite(outputs).all():
            return []
        if not activations:
            one_sigmoid = is_multilabel(self.model) or outputs.shape[-1] == 1
            outputs = as_probabilities(outputs, multilabel=one_sigmoid)
        if outputs.shape[-1] == 1:
            outputs = np.concatenate([1 - outputs, outputs], axis=1)
        return check_predictions(outputs, self._truth, self._names, prior=self._prior)
