"""Record the steps of any training that :mod:`emoclf.doctor` can check."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emoclf.doctor import gradients, training_curves
from emoclf.doctor.findings import Finding
from emoclf.doctor.overflow import explain_overflow, layer_name
from emoclf.settings import TrainSettings
from emoclf.settings.sections import RATES
from emoclf.training.watcher import Watcher, never_ends_training


class StepMonitor(Watcher):
    """Record losses, gradients and weight updates, and report problems at once.

    It reads what the optimizers of :mod:`emoclf.training.optimizers` compute anyway,
    and copies the weights before three steps of an epoch.

    Parameters
    ----------
    batches : object with a length
        Batches of an epoch.
    listeners : sequence of callbacks
        Those with ``on_finding(finding)`` receive the findings; if there is none,
        findings are logged as warnings.
    run_settings : mapping of str to object, optional
        All settings of the run: advice on settings that it does not have is left out.
    head : str
        Name of the layer whose gradients those of the others are compared with.
    """

    def __init__(
        self,
        batches: Any,
        listeners: Sequence[Any] = (),
        run_settings: Mapping[str, Any] | None = None,
        *,
        head: str,
    ) -> None:
        super().__init__(listeners, run_settings)
        self.batches = batches
        self.head = head
        self._norms: list[np.ndarray] = []

    def check_rate(self, settings: TrainSettings) -> None:
        """Check the learning rate, before the training."""
        name = settings.optimizer
        usual = RATES[name]
        self.report(gradients.check_rate(settings.rate, usual=usual, optimizer=name))
        self.deliver()

    def inputs_of(self, batch: int) -> Any:
        """Return the inputs of a batch, in which an overflow is looked for."""
        return None

    @never_ends_training
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._norms = []
        self.begin_epoch(epoch, len(self.batches))

    @never_ends_training
    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        norms = self.model.optimizer.gradient_norms.numpy()
        loss = (logs or {}).get("loss", 0.0)
        if not (math.isfinite(loss) and np.isfinite(norms).all()):
            self.overflowed = True
            self.report(explain_overflow(self.model, self.inputs_of(batch), norms))
            self.model.stop_training = True
            return
        self._norms.append(norms)
        self.end_step()

    @never_ends_training
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.check_epoch(logs if logs is not None else {})

    def check_epoch(self, logs: dict[str, Any]) -> None:
        """Check an epoch, and add the sizes of gradients and updates to its logs."""
        self._losses.append(float(logs.get("loss", math.nan)))
        norms = self._typical_norms()
        ratios = self.update_ratios()
        if norms:
            logs["gradient_norm"] = norms["all"]
        # NaN: the rate was zero in all steps. Keras would shift a value left out.
        logs["update_ratio"] = max(ratios.values(), default=math.nan)
        if self.overflowed:
            return
        self._steps += len(self._norms)
        self.report(training_curves.check_rising_loss(self._losses))
        self.report(gradients.check_gradients(norms, head=self.head), after=2)
        self.report(gradients.check_updates(ratios))

    def get_state(self) -> dict[str, Any]:
        """Return the state that a resumed training needs."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "losses": self._losses,
            "steps": self._steps,
            "overflowed": self.overflowed,
            "seen": self._epochs_seen,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of :meth:`get_state`."""
        self.findings = [Finding.from_dict(finding) for finding in state["findings"]]
        self._losses = list(state["losses"])
        self._steps = state["steps"]
        self.overflowed = state["overflowed"]
        self._epochs_seen = dict(state["seen"])

    def _typical_norms(self) -> dict[str, float]:
        """Return the median root mean square of each layer's gradient.

        "all" is the median of the global norm.
        """
        if not self._norms:
            return {}
        norms = np.array(self._norms)
        watched = {variable.path for variable in self._matrices()}
        typical = {"all": float(np.median(np.linalg.norm(norms, axis=1)))}
        for column, variable in enumerate(self.model.trainable_variables):
            if variable.path in watched:
                size = math.sqrt(math.prod(variable.shape))
                rms = float(np.median(norms[:, column])) / size
                layer = layer_name(variable, self.model)
                typical[layer] = max(rms, typical.get(layer, 0.0))
        return typical
