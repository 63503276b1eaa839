"""Sections of a page about an evaluation: scores, mistakes, curves and texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from emoclf.datasets.split import PART_NAMES
from emoclf.evaluation.curves import calibration_curve, coverage_curve
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metric_names import MAIN_METRIC, METRICS, shown_metrics
from emoclf.evaluation.metrics import Evaluation
from emoclf.evaluation.predicted_texts import Predictions, confused_pairs
from emoclf.plots import plot_segments
from emoclf.report.blocks import (
    Advice,
    Cell,
    ConfusionMatrix,
    DataTable,
    Figures,
    Html,
    KeyNumbers,
    Paragraphs,
    Section,
    ShownText,
    TextList,
    TextSearch,
    cut_text,
    interval_cell,
    number_cell,
)
from emoclf.report.svg_figures import svg_figure

#: Largest number of texts behind the search box.
MAX_TEXTS = 1000
#: Largest number of labels whose confusion matrix is shown as a whole.
MAX_MATRIX_LABELS = 40
#: Examples of a cell of the confusion matrix.
CELL_EXAMPLES = 5
CONFIDENT_MISTAKES = 15
#: Beginning of the sentences of a verdict that are proposals.
ADVICE_PREFIX = "Try: "
CONFUSED_PAIRS = 10


def summary_section(report: EvaluationReport) -> Section:
    """Return the result in words, and its main numbers."""
    remarks = _remarks(report.network)
    return verdict_section(report.verdict(), _key_numbers(report), remarks)


def verdict_section(
    verdict: Sequence[str],
    numbers: Sequence[tuple[str, str, str]],
    remarks: Sequence[str] = (),
) -> Section:
    """Return the summary: sentences of a verdict, remarks, numbers, then advice."""
    advice = [
        text.removeprefix(ADVICE_PREFIX)
        for text in verdict
        if text.startswith(ADVICE_PREFIX)
    ]
    sentences = [text for text in verdict if not text.startswith(ADVICE_PREFIX)]
    blocks: list[Any] = [
        Paragraphs([*sentences, *remarks], lead=True),
        KeyNumbers(numbers),
    ]
    if advice:
        blocks.append(Advice("What to try", advice))
    return Section("summary", "Summary", tuple(blocks))


def scores_section(report: EvaluationReport) -> Section:
    """Return the tables of metrics: by classifier, and by label."""
    network = report.network
    names = shown_metrics(network.task)
    heading = [METRICS[name].label_for(network.task) for name in names]
    rows = [
        [
            evaluation.name,
            evaluation.part_name,
            f"{evaluation.n:,}",
            *(_score(evaluation, name) for name in names),
        ]
        for evaluation in _last_first(report.evaluations)
    ]
    table = DataTable(
        "Scores of all classifiers, with 95 % intervals",
        ["classifier", "texts of the", "texts", *heading],
        rows,
        words=2,
    )
    blocks = [table, _label_table(network)]
    if report.comparisons:
        name = report.network.name
        caption = f"{name} compared on the same texts, by paired bootstrap"
        blocks.insert(1, differences_table(report.comparisons, caption))
    return Section("scores", "Scores", tuple(blocks))


def differences_table(comparisons: Sequence[Any], caption: str) -> DataTable:
    """Return the differences to other classifiers, with their intervals."""
    rows = [
        [
            one.baseline,
            one.label,
            f"{100 * one.difference:+.1f}",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}",
        ]
        for one in comparisons
    ]
    header = ["compared with", "metric", "difference in points", "95 % interval"]
    return DataTable(caption, header, rows, words=2)


def mistakes_section(
    evaluation: Evaluation, explanations: Sequence[Any] = ()
) -> Section:
    """Return the confusion matrix, the frequent and the confident mistakes.

    Parameters
    ----------
    evaluation : Evaluation
    explanations : sequence of objects with ``_repr_html_()`` or ``to_html()``
        Explanations of predictions, made by emoclf: their HTML is not escaped.
    """
    blocks: list[Any] = []
    predictions = evaluation.predictions
    if evaluation.confusion is not None:
        names = [metrics.label for metrics in evaluation.per_class]
        if len(names) <= MAX_MATRIX_LABELS:
            examples = partial(_examples, predictions)
            blocks.append(confusion_block(names, evaluation.confusion, examples))
        pairs = confused_pairs(evaluation.confusion, names, CONFUSED_PAIRS)
        if pairs:
            rows = [
                [p.true, p.predicted, str(p.count), f"{p.share:.0%}"] for p in pairs
            ]
            caption = "Most frequent mistakes"
            header = ["true label", "predicted", "texts", "share of the true label"]
            blocks.append(DataTable(caption, header, rows, words=2))
    if predictions is not None and predictions.texts is not None:
        wrong = predictions.confident_mistakes(CONFIDENT_MISTAKES)
        if wrong:
            texts = [shown_text(predictions, index) for index in wrong]
            blocks.append(TextList("Most confident mistakes", texts))
    if explanations:
        parts = [_html_of(one) for one in explanations]
        blocks.append(Html("Explained predictions", parts))
    return Section("mistakes", "Mistakes", tuple(blocks))


def _html_of(explanation: Any) -> str:
    """Return what a notebook shows, which is a part of a page, not a whole one."""
    show = getattr(explanation, "_repr_html_", None) or explanation.to_html
    return str(show())


def segments_section(segments: Sequence[Any], overall: float) -> Section:
    """Return the accuracy of groups of texts, a plot and a table for each column.

    Parameters
    ----------
    segments : sequence of objects
        Groups with ``column``, ``value``, ``n``, ``accuracy`` and ``is_weak``.
    overall : float
        Accuracy of all texts.
    """
    columns: dict[str, list[Any]] = {}
    for one in segments:
        columns.setdefault(one.column, []).append(one)
    figures, blocks = [], []
    for number, (column, groups) in enumerate(columns.items()):
        names = [str(one.value) for one in groups]
        scores = [one.accuracy for one in groups]
        counts = [one.n for one in groups]
        figures.append(
            svg_figure(
                partial(plot_segments, names, scores, counts=counts, overall=overall),
                name=f"segments-{number}",
                title=f"Accuracy by {column}",
                alt=f"Accuracy by {column}: "
                + ", ".join(f"{n} {s:.2f}" for n, s in zip(names, scores, strict=True)),
                size=(4.6, max(2.0, 1.1 + 0.32 * len(groups))),
            )
        )
        rows = [
            [str(one.value), f"{one.n:,}", f"{one.accuracy:.3f}", _weakness(one)]
            for one in groups
        ]
        header = [column, "texts", "accuracy", "against the rest"]
        blocks.append(DataTable(f"Texts by {column}", header, rows, sortable=True))
    return Section("groups", "Groups of texts", (Figures(figures), *blocks))


def _weakness(segment: Any) -> str:
    return "significantly lower" if segment.is_weak else "–"


def curves_section(evaluation: Evaluation) -> Section:
    """Return ROC, precision-recall, calibration and coverage as figures."""
    predictions = evaluation.predictions
    assert predictions is not None
    multilabel = predictions.multilabel
    plots = {
        "calibration": (
            "Calibration",
            "Confidence against accuracy in 15 bins of equal width. Points below the "
            "diagonal: the classifier is overconfident."
            if not multilabel
            else "Predicted probabilities against the shares of texts with the label, "
            "in 15 bins of equal width.",
        ),
        "coverage": (
            "Accuracy by coverage",
            "Accuracy on the most confident texts, if a person labels the others.",
        ),
        "precision_recall": (
            "Precision and recall",
            "Each label against the rest, at every threshold.",
        ),
        "roc": ("ROC", "Each label against the rest, at every threshold."),
    }
    figures = []
    for name, (title, caption) in plots.items():
        figures.append(
            svg_figure(
                getattr(evaluation, f"plot_{name}"),
                name=name.replace("_", "-"),
                title=title,
                alt=f"{title}. {caption}",
                caption=caption,
                size=(4.6, 3.8),
            )
        )
    return Section("curves", "Confidence and curves", (Figures(figures),))


def texts_section(evaluation: Evaluation) -> Section:
    """Return a search box over the texts, if they are known."""
    predictions = evaluation.predictions
    if predictions is None or predictions.texts is None:
        return Section("texts", "Texts")
    indices = searchable_indices(len(predictions))
    texts = [shown_text(predictions, index) for index in indices]
    return Section("texts", "Texts", (TextSearch(texts, len(predictions)),))


def searchable_indices(n_texts: int) -> list[int]:
    """Return the indices of the texts behind a search box: all, or a random sample."""
    indices = np.arange(n_texts)
    if n_texts > MAX_TEXTS:
        chosen = np.random.default_rng(0).choice(n_texts, MAX_TEXTS, replace=False)
        indices = np.sort(chosen)
    return indices.tolist()


def evaluation_sections(
    report: EvaluationReport,
    explanations: Sequence[Any] = (),
    segments: Sequence[Any] = (),
) -> list[Section]:
    """Return everything between the summary and the settings."""
    network = report.network
    sections = [scores_section(report), mistakes_section(network, explanations)]
    if network.predictions is not None:
        sections.append(curves_section(network))
    if segments:
        sections.append(segments_section(segments, network.accuracy))
    sections.append(texts_section(network))
    return [section for section in sections if section.blocks]


def shown_text(predictions: Predictions, index: int) -> ShownText:
    """Return a text with its labels."""
    assert predictions.texts is not None
    return ShownText(
        cut_text(predictions.texts[index]),
        predictions.names_of(predictions.targets[index]),
        predictions.names_of(predictions.predicted[index]),
        f"{predictions.confidence[index]:.2f}",
        bool(predictions.right[index]),
    )


def _key_numbers(report: EvaluationReport) -> list[tuple[str, str, str]]:
    network = report.network
    rows: list[tuple[str, str, str]] = []
    for name in (MAIN_METRIC, *shown_metrics(network.task)):
        value = getattr(network, name)
        label = METRICS[name].label_for(network.task)
        if value is None or any(label == row[0] for row in rows):
            continue
        ends = interval_cell(network.intervals.get(name))
        rows.append((label, number_cell(value), ends))
    main = [one for one in report.comparisons if one.metric == MAIN_METRIC]
    if main:
        # The best baseline is the one from which the network differs least.
        best = min(main, key=lambda one: one.difference)
        ends = f"{100 * best.low:+.1f} to {100 * best.high:+.1f} points"
        name = f"{best.label} above {best.baseline}"
        rows.append((name, f"{100 * best.difference:+.1f}", ends))
    part = PART_NAMES.get(network.part)
    rows.append(("texts", f"{network.n:,}", f"{part} set" if part else ""))
    return rows


def _remarks(evaluation: Evaluation) -> list[str]:
    """Return sentences on frequent mistakes and on confidence."""
    sentences = []
    if evaluation.confusion is not None:
        names = [metrics.label for metrics in evaluation.per_class]
        for pair in confused_pairs(evaluation.confusion, names, 1):
            sentences.append(
                f"The most frequent mistake is {pair.predicted} for {pair.true}: "
                f"{pair.count} of {pair.count / pair.share:.0f} texts."
            )
    predictions = evaluation.predictions
    if predictions is None:
        return sentences
    if not predictions.multilabel:
        calibration = calibration_curve(predictions.probabilities, predictions.targets)
        sentences.append(
            f"Its mean confidence is {predictions.confidence.mean():.0%}, and "
            f"{predictions.right.mean():.0%} of its predictions are right (expected "
            f"calibration error {calibration.error:.3f})."
        )
    coverage = coverage_curve(predictions.confidence, predictions.right)
    sentences.append(
        f"In the most confident half of the texts, {coverage.accuracy_at(0.5):.0%} of "
        "the predictions are right."
    )
    return sentences


def _last_first(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return the evaluations on the set that counts, the last one, first."""
    last = evaluations[-1].part
    return sorted(evaluations, key=lambda evaluation: evaluation.part != last)


