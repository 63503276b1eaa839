"""The table of metrics, from which reports, comparisons, monitors and searches derive.

It imports nothing, so that settings and commands can use it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ONE_LABEL = "one label"
MULTILABEL = "multilabel"
BOTH = (ONE_LABEL, MULTILABEL)


class Metric(NamedTuple):
    """A number that measures quality.

    Parameters
    ----------
    label : str
        Name in reports.
    direction : {"max", "min"}
        Whether more or less is better.
    shown : tuple of str
        Tasks whose tables of results show it.
    compared : tuple of str
        Tasks in which a network is compared with baselines by it.
    monitored : bool
        Whether it is computed after each epoch and can choose the best one.
    needs_probabilities : bool
        Whether predicted labels alone do not give it.
    multilabel_label : str or None
        Name in reports on multilabel classifiers; default: ``label``.
    """

    label: str
    direction: Literal["max", "min"] = "max"
    shown: tuple[str, ...] = BOTH
    compared: tuple[str, ...] = ()
    monitored: bool = False
    needs_probabilities: bool = False
    multilabel_label: str | None = None

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.direction == "max" else -1

    def label_for(self, task: str) -> str:
        """Return the name in reports on this task."""
        return (task == MULTILABEL and self.multilabel_label) or self.label


#: Name in code and files → metric, in the order of tables.
METRICS = {
    "loss": Metric("validation loss", "min", shown=(), monitored=True),
    # An exact match says little where most texts have one label of many.
    "accuracy": Metric(
        "accuracy",
        compared=(ONE_LABEL,),
        monitored=True,
        multilabel_label="exact match",
    ),
    "micro_f1": Metric("micro-F1", shown=(MULTILABEL,), compared=(MULTILABEL,)),
    "macro_f1": Metric("macro-F1", compared=BOTH, monitored=True),
    "average_precision": Metric(
        "average precision", shown=(MULTILABEL,), needs_probabilities=True
    ),
    "log_loss": Metric("log loss", "min", needs_probabilities=True),
}
#: The metric that decides where nothing else is asked for.
MAIN_METRIC = "macro_f1"
#: Metrics of an evaluation; a search can optimise each of them.
OBJECTIVES = tuple(name for name, metric in METRICS.items() if metric.shown)
#: Metrics that can choose the best epoch.
MONITORS = tuple(name for name, metric in METRICS.items() if metric.monitored)


def shown_metrics(task: str) -> tuple[str, ...]:
    """Return the metrics in the tables of a task."""
    return tuple(name for name, metric in METRICS.items() if task in metric.shown)


def compared_metrics(task: str) -> tuple[str, ...]:
    """Return the metrics by which a network is compared, the main one first."""
    names = [name for name, metric in METRICS.items() if task in metric.compared]
    return tuple(sorted(names, key=lambda name: name != MAIN_METRIC))
