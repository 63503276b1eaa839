"""The page of an evaluation of aspect terms: scores, summary, training, settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emoclf.aspects.aspect_evaluation import DICTIONARY
from emoclf.aspects.opinions import Opinion
from emoclf.aspects.term_summary import TermSummary
from emoclf.aspects.terms.span_metrics import SpanScores
from emoclf.bundle.bundle import installed_versions
from emoclf.datasets.split import PART_NAMES
from emoclf.doctor.findings import sorted_findings
from emoclf.plots import plot_span_scores, plot_training
from emoclf.plots.plot_style import legend_above
from emoclf.report.aspect_sections import (
    mistakes_section,
    polarity_section,
    sentences_section,
)
from emoclf.report.blocks import (
    DataTable,
    Figure,
    Figures,
    Findings,
    Lines,
    Section,
    interval_cell,
    number_cell,
)
from emoclf.report.evaluation_sections import differences_table, verdict_section
from emoclf.report.result_pages import Extras, Page
from emoclf.report.svg_figures import svg_figure
from emoclf.report.training_sections import settings_section

if TYPE_CHECKING:
    from emoclf.aspects.aspect_evaluation import AspectEvaluation

#: Scores of terms: property of SpanScores → name.
SPAN_METRICS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "partial_f1": "F1 by overlap",
    "unseen_recall": "recall of unseen terms",
}
#: Terms in the plot and in the table of the summary.
DRAWN_TERMS, LISTED_TERMS = 15, 20
#: Metrics of the epochs that are drawn, and their titles, of both trainings.
TAGGER_METRICS = {"loss": "Loss of the tagger", "f1": "Exact-span F1 of the tagger"}
POLARITY_METRICS = {
    "loss": "Loss of the polarity classifier",
    "macro_f1": "Macro-F1 of the polarity classifier",
}


def aspect_page(evaluation: AspectEvaluation, extras: Extras) -> Page:
    """Return the page of an evaluation, with the training of its model."""
    data, tagger = evaluation.data, getattr(evaluation.model, "tagger", None)
    sections = [
        _summary_section(evaluation),
        _scores_section(evaluation),
        _terms_section(evaluation),
        mistakes_section(evaluation),
    ]
    if "polarity" in evaluation:
        sections.append(polarity_section(evaluation))
    sections.append(sentences_section(evaluation))
    words = f"{len(data):,} sentences with {data.n_terms:,} terms"
    # An export has neither a history nor the settings of its training.
    if tagger is not None:
        sections.append(_training_section(evaluation.model))
        sections.append(_settings_section(evaluation, extras))
        settings = tagger.model_.settings
        words += f"; tagger: {settings.network}{' + CRF' * settings.crf}"
    return Page(
        f"Aspect terms of {os.path.basename(data.source)}",
        words,
        [section for section in sections if section.blocks],
    )


def _summary_section(evaluation: AspectEvaluation) -> Section:
    terms = evaluation["terms"]
    rows = [
        (
            name,
            number_cell(getattr(terms, key)),
            interval_cell(evaluation.intervals.get(key)),
        )
        for key, name in SPAN_METRICS.items()
        if getattr(terms, key) is not None
    ]
    if "polarity" in evaluation:
        polarity, both = evaluation["polarity"], evaluation["both"]
        rows += [
            (
                "polarity: accuracy",
                number_cell(polarity["accuracy"]),
                f"{polarity['n']:,} terms",
            ),
            ("polarity: macro-F1", number_cell(polarity["macro_f1"]), ""),
            ("term and polarity: F1", number_cell(both.f1), ""),
        ]
    return verdict_section(evaluation.verdict(), rows)


def _scores_section(evaluation: AspectEvaluation) -> Section:
    """Return the scores of terms and polarities, beside those of the baselines."""
    methods = {"tagger": evaluation["terms"]}
    baselines = evaluation.baseline_scores
    if baselines:
        methods[DICTIONARY] = baselines["terms"]
    scores = {
        method: {name: getattr(span_scores, key) for key, name in SPAN_METRICS.items()}
        for method, span_scores in methods.items()
    }
    ends = {
        name: evaluation.intervals[key]
        for key, name in SPAN_METRICS.items()
        if key in evaluation.intervals
    }
    figure = svg_figure(
        lambda ax: plot_span_scores(scores, ax, intervals=ends),
        name="span-scores",
        title="How well terms are found",
        alt="; ".join(
            f"{method}: "
            + ", ".join(
                f"{name} {number_cell(value)}" for name, value in values.items()
            )
            for method, values in scores.items()
        ),
        caption="A term counts if both of its borders are right; by overlap: by the "
        "share of its characters. Bars: 95 % bootstrap intervals over sentences.",
        size=(4.6, 3.4),
    )
    if "both" in evaluation:
        methods["tagger, with the right polarity"] = evaluation["both"]
    header = ["method", *SPAN_METRICS.values(), "terms found", "right"]
    rows = [_span_row(method, span_scores) for method, span_scores in methods.items()]
    blocks: list[Any] = [
        Figures([figure]),
        DataTable("Scores of terms", header, rows),
    ]
    if evaluation.comparisons:
        caption = "Differences to baselines, by paired bootstrap over sentences"
        blocks.append(differences_table(evaluation.comparisons, caption))
    return Section("scores", "Scores", tuple(blocks))


def _span_row(method: str, span_scores: SpanScores) -> list[str]:
    scores = [number_cell(getattr(span_scores, key)) for key in SPAN_METRICS]
    if not span_scores.n_unseen:
        scores[-1] = "–"
    return [method, *scores, f"{span_scores.n_predicted:,}", f"{span_scores.n_exact:,}"]


def _terms_section(evaluation: AspectEvaluation) -> Section:
    """Return the most frequent terms, as a plot and as a table."""
    summary, true = TermSummary(), TermSummary()
    for sentence, row in zip(evaluation.data, evaluation.opinions, strict=True):
        summary.add(row)
        true.add(
            Opinion(sentence.words(x), x.label, x.start, x.stop, 1.0, None)
            for x in sentence.terms
        )
    rows = summary.rows()
    if not rows:
        return Section("terms", "Terms", ())
    counts = {row["term"].lower(): row["count"] for row in true.rows()}
    names = summary.polarities()
    drawn = rows[:DRAWN_TERMS]
    figure = svg_figure(
        lambda ax: summary.plot(ax, shown=DRAWN_TERMS),
        name="term-summary",
        title="Most frequent terms" + (" and their polarity" if names else ""),
        alt="; ".join(
            f"{row['term']} {row['count']:,}"
            + "".join(f", {name} {row[name]:.0%}" for name in names)
            for row in drawn
        ),
        caption="As the model found them, with the number of their occurrences.",
        size=(4.6, 1.1 + 0.3 * len(drawn)),
    )
    table = DataTable(
        f"The {min(len(rows), LISTED_TERMS)} most frequent of {len(rows):,} terms",
        ["term", "found", "true", *names],
        [
            [
                row["term"],
                f"{row['count']:,}",
                f"{counts.get(row['term'].lower(), 0):,}",
                *(f"{row[name]:.0%}" for name in names),
            ]
            for row in rows[:LISTED_TERMS]
        ],
        sortable=True,
    )
    return Section("terms", "Terms", (Figures([figure]), table))


def _training_section(model: Any) -> Section:
    figures = _curves("tagger", model.tagger.history_, TAGGER_METRICS)
    findings = {"tagger": model.tagger.findings_}
    if model.polarity is not None:
        history = model.polarity.history_
        figures += _curves("polarity", history, POLARITY_METRICS)
        findings["polarity classifier"] = model.polarity.findings_
    blocks: list[Any] = [Figures(figures)] if figures else []
    for name, model_findings in findings.items():
        if model_findings:
            title = f"Findings of the doctor: {name}"
            blocks.append(Findings(sorted_findings([*model_findings]), title))
    return Section("training", "Training", tuple(blocks))


def _curves(
    name: str, histories: Sequence[Mapping[str, list[float]]], titles: Mapping[str, str]
) -> list[Figure]:
    """Return a figure for each metric, with the lines of all networks."""
    figures = []
    for metric, title in titles.items():
        shown = [x for x in histories if x.get(metric) or x.get(f"val_{metric}")]
        if not shown:
            continue

        def draw(ax: Any, metric: str = metric, shown: Any = tuple(shown)) -> None:
            for history in shown:
                plot_training(history, ax, metric=metric)
            ax.set_ylabel("")
            # Every network has the same lines.
            handles, labels = ax.get_legend_handles_labels()
            handle_of = dict(zip(labels, handles, strict=True))
            for line in ax.lines:
                line.set_label(f"_{line.get_label()}")
            for label, handle in handle_of.items():
                handle.set_label(label)
            legend_above(ax, columns=2)

        ends = [(x.get(f"val_{metric}") or x[metric])[-1] for x in shown]
        words = f"{len(shown)} networks, a line for each." if len(shown) > 1 else ""
        figures.append(
            svg_figure(
                draw,
                name=f"{name}-{metric.replace('_', '-')}",
                title=title,
                alt=f"{title} of each epoch; at the end "
                + ", ".join(f"{end:.3f}" for end in ends),
                caption=words,
                size=(4.6, 3.4),
            )
        )
    return figures


def _settings_section(evaluation: AspectEvaluation, extras: Extras) -> Section:
    import tomli_w  # Only pages need it.

    model: Any = evaluation.model
    settings: dict[str, Any] = {"tagger": model.tagger.model_.settings}
    if model.polarity is not None:
        settings["polarity classifier"] = model.polarity.model_.settings
    metrics = model.tagger.parts_.metrics
    facts: dict[str, Any] = {"data": os.path.basename(evaluation.data.source)}
    if extras.model is not None:
        facts["model"] = os.path.basename(os.path.normpath(extras.model))
    for name, count in metrics.get("sentences", {}).items():
        facts[f"sentences of the {PART_NAMES.get(name, name)} set"] = f"{count:,}"
    facts["seed"] = settings["tagger"].seed
    section = settings_section("", installed_versions(), facts)
    lines = [
        Lines(
            f"Settings of the {name}",
            tomli_w.dumps(_without_folders(values.to_dict())).strip().splitlines(),
            folded=True,
        )
        for name, values in settings.items()
    ]
    return Section(section.id, section.title, (*section.blocks, *lines))


def _without_folders(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the names of files alone, since pages are sent to others."""
    shown = dict(settings)
    for name in ("vectors", "encoder"):
        value = shown.get(name)
        if isinstance(value, str):
            shown[name] = _name_of(value)
        elif value is not None:
            shown[name] = [_name_of(x) for x in value]
    return shown


def _name_of(name_or_path: str) -> str:
    # "owner/name" on the Hugging Face Hub is no path.
    is_hub_name = name_or_path.count("/") == 1 and name_or_path[0] not in "/.~"
    if is_hub_name and not os.path.exists(name_or_path):
        return name_or_path
    return os.path.basename(os.path.normpath(name_or_path))
