"""Plot of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emoclf.plots.plot_style import INK, matplotlib, new_axes

#: Above this share of its row a cell is so dark that its number is white.
DARK_SHARE = 0.5
#: More labels than this have no numbers in their cells.
MAX_NUMBERED_LABELS = 20


def plot_confusion(
    confusion: Sequence[Sequence[int]], label_names: Sequence[str], ax: Any = None
) -> Any:
    """Plot a confusion matrix; colours are shares of the true label, numbers are texts.

    Parameters
    ----------
    confusion : array-like of int, shape (n_classes, n_classes)
        Counts; rows are true labels, columns predicted ones.
    label_names : sequence of str
    ax : matplotlib Axes, optional
        Axes to draw into; default: those of a new figure.

    Returns
    -------
    ax : matplotlib Axes
    """
    counts = np.asarray(confusion)
    n_labels = len(label_names)
    if ax is None:
        side = max(4.0, 1.5 + 0.55 * n_labels)
        ax = new_axes(side + 0.6, side)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    white_to_blue = matplotlib("colors").LinearSegmentedColormap.from_list(
        "white to blue", ["#FFFFFF", "#0072B2", "#00304D"]
    )
    image = ax.imshow(shares, cmap=white_to_blue, vmin=0.0, vmax=1.0)
    if n_labels <= MAX_NUMBERED_LABELS:
        for (row, column), count in np.ndenumerate(counts):
            ax.text(
                column,
                row,
                f"{count:d}",
                ha="center",
                va="center",
                fontsize="small",
                color="#FFFFFF" if shares[row, column] > DARK_SHARE else INK,
            )
    plain = {"parse_math": False}  # A label with two dollar signs is no formula.
    ax.set_xticks(range(n_labels), label_names, rotation=45, ha="right", **plain)
    ax.set_yticks(range(n_labels), label_names, **plain)
    ax.set_xlabel("predicted label")
    ax.set_ylabel("true label")
    ax.figure.colorbar(image, ax=ax, fraction=0.046, label="share of the true label")
    return ax
