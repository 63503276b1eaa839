"""The metric that a search optimizes, and its direction."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.errors import SearchError, did_you_mean
from emoclf.evaluation.metric_names import METRICS, OBJECTIVES


@dataclass(frozen=True)
class Objective:
    """Metric that a search optimizes, on texts that a network was not fitted on.

    Parameters
    ----------
    name : {"accuracy", "macro_f1", "micro_f1", "log_loss", "average_precision"}
        ``average_precision`` is for multilabel data only.

    Raises
    ------
    SearchError
        If there is no such metric.

    Examples
    --------
    >>> Objective("log_loss").direction
    'min'
    """

    name: str = "macro_f1"

    def __post_init__(self) -> None:
        if self.name not in OBJECTIVES:
            raise SearchError(
                f"There is no objective {self.name!r}."
                f"{did_you_mean(self.name, OBJECTIVES)} Known: {', '.join(OBJECTIVES)}."
            )

    @property
    def label(self) -> str:
        """Name of the metric in reports."""
        return METRICS[self.name].label

    @property
    def direction(self) -> str:
        """Whether more ("max") or less ("min") is better."""
        return METRICS[self.name].direction

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.direction == "max" else -1
