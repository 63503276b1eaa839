"""Metrics as tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.display import align
from emoclf.evaluation.metric_names import METRICS, shown_metrics
from emoclf.evaluation.metrics import Evaluation

TABLE_WIDTH = 80
MIN_NAME_LENGTH = 3
N_MISTAKES = 10


def metric_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the metrics of the task, one row for each classifier and dataset."""
    task = evaluations[0].task
    names = shown_metrics(task)
    heading = ["", "set", "texts", *(METRICS[name].label_for(task) for name in names)]
    rows = [
        [
            found.name,
            found.part_name,
            str(found.n),
            *(_cell(getattr(found, name), found.intervals.get(name)) for name in names),
        ]
        for found in evaluations
    ]
    return align([heading, *rows], left=2)


def detail_lines(evaluation: Evaluation) -> list[str]:
    """Return the metrics of each label, and the confusion matrix where there is one."""
    lines, confusion = per_class_lines(evaluation), confusion_lines(evaluation)
    return [*lines, "", *confusion] if confusion else lines


def per_class_lines(evaluation: Evaluation) -> list[str]:
    """Return the metrics of each label; a dash where there is nothing to count."""
    averaged = ["average precision"] if evaluation.average_precision is not None else []
    rows = [["label", "precision", "recall", "F1", *averaged, "texts"]]
    for label in evaluation.per_class:
        values: list[float | None] = [label.precision, label.recall, label.f1]
        if not label.support:
            values[1:] = [None, None]
        if averaged:
            values.append(label.average_precision)
        rows.append([label.label, *map(_cell, values), str(label.support)])
    return [f"{evaluation.name} on {evaluation.part_name}", *align(rows)]


def confusion_lines(evaluation: Evaluation, *, width: int = TABLE_WIDTH) -> list[str]:
    """Return the confusion matrix, or the most frequent mistakes.

    The first of these that fits into the width: a table with names, shortened where
    needed; a table with numbers; the most frequent mistakes. Nothing for multilabel
    texts.
    """
    if evaluation.confusion is None:
        return []
    names = [label.label for label in evaluation.per_class]
    longest = max(map(len, names))
    headings = [
        ("true \\ predicted", names, [name[:size] for name in names])
        for size in range(longest, min(longest, MIN_NAME_LENGTH) - 1, -1)
        if len({name[:size] for name in names}) == len(names)
    ]
    numbers = [str(number) for number in range(1, len(names) + 1)]
    numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
    headings.append(("true \\ predicted", numbered, numbers))
    for corner, row_names, column_names in headings:
        rows = [[corner, *column_names]]
        rows += [
            [name, *map(str, row)]
            for name, row in zip(row_names, evaluation.confusion, strict=True)
        ]
        lines = align(rows)
        if max(map(len, lines)) <= width:
            return lines
    return _frequent_mistakes(names, np.array(evaluation.confusion))


def _frequent_mistakes(names: Sequence[str], table: np.ndarray) -> list[str]:
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    np.fill_diagonal(table, 0)
    order = np.argsort(-table, axis=None, kind="stable")[:N_MISTAKES]
    places = zip(*np.unravel_index(order, table.shape), strict=True)
    rows = [
        [names[i], names[j], str(table[i, j]), f"{shares[i, j]:.0%}"]
        for i, j in places
        if table[i, j]
    ]
    if not rows:
        return ["No mistakes."]
    headings = ["true", "predicted", "texts", "share of the label"]
    return ["Most frequent mistakes", *align([headings, *rows], left=2)]


def _cell(value: float | None, interval: tuple[float, float] | None = None) -> str:
    if value is None:
        return "–"
    if interval is None:
        return f"{value:.3f}"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
