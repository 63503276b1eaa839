"""Metrics as tables of plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from emoclf.datasets.split import PART_NAMES
from emoclf.display import align, count_of
from emoclf.evaluation.metric_names import MAIN_METRIC, METRICS, shown_metrics
from emoclf.evaluation.metrics import Evaluation
from emoclf.evaluation.predicted_texts import confused_pairs

TABLE_WIDTH = 80
MIN_NAME_LENGTH = 3
N_MISTAKES = 10


def metric_lines(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return a table of the metrics for each dataset, within 80 columns.

    An asterisk marks the best value of the main metric. Where there is no room for all
    intervals, only those of the main metric are shown.
    """
    names = shown_metrics(evaluations[0].task)
    # From the widest form to the narrowest.
    for intervals, split in (
        (names, False),
        (names, True),
        ((MAIN_METRIC,), True),
        ((), True),
    ):
        lines = []
        for part in dict.fromkeys(evaluation.part for evaluation in evaluations):
            same = [evaluation for evaluation in evaluations if evaluation.part == part]
            lines += ["", *_part_lines(same, names, intervals, split)]
        if max(map(len, lines)) <= TABLE_WIDTH:
            break
    return lines[1:]


def _part_lines(
    evaluations: Sequence[Evaluation],
    names: Sequence[str],
    intervals: Sequence[str],
    split: bool,
) -> list[str]:
    """Return the table of one dataset; ``split`` headings have two lines."""
    first = evaluations[0]
    best = max(evaluation.macro_f1 for evaluation in evaluations)
    labels = [METRICS[name].label_for(first.task) for name in names]
    rows = [["", *labels]]
    if split:
        parts = [label.rpartition(" ") for label in labels]
        rows = [["", *(start for start, _, _ in parts)]]
        rows += [["", *(end for _, _, end in parts)]]
    for evaluation in evaluations:
        cells = [evaluation.name]
        for name in names:
            interval = evaluation.intervals.get(name) if name in intervals else None
            value = getattr(evaluation, name)
            is_best = name == MAIN_METRIC and value == best and len(evaluations) > 1
            cells.append(("*" if is_best else "") + _cell(value, interval))
        rows.append(cells)
    dataset, name = first.part_name, PART_NAMES.get(first.part, "")
    if name:  # else the name of a file
        dataset = dataset.replace(name, f"{name.capitalize()} set")
    lines = [*wrapped(f"{dataset}, {count_of('text', first.n)}"), *align(rows)]
    if absent := first.absent_labels:
        subject = f"No text of the {name} set" if name else "None of these texts"
        names = " or ".join([*map(repr, absent[:5]), *["…"] * (len(absent) > 5)])
        n_others = len(first.per_class) - len(absent)
        others = f"the mean of the {count_of('other label', n_others)}"
        lines += wrapped(
            f"{subject} has the label {names}: macro-F1 is "
            f"{others if n_others else '0'}."
        )
    return lines


def wrapped(sentence: str) -> list[str]:
    """Return a sentence in lines of at most 80 columns."""
    return textwrap.wrap(
        sentence, TABLE_WIDTH, break_long_words=False, break_on_hyphens=False
    )


def detail_lines(evaluation: Evaluation) -> list[str]:
    """Return the metrics of each label, and the confusion matrix where there is one."""
    lines, confusion = per_class_lines(evaluation), confusion_lines(evaluation)
    lines += probability_lines(evaluation)
    return [*lines, "", *confusion] if confusion else lines


def probability_lines(evaluation: Evaluation) -> list[str]:
    """Return a sentence on the probabilities; none for evaluations without them."""
    error, area = evaluation.calibration_error, evaluation.roc_auc
    if error is None:
        return []
    return wrapped(
        f"Probabilities: expected calibration error {error:.3f}; area under the ROC "
        f"curve {_cell(area)} (mean over the labels, each against the rest)."
    )


def per_class_lines(evaluation: Evaluation) -> list[str]:
    """Return the metrics of each label; a dash where there is nothing to count."""
    averaged = ["average precision"] if evaluation.average_precision is not None else []
    rows = [["label", "precision", "recall", "F1", *averaged, "texts"]]
    unpredicted = evaluation.unpredicted_labels
    for label in evaluation.per_class:
        precision = None if label.label in unpredicted else label.precision
        recall = label.recall if label.support else None
        f1 = label.f1 if label.support else None
        cells = [_cell(precision), _cell(recall), _cell(f1, label.f1_interval)]
        if averaged:
            cells.append(_cell(label.average_precision))
        rows.append([label.label, *cells, str(label.support)])
    return [*wrapped(f"{evaluation.name} on {evaluation.part_name}"), *align(rows)]


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
    return _frequent_mistakes(names, evaluation.confusion)


def _frequent_mistakes(
    names: Sequence[str], confusion: Sequence[Sequence[int]]
) -> list[str]:
    rows = [
        [pair.true, pair.predicted, str(pair.count), f"{pair.share:.0%}"]
        for pair in confused_pairs(confusion, names, N_MISTAKES)
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
