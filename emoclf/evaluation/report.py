"""Figures side by side, in words and tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emoclf.evaluation.bootstrap import interval, resampled_figures
from emoclf.evaluation.floors import TFIDF_SVM
from emoclf.evaluation.metrics import Evaluation, per_class_rows


@dataclass(frozen=True)
class Comparison:
    """A network against a floor, on the same texts.

    Parameters
    ----------
    difference : float
        Macro-F1 of the network minus that of the floor.
    low, high : float
        95 % interval of the difference, over the same resampled texts.
    """

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class EvaluationReport:
    """What a network and its floors reach on each part.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        Part by part; the network first, then the floors.
    comparison : Comparison
        With the strongest floor, on the last part.
    advice : tuple of str
        What to try when the network does not beat the floor.
    """

    evaluations: tuple[Evaluation, ...]
    comparison: Comparison
    advice: tuple[str, ...] = ()

    @property
    def network(self) -> Evaluation:
        """The network's figures on the part that counts: the last one."""
        last = self.evaluations[-1].part
        return next(e for e in self.evaluations if e.part == last)

    def table(self) -> list[str]:
        """Return all figures, one row for each classifier and part."""
        return figure_table(self.evaluations)

    def verdict(self) -> list[str]:
        """Say in words whether the network beats the floor, and what to try."""
        difference = self.comparison
        low, high = 100 * difference.low, 100 * difference.high
        points = (
            f"{100 * difference.difference:+.1f} points of macro-F1 (95 % interval "
            f"{low:+.1f} to {high:+.1f})"
        )
        where = f"on the {self.network.part} part"
        if difference.low > 0:
            return [f"The network beats {TFIDF_SVM} {where}: {points}."]
        if difference.high < 0:
            said = f"The network does NOT beat {TFIDF_SVM} {where}: {points}."
        else:
            said = (
                f"The network and {TFIDF_SVM} cannot be told apart {where}: {points}."
            )
        return [said, *(f"Try: {advice}" for advice in self.advice)]

    def lines(self) -> list[str]:
        """Return the table, the verdict, and the figures of each label."""
        found = self.network
        lines = [*self.table(), "", *self.verdict(), ""]
        if found.chose_epoch:
            lines += [
                "There is no test part: the figures above flatter, since the same "
                "texts chose the epoch.",
                "",
            ]
        return [*lines, *class_lines(found)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON knows them, and the tables for people."""
        return {
            "evaluations": [found.to_dict() for found in self.evaluations],
            "comparison": vars(self.comparison),
            "table": self.table(),
            "verdict": self.verdict(),
        }


def compare(
    network: Evaluation, floor: Evaluation, truth: np.ndarray, *, seed: int = 0
) -> Comparison:
    """Compare two classifiers by paired bootstrap."""
    n_classes = len(network.per_class)
    ours, theirs = (
        resampled_figures(found.predicted, truth, n_classes, seed=seed)["macro_f1"]
        for found in (network, floor)
    )
    low, high = interval(ours - theirs)
    return Comparison(network.macro_f1 - floor.macro_f1, low, high)


def figure_table(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the main figures, one row for each classifier and part."""
    rows = [["", "part", "texts", "accuracy", "macro-F1", "log loss"]]
    previous = None
    for found in evaluations:
        repeated = found.part == previous
        previous = found.part
        rows.append(
            [
                found.name,
                "" if repeated else found.part_name,
                "" if repeated else str(found.n),
                _with_interval(found.accuracy, found.intervals["accuracy"]),
                _with_interval(found.macro_f1, found.intervals["macro_f1"]),
                "" if found.log_loss is None else f"{found.log_loss:.3f}",
            ]
        )
    return align(rows)


def evaluation_lines(found: Evaluation) -> list[str]:
    """Return one evaluation as text."""
    return [*figure_table([found]), "", *class_lines(found)]


def class_lines(found: Evaluation) -> list[str]:
    """Return the figures of each label, and what was taken for what."""
    rows = [[f"{found.name}, {found.part}", "precision", "recall", "F1", "texts"]]
    rows += per_class_rows([vars(figures) for figures in found.per_class])
    lines = align(rows)
    if found.confusion is not None and len(found.per_class) <= 12:
        lines += ["", *_confusion_lines(found)]
    elif found.confusion is not None:
        lines += ["", *_worst_confusions(found)]
    return lines


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: the first two to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    first_is_text = [i == 0 or not _is_number(rows[-1][i]) for i in range(len(widths))]
    return [
        "  ".join(
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(row, widths, first_is_text, strict=True)
        ).rstrip()
        for row in rows
    ]


def _is_number(cell: str) -> bool:
    return cell.replace(".", "").isdigit()


def _with_interval(value: float, ends: tuple[float, float]) -> str:
    return f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"


def _confusion_lines(found: Evaluation) -> list[str]:
    names = [figures.label for figures in found.per_class]
    rows = [["true \\ predicted", *(name[:8] for name in names)]]
    rows += [
        [name, *map(str, row)]
        for name, row in zip(names, found.confusion or (), strict=True)
    ]
    return align(rows)


def _worst_confusions(found: Evaluation) -> list[str]:
    """Return the ten commonest mistakes: a table of 28 columns would not be read."""
    names = [figures.label for figures in found.per_class]
    table = np.array(found.confusion)
    np.fill_diagonal(table, 0)
    order = np.argsort(-table, axis=None)[:10]
    lines = ["commonest mistakes"]
    for place in order:
        true, guess = np.unravel_index(place, table.shape)
        if table[true, guess]:
            count = table[true, guess]
            lines.append(f"{count:>5}  {names[true]} taken for {names[guess]}")
    return lines
