"""Plots of ROC, precision-recall, calibration and coverage-accuracy curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emoclf.plots.plot_style import (
    BLUE,
    DOTTED,
    INK,
    PALE,
    SKY,
    legend_above,
    legend_inside,
    line_style,
    matplotlib,
    new_axes,
    plain_frame,
    unit_square,
)

if TYPE_CHECKING:
    from emoclf.evaluation.curves import Calibration, Coverage, Curve, CurveSet

#: Most labels with colours of their own; of more, the worst ones get them.
MAX_COLOURED = 8
N_WORST_LABELS = 4


def plot_roc(curves: CurveSet, ax: Any = None) -> Any:
    """Plot the ROC curve of each label against the rest.

    Parameters
    ----------
    curves : CurveSet
        Result of :func:`emoclf.evaluation.curves.roc_curves`. Labels without a curve
        are left out. Of more than eight labels, the four of the smallest areas have
        colours and names.
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(5.6, 5.0)
    ax.plot([0, 1], [0, 1], label="chance", **DOTTED)
    _draw_curves(ax, curves)
    ax.set_xlabel("false positive rate")
    ax.set_ylabel("true positive rate")
    legend_inside(ax, "lower right", "area")
    return ax


def plot_precision_recall(curves: CurveSet, ax: Any = None) -> Any:
    """Plot the precision-recall curve of each label against the rest.

    Parameters
    ----------
    curves : CurveSet
        Result of :func:`emoclf.evaluation.curves.precision_recall_curves`, drawn as in
        :func:`plot_roc`.
    ax : matplotlib Axes, optional

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(5.6, 5.0)
    # From one threshold to the next lower recall the precision is that of the first,
    # so that the area of the steps is the average precision.
    _draw_curves(ax, curves, drawstyle="steps-post")
    ax.set_xlabel("recall")
    ax.set_ylabel("precision")
    legend_inside(ax, "lower left", "average precision")
    return ax


def plot_calibration(calibration: Calibration, ax: Any = None) -> Any:
    """Plot accuracy against confidence (a reliability diagram; Guo et al., 2017).

    Bars at the bottom are the shares of the texts in each bin.

    Parameters
    ----------
    calibration : Calibration
        Result of :func:`emoclf.evaluation.curves.calibration_curve`.
    ax : matplotlib Axes, optional

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(5.6, 5.0)
    shares = calibration.counts / calibration.counts.sum()
    low, high = calibration.edges.T
    ax.bar(
        (low + high) / 2,
        shares,
        width=0.9 * (high - low),
        color=SKY,
        alpha=0.45,
        label=f"share of the {calibration.unit}",
    )
    ax.plot([0, 1], [0, 1], label="calibrated", **DOTTED)
    ax.plot(
        calibration.confidence,
        calibration.accuracy,
        color=BLUE,
        marker="o",
        label=f"calibration error {calibration.error:.3f}",
    )
    unit_square(ax)
    texts = calibration.unit == "texts"
    ax.set_xlabel("confidence" if texts else "predicted probability")
    ax.set_ylabel("accuracy" if texts else "share of texts with the label")
    legend_above(ax, columns=2)
    return ax


def plot_coverage(coverage: Coverage, ax: Any = None) -> Any:
    """Plot the accuracy among the most confident texts against their share.

    Parameters
    ----------
    coverage : Coverage
        Result of :func:`emoclf.evaluation.curves.coverage_curve`.
    ax : matplotlib Axes, optional

    Returns
    -------
    ax : matplotlib Axes
    """
    ax = ax if ax is not None else new_axes(5.6, 4.0)
    everything = float(coverage.accuracy[-1])
    ax.axhline(everything, label=f"all texts: {everything:.0%}", **DOTTED)
    ax.plot(coverage.coverage, coverage.accuracy, color=BLUE, label="most confident")
    # A point of one or two texts says little, and would set the scale.
    wide = coverage.accuracy[coverage.coverage >= 0.05]
    ax.set_ylim(max(0.0, min(wide.min(initial=1.0), everything) - 0.08), 1.02)
    ax.set_xlim(0.0, 1.0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(matplotlib("ticker").PercentFormatter(1.0, 0))
    ax.set_xlabel("share of the texts, the most confident first")
    ax.set_ylabel("accuracy")
    plain_frame(ax)
    legend_above(ax, columns=2)
    return ax


def _draw_curves(ax: Any, curves: CurveSet, **style: Any) -> None:
    drawn = [curve for curve in curves.labels if curve.area is not None]
    named = drawn
    if len(drawn) > MAX_COLOURED:
        named = sorted(drawn, key=lambda curve: curve.area or 0.0)[:N_WORST_LABELS]
        for curve in drawn:
            ax.plot(curve.x, curve.y, color=PALE, linewidth=0.8, zorder=1, **style)
        ax.plot([], [], color=PALE, label=f"{len(drawn) - N_WORST_LABELS} more labels")
    for number, curve in enumerate(named):
        label = _label(curve)
        ax.plot(curve.x, curve.y, **line_style(number), label=label, **style)
    if curves.micro.area is not None:
        micro = curves.micro
        label = _label(micro)
        ax.plot(micro.x, micro.y, color=INK, linewidth=2.2, label=label, **style)
    unit_square(ax)


def _label(curve: Curve) -> str:
    # A leading underscore would hide the label from the legend.
    return f"{curve.area:.2f}  {curve.label}"
