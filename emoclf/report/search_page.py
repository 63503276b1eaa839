"""The page of a search: the verdict, its trials, its plots, and the winner's scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emoclf.plots import plot_effects, plot_parallel, plot_scores, plot_time
from emoclf.report.blocks import DataTable, Figures, Lines, Paragraphs, Section
from emoclf.report.evaluation_sections import evaluation_sections, summary_section
from emoclf.report.result_pages import Extras, Page
from emoclf.report.svg_figures import svg_figure
from emoclf.report.training_sections import settings_section
from emoclf.tuning.report.search_report import result_rows
from emoclf.tuning.results.importance import varying_settings
from emoclf.tuning.results.ranking import scored

if TYPE_CHECKING:
    from emoclf.tuning.finish import SearchResult

#: Panels in a row of the plot of the settings.
PANEL_COLUMNS = 3


def search_page(result: SearchResult, extras: Extras) -> Page:
    """Return the page of a finished search."""
    from emoclf.bundle.bundle import installed_versions

    plan, chosen = result.plan, result.choice.chosen
    winner = summary_section(result.report)
    summary = Section(
        "summary",
        "Summary",
        (
            Paragraphs(
                [
                    f"Trial {chosen.number} of {len(result.outcomes)} was chosen; the "
                    "scores below are of its settings, trained once more."
                ]
            ),
            *winner.blocks,
        ),
    )
    header, *rows = result_rows(result.outcomes, plan.objective)
    cells = [[_cell(value) for value in row] for row in rows]
    trials = DataTable("All trials", header, cells, sortable=True)
    sections = [
        summary,
        Section("search", "Search", (Lines("Report", result.lines()),)),
        Section("plots", "Plots", (Figures(_figures(result)),)),
        Section("trials", "Trials", (trials,)),
        *evaluation_sections(result.report, extras.explanations),
        settings_section(
            plan.settings.override(**chosen.values).to_toml(),
            installed_versions(),
            {
                "objective": plan.objective.label,
                "strategy": plan.strategy,
                plan.kind: plan.repeats,
                "seed": plan.settings.seed,
                "folder": result.folder.name,
            },
        ),
    ]
    return Page(
        f"Search for {plan.settings.architecture}",
        f"{len(result.outcomes)} trials by {plan.objective.label}",
        sections,
    )


def _figures(result: SearchResult) -> list[Any]:
    outcomes, objective = result.outcomes, result.plan.objective
    chosen, log = result.choice.chosen.number, result.plan.space.log_names()
    names = varying_settings(scored(outcomes))
    n_rows = -(-len(names) // PANEL_COLUMNS)

    def effects(figure: Any) -> None:
        panels = figure.subplots(n_rows, PANEL_COLUMNS, sharey=True, squeeze=False)
        for ax in panels.flat[len(names) :]:
            figure.delaxes(ax)
        plot_effects(outcomes, objective, panels, chosen=chosen, log=log)
        figure.tight_layout()

    plots: dict[str, tuple[str, Callable[[Any], Any], tuple[float, float]]] = {
        "scores": (
            "Score of each trial",
            lambda figure: plot_scores(
                outcomes, objective, figure.subplots(), chosen=chosen
            ),
            (6.4, 4.2),
        ),
        "time": (
            "Score and time",
            lambda figure: plot_time(
                outcomes, objective, figure.subplots(), chosen=chosen
            ),
            (6.4, 4.2),
        ),
    }
    if names:
        size = (3.6 * PANEL_COLUMNS, 3.0 * n_rows)
        plots["effects"] = "Score by setting", effects, size
        width = max(8.0, 2 + 1.6 * len(names))
        plots["parallel"] = (
            "Settings and score of each trial",
            lambda figure: plot_parallel(
                outcomes, objective, figure.subplots(), chosen=chosen, log=log
            ),
            (width, 4.5),
        )
    return [
        svg_figure(
            draw,
            name=f"search-{name}",
            title=title,
            alt=f"{title}, for {len(outcomes)} trials; trial {chosen} was chosen",
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