def _score(evaluation: Evaluation, name: str) -> str:
    score = number_cell(getattr(evaluation, name))
    ends = interval_cell(evaluation.intervals.get(name))
    return f"{score} ({ends})" if ends else score


def _label_table(evaluation: Evaluation) -> DataTable:
    averaged = evaluation.average_precision is not None
    header = ["label", "precision", "recall", "F1"]
    header += ["average precision"] * averaged + ["texts"]
    rows = []
    for label in evaluation.per_class:
        # Without a text there is nothing to recall.
        values: list[float | None] = [label.precision, label.recall, label.f1]
        if not label.support:
            values[1:] = [None, None]
        if label.label in evaluation.unpredicted_labels:
            values[0] = None
        values += [label.average_precision] * averaged
        rows.append([label.label, *map(number_cell, values), f"{label.support:,}"])
    return DataTable("Scores of each label", header, rows, sortable=True)


def confusion_block(
    names: Sequence[str],
    counts: Sequence[Sequence[int]],
    examples: Callable[[int, int], list[ShownText]],
    unit: str = "text",
) -> ConfusionMatrix:
    """Return a confusion matrix whose cells link to their examples.

    Parameters
    ----------
    names : sequence of str
        Names of the labels.
    counts : sequence of sequences of int
        Rows are true labels, columns predicted ones.
    examples : function of two ints
        Returns the examples of a true and a predicted label.
    unit : str
        Name of what is counted.
    """
    totals = list(map(sum, counts))
    rows = [
        [
            Cell(
                f"cell-{i}-{j}",
                names[i],
                names[j],
                count,
                count / max(totals[i], 1),
                examples(i, j),
            )
            for j, count in enumerate(row)
        ]
        for i, row in enumerate(counts)
    ]
    recalls = [
        f"{row[i].share:.0%}" if totals[i] else "–" for i, row in enumerate(rows)
    ]
    cells = [cell for row in rows for cell in row if cell.texts]
    cells.sort(key=lambda cell: (cell.true == cell.predicted, -cell.count))
    return ConfusionMatrix(names, rows, recalls, cells, unit)


def _examples(
    predictions: Predictions | None, true: int, predicted: int
) -> list[ShownText]:
    if predictions is None or predictions.texts is None:
        return []
    indices = np.flatnonzero(
        (predictions.targets == true) & (predictions.predicted == predicted)
    )
    order = np.argsort(-predictions.confidence[indices], kind="stable")[:CELL_EXAMPLES]
    return [shown_text(predictions, index) for index in indices[order].tolist()]
