"""Sections of a page about a training: its data, its epochs, and how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from emoclf.evaluation.temperature import calibration_sentence
from emoclf.plots import plot_class_balance, plot_lengths, plot_training
from emoclf.report.blocks import (
    DataTable,
    Figure,
    Figures,
    Findings,
    Lines,
    Paragraphs,
    Section,
)
from emoclf.report.svg_figures import svg_figure

if TYPE_CHECKING:
    from emoclf.bundle.bundle import Bundle
    from emoclf.datasets.dataset import Dataset

#: Metrics of the epochs that are drawn, and their titles.
DRAWN_METRICS = {"loss": "Loss", "accuracy": "Accuracy", "macro_f1": "Macro-F1"}
#: More labels than this make the plot of the classes too high for a page.
MAX_BARS = 60


def data_section(
    counts: Mapping[str, int],
    *,
    audit: Any = None,
    lengths: Sequence[int] = (),
    max_length: int | None = None,
) -> Section:
    """Return the audit, the sizes of the classes and the lengths of the texts.

    Parameters
    ----------
    counts : mapping of str to int
        Texts by label.
    audit : object with ``lines()``, optional
    lengths : sequence of int
        Number of tokens of each text, before it is cut.
    max_length : int, optional
        Number of tokens after which texts are cut.
    """
    figures: list[Figure] = []
    if 0 < len(counts) <= MAX_BARS:
        figures.append(
            svg_figure(
                partial(plot_class_balance, counts),
                name="class-balance",
                title="Texts of each label",
                alt="Texts of each label: "
                + ", ".join(f"{name} {count:,}" for name, count in counts.items()),
                size=(4.6, max(2.0, 0.9 + 0.3 * len(counts))),
            )
        )
    if len(lengths):
        figures.append(lengths_figure(lengths, max_length))
    blocks: list[Any] = [Figures(figures)] if figures else []
    if audit is not None:
        blocks.append(audit_lines(audit))
    return Section("data", "Data", tuple(blocks))


def training_data_section(train: Dataset, bundle: Bundle, audit: Any) -> Section:
    """Return the section about the training texts of a classifier."""
    return data_section(
        train.counts(),
        audit=audit,
        lengths=bundle.encoder.lengths(train.texts),
        max_length=bundle.encoder.max_length,
    )


def lengths_figure(lengths: Sequence[int], max_length: int | None) -> Figure:
    """Return a histogram of the lengths of the training texts, in tokens."""
    caption = ""
    if max_length is not None:
        n_cut = sum(length > max_length for length in lengths)
        caption = f"Texts are cut after {max_length} tokens: {n_cut:,} of them."
    return svg_figure(
        partial(plot_lengths, lengths, max_length=max_length),
        name="lengths",
        title="Lengths of the training texts",
        alt=f"Histogram of the lengths of {len(lengths):,} training texts. {caption}",
        caption=caption,
        size=(4.6, 3.2),
    )


def audit_lines(audit: Any) -> Lines:
    """Return the lines of an audit, without the folders of its file."""
    reports = getattr(audit, "reports", {"train": audit})
    sources = {getattr(report, "source", "") for report in reports.values()} - {""}
    lines = list(audit.lines())
    for source in sources:
        lines = [line.replace(source, os.path.basename(source)) for line in lines]
    return Lines("Audit", lines)


def training_section(result: Any, metrics: Mapping[str, Any]) -> Section:
    """Return the curves of a training with the doctor's findings.

    Parameters
    ----------
    result : TrainingResult
    metrics : mapping
        Metrics of the bundle.
    """
    figures = [
        svg_figure(
            partial(
                plot_training,
                result.history,
                metric=metric,
                best_epoch=result.best_epoch,
            ),
            name=f"training-{metric.replace('_', '-')}",
            title=title,
            alt=f"{title} of each epoch. {_ends(result.history, metric)}",
            size=(4.6, 3.4),
        )
        for metric, title in DRAWN_METRICS.items()
        if result.history.get(metric) or result.history.get(f"val_{metric}")
    ]
    text = (
        f"Epoch {result.best_epoch} of {result.epochs} was the best on the validation "
        f"set (ended: {result.ended}; {result.seconds:.0f} seconds of training)."
    )
    sentences = list(filter(None, (text, calibration_sentence(metrics))))
    return Section(
        "training",
        "Training",
        (Paragraphs(sentences), Figures(figures), Findings(result.findings)),
    )


def settings_section(
    settings: str, versions: Mapping[str, str], facts: Mapping[str, Any]
) -> Section:
    """Return what is needed to repeat the result.

    Parameters
    ----------
    settings : str
        Settings as TOML.
    versions : mapping of str to str
        Versions by package.
    facts : mapping of str to object
        Names and values, such as the number of texts.
    """
    rows = [[name, str(value)] for name, value in facts.items()]
    rows += [[name, version] for name, version in versions.items()]
    blocks: list[Any] = [DataTable("Facts and versions", ["", "value"], rows, words=2)]
    if settings:
        title = "Settings, as a file for --config"
        blocks.append(Lines(title, settings.strip().splitlines(), folded=True))
    return Section("settings", "Settings and versions", tuple(blocks))


def _ends(history: Mapping[str, Sequence[float]], metric: str) -> str:
    """Return the first and the last value of each series in words."""
    series = {"training": metric, "validation": f"val_{metric}"}
    return " ".join(
        f"On the {part} set from {values[0]:.3f} to {values[-1]:.3f}."
        for part, name in series.items()
        if (values := history.get(name))
    )
