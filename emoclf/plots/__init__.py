"""Plots: functions that take numbers and ``ax=``, and return the ``ax``.

They need the extra ``plots`` (matplotlib), which is imported when the first one draws.
Results have them as methods, such as ``report.plot_confusion()``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # type checkers do not run __getattr__
    from emoclf.plots.confusion_plot import plot_confusion as plot_confusion
    from emoclf.plots.curve_plots import plot_calibration as plot_calibration
    from emoclf.plots.curve_plots import plot_coverage as plot_coverage
    from emoclf.plots.curve_plots import plot_precision_recall as plot_precision_recall
    from emoclf.plots.curve_plots import plot_roc as plot_roc
    from emoclf.plots.data_plots import plot_class_balance as plot_class_balance
    from emoclf.plots.data_plots import plot_lengths as plot_lengths
    from emoclf.plots.data_plots import plot_segments as plot_segments
    from emoclf.plots.network_plots import (
        plot_accuracy_against_time as plot_accuracy_against_time,
    )
    from emoclf.plots.plot_style import save_plot as save_plot
    from emoclf.plots.term_plots import plot_span_scores as plot_span_scores
    from emoclf.plots.term_plots import plot_term_summary as plot_term_summary
    from emoclf.plots.training_plots import plot_learning_curve as plot_learning_curve
    from emoclf.plots.training_plots import plot_training as plot_training
    from emoclf.tuning.report.search_plots import plot_effects as plot_effects
    from emoclf.tuning.report.search_plots import plot_parallel as plot_parallel
    from emoclf.tuning.report.search_plots import plot_scores as plot_scores
    from emoclf.tuning.report.search_plots import plot_time as plot_time

#: Module → its plots.
_NAMES = {
    "emoclf.plots.confusion_plot": "plot_confusion",
    "emoclf.plots.curve_plots": (
        "plot_calibration plot_coverage plot_precision_recall plot_roc"
    ),
    "emoclf.plots.data_plots": "plot_class_balance plot_lengths plot_segments",
    "emoclf.plots.network_plots": "plot_accuracy_against_time",
    "emoclf.plots.plot_style": "save_plot",
    "emoclf.plots.term_plots": "plot_span_scores plot_term_summary",
    "emoclf.plots.training_plots": "plot_learning_curve plot_training",
    "emoclf.tuning.report.search_plots": (
        "plot_effects plot_parallel plot_scores plot_time"
    ),
}
_HOME = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emoclf.plots' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
