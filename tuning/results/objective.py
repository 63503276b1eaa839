"""The metric that a search optimizes, and its direction."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.errors import SearchError, did_you_mean

#: Metrics of a trial: the name in reports, and whether more ("max") or less is better.
METRICS = {
    "accuracy": ("accuracy", "max"),
    "macro_f1": ("macro-F1", "max"),
    "micro_f1": ("micro-F1", "max"),
    "log_loss": ("log loss", "min"),
    "average_precision": ("average precision", "max"),
}


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
        if self.name not in METRICS:
            raise SearchError(
                f"There is no objective {self.name!r}."
                f"{did_you_mean(self.name, METRICS)} Known: {', '.join(METRICS)}."
            )

    @property
    def label(self) -> str:
        """Name of the metric in reports."""
        return METRICS[self.name][0]

    @property
    def direction(self) -> str:
        """Whether more ("max") or less ("min") is better."""
        return METRICS[self.name][1]

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.direction == "max" else -1
