"""Figures as tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoclf.evaluation.metrics import ClassMetrics, Evaluation

WIDTH = 80
SHORTEST = 3
N_MISTAKES = 10


def align(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Align the first ``left`` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def metric_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the main figures, one row for each classifier and part.

    For several labels per text accuracy is called what it is, exact match, and
    micro-F1 and average precision stand beside it.
    """
    multilabel = any(found.multilabel for found in evaluations)
    columns = {"accuracy": "exact match" if multilabel else "accuracy"}
    if multilabel:
        columns["micro_f1"] = "micro-F1"
    columns["macro_f1"] = "macro-F1"
    rows = [["", "part", "texts", *columns.values(), "log loss"]]
    if multilabel:
        rows[0].insert(-1, "avg precision")
    rows += [
        [
            found.name,
            found.part_name,
            str(found.n),
            *(_with_interval(getattr(found, m), found.intervals[m]) for m in columns),
            *([_or_dash(found.average_precision)] if multilabel else []),
            _or_dash(found.log_loss),
        ]
        for found in evaluations
    ]
    return align(rows, left=2)


def per_class_lines(found: Evaluation) -> list[str]:
    """Return the figures of each label; a dash where there is nothing to count."""
    rows = [["label", "precision", "recall", "F1", "texts"]]
    rows += [_class_row(metrics) for metrics in found.per_class]
    if found.multilabel and found.average_precision is not None:
        cells = [_or_dash(metrics.average_precision) for metrics in found.per_class]
        for row, cell in zip(rows, ["avg precision", *cells], strict=True):
            row.insert(-1, cell)
    return [f"{found.name} on {found.part_name}", *align(rows)]


def confusion_lines(found: Evaluation, *, width: int = WIDTH) -> list[str]:
    """Return what was taken for what.

    As a table with names, shortened where needed, or with numbers, whichever is the
    first that fits; where none fits, as the commonest mistakes. Nothing for several
    labels per text.
    """
    if found.confusion is None:
        return []
    names = [metrics.label for metrics in found.per_class]
    longest = max(map(len, names))
    headings = [
        ("true \\ predicted", names, [name[:size] for name in names])
        for size in range(longest, min(longest, SHORTEST) - 1, -1)
        if len({name[:size] for name in names}) == len(names)
    ]
    numbers = [str(number) for number in range(1, len(names) + 1)]
    numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
    headings.append(("true \\ predicted", numbered, numbers))
    for corner, row_names, column_names in headings:
        rows = [[corner, *column_names]]
        rows += [
            [name, *map(str, row)]
            for name, row in zip(row_names, found.confusion, strict=True)
        ]
        lines = align(rows)
        if max(map(len, lines)) <= width:
            return lines
    return _commonest_mistakes(names, np.array(found.confusion))


def _commonest_mistakes(names: Sequence[str], table: np.ndarray) -> list[str]:
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    np.fill_diagonal(table, 0)
    order = np.argsort(-table, axis=None, kind="stable")[:N_MISTAKES]
    rows = [
        [
            names[true],
            names[guess],
            f"{table[true, guess]}",
            f"{shares[true, guess]:.0%}",
        ]
        for true, guess in zip(*np.unravel_index(order, table.shape), strict=True)
        if table[true, guess]
    ]
    if not rows:
        return ["No mistakes."]
    headings = ["true", "taken for", "texts", "of the label's"]
    return ["Commonest mistakes", *align([headings, *rows], left=2)]


def _class_row(metrics: ClassMetrics) -> list[str]:
    row = [metrics.label, metrics.precision, metrics.recall, metrics.f1]
    if not metrics.support:
        row[2:] = ["–", "–"]
    cells = [cell if isinstance(cell, str) else f"{cell:.3f}" for cell in row]
    return [*cells, str(metrics.support)]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _with_interval(value: float, ends: tuple[float, float]) -> str:
    return f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
