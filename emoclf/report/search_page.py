"""The page of a search: the verdict, its trials and plots, and all about the winner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emoclf.doctor.findings import Finding
from emoclf.report.blocks import DataTable, Figure, Figures, Lines, Paragraphs, Section
from emoclf.report.evaluation_sections import evaluation_sections, summary_section
from emoclf.report.result_pages import Extras, Page, detailed
from emoclf.report.svg_figures import svg_figure
from emoclf.report.training_sections import (
    settings_section,
    training_data_section,
    training_section,
)
from emoclf.tuning.report.search_report import result_rows
from emoclf.tuning.results.importance import varying_settings
from emoclf.tuning.results.ranking import scored

if TYPE_CHECKING:
    from emoclf.bundle.bundle import Bundle
    from emoclf.training.fit import TrainingResult
    from emoclf.tuning.finish import SearchResult

#: Panels in a row of the plot of the settings.
PANEL_COLUMNS = 3
#: Columns of ``results.csv`` about the machines, whose names are nobody's business.
MACHINE_COLUMNS = ("began", "worker")


def search_page(result: SearchResult, extras: Extras) -> Page:
    """Return the page of a finished search."""
    plan, chosen = result.plan, result.choice.chosen
    report, predictor = result.report_with_texts(), result.predictor
    bundle, split = predictor.bundle, result.split
    extras = detailed(replace(extras, classifier=predictor), report.network)
    summary = summary_section(report)
    first = Paragraphs(
        [
            f"Trial {chosen.number} of {len(result.outcomes)} was chosen. These are "
            "the scores of its settings, trained once more."
        ]
    )
    sections = [
        replace(summary, blocks=(*summary.blocks[:1], first, *summary.blocks[1:])),
        Section("report", "Search", (Lines("Report", result.lines()),)),
        Section("plots", "Plots", (Figures(_figures(result)),)),
        Section("trials", "Trials", (_trials(result),)),
        *evaluation_sections(report, extras.explanations, extras.segments),
        training_section(_training(bundle), bundle.metrics),
    ]
    if split is not None:
        sections.append(training_data_section(split.train, bundle, extras.audit))
    sections.append(
        settings_section(
            plan.settings.override(**chosen.values).to_toml(),
            bundle.versions,
            {
                "objective": plan.objective.label,
                "strategy": plan.strategy,
                plan.kind: plan.repeats,
                "seed": plan.settings.seed,
                "folder": result.folder.name,
            },
        )
    )
    return Page(
        f"Search for {plan.settings.architecture}",
        f"{len(result.outcomes)} trials by {plan.objective.label}",
        sections,
    )


def _training(bundle: Bundle) -> TrainingResult:
    """Return the training of a saved classifier."""
    from emoclf.training.fit import History, TrainingResult

    metrics = bundle.metrics
    return TrainingResult(
        History(bundle.history),
        metrics["best_epoch"],
        metrics["ended"],
        tuple(map(Finding.from_dict, metrics["findings"])),
    )


def _trials(result: SearchResult) -> DataTable:
    """Return the trials, without columns that are empty or about machines."""
    header, *rows = result_rows(result.outcomes, result.plan.objective)
    cells = [[_cell(value) for value in row] for row in rows]
    columns = [
        column
        for column, name in enumerate(header)
        if name not in MACHINE_COLUMNS and any(row[column] for row in cells)
    ]
    return DataTable(
        "All trials",
        [header[column] for column in columns],
        [[row[column] for column in columns] for row in cells],
        sortable=True,
        words=2,
    )


def _figures(result: SearchResult) -> list[Figure]:
    names = varying_settings(scored(result.outcomes))
    n_rows = -(-len(names) // PANEL_COLUMNS)

    def effects(ax: Any) -> None:
        figure = ax.figure
        ax.remove()
        panels = figure.subplots(n_rows, PANEL_COLUMNS, sharey=True, squeeze=False)
        for ax in panels.flat[len(names) :]:
            figure.delaxes(ax)
        result.plot_effects(panels)
        figure.tight_layout()

    size = (6.4, 4.2)
    plots: dict[str, Any] = {
        "scores": ("Score of each trial", result.plot_scores, size),
        "time": ("Score and time", result.plot_time, size),
    }
    if names:
        size = (3.6 * PANEL_COLUMNS, 3.0 * n_rows)
        plots["effects"] = "Score by setting", effects, size
        size = (max(8.0, 2 + 1.6 * len(names)), 4.5)
        title = "Settings and score of each trial"
        plots["parallel"] = title, result.plot_parallel, size
    described = f"{len(result.outcomes)} trials; trial {result.choice.chosen.number}"
    return [
        svg_figure(
            draw,
            name=f"search-{name}",
            title=title,
            alt=f"{title}, for {described} was chosen",
            size=size,
            paper=name == "parallel",
            wide=name in ("effects", "parallel"),
        )
        for name, (title, draw, size) in plots.items()
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
