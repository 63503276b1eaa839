"""Pages of all kinds of results, from one table."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from emoclf.datasets.cells import shorten
from emoclf.datasets.split import PART_NAMES
from emoclf.errors import DataError, wrong_kind
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.plots import plot_accuracy_against_time
from emoclf.report.blocks import (
    MAX_TEXT_CHARACTERS,
    DataTable,
    Figures,
    Lines,
    Paragraphs,
    Section,
    number_cell,
)
from emoclf.report.evaluation_sections import evaluation_sections, summary_section
from emoclf.report.svg_figures import svg_figure
from emoclf.report.training_sections import (
    audit_lines,
    data_section,
    lengths_figure,
    settings_section,
    training_data_section,
    training_section,
)

if TYPE_CHECKING:
    from emoclf.audit.dataset_audit import Audit
    from emoclf.evaluation.metrics import Evaluation
    from emoclf.evaluation.network_comparison import NetworkComparison
    from emoclf.workflow.trained_classifier import TrainedClassifier
    from emoclf.workflow.training_run import TrainingRun


#: Mistakes whose words are shown with their shares.
EXPLAINED_MISTAKES = 8


@dataclass(frozen=True)
class Extras:
    """What a caller adds: an audit, explanations, groups of texts, a saved model.

    Explanations of the most confident mistakes, and groups of texts, are made where
    there is a classifier and they are not given.
    """

    audit: Any = None
    classifier: Any = None
    explanations: Sequence[Any] = ()
    segments: Sequence[Any] = ()
    model: str | os.PathLike[str] | None = None


def detailed(extras: Extras, evaluation: Evaluation) -> Extras:
    """Return extras with explanations and groups of texts, made by the classifier."""
    classifier, predictions = extras.classifier, evaluation.predictions
    if classifier is None or predictions is None or predictions.texts is None:
        return extras
    from emoclf.evaluation.segments import segments, text_columns
    from emoclf.explain.text_explainer import explain_text

    groups = extras.segments
    if not groups:
        groups = segments(predictions, text_columns(classifier, predictions.texts))
    # A page shows so much of any text, explained or not.
    mistakes = [
        predictions.texts[index]
        for index in predictions.confident_mistakes(len(predictions))
        if len(predictions.texts[index]) <= MAX_TEXT_CHARACTERS
    ]
    explanations = extras.explanations or [
        explain_text(classifier, text) for text in mistakes[:EXPLAINED_MISTAKES]
    ]
    return replace(extras, explanations=explanations, segments=groups)


@dataclass(frozen=True)
class Page:
    """Title, line below it, and sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]


def page_of(result: Any, extras: Extras) -> Page:
    """Return the page of a result.

    Raises
    ------
    DataError
        If there is none for a result of this kind.
    """
    for cls in type(result).__mro__:
        key = f"{cls.__module__}:{cls.__qualname__}"
        if key in _PAGES:
            page = _PAGES[key]
            if isinstance(page, str):
                page = resolve_name(page)
            return page(result, extras)
    if hasattr(result, "lines"):
        return _lines(result)
    names = ", ".join(key.partition(":")[2] for key in _PAGES)
    wanted = f"one of {names}, or have lines()"
    raise DataError(wrong_kind("result", wanted, result))


def _training_run(run: TrainingRun, extras: Extras) -> Page:
    audit = extras.audit if extras.audit is not None else run.audit
    extras = replace(extras, audit=audit)
    if "refit" not in run.trained.bundle.metrics:
        # A classifier that was fitted again no longer makes these mistakes.
        extras = replace(extras, classifier=run.trained.predictor)
    trained = replace(run.trained, split=run.split)
    return _training(trained, run.report, extras, source=run.audit.source)


def _trained_classifier(trained: TrainedClassifier, extras: Extras) -> Page:
    from emoclf.evaluation.evaluate import evaluate_classifier

    split = trained.split
    if split is None:
        raise DataError(
            "This classifier has no texts to evaluate: it was loaded, or fitted again "
            "on all of them. Evaluate it, and give the evaluation."
        )
    if split.test is not None and len(split.test):
        report = trained.evaluate()
    else:
        report = evaluate_classifier(trained.predictor, split)
    extras = replace(extras, classifier=trained.predictor)
    return _training(trained, report, extras, source=split.train.source)


def _training(
    trained: TrainedClassifier, report: EvaluationReport, extras: Extras, *, source: str
) -> Page:
    split, bundle = trained.split, trained.bundle
    assert split is not None
    extras = detailed(extras, report.network)
    sections = [
        summary_section(report),
        *evaluation_sections(report, extras.explanations, extras.segments),
        training_section(trained.result, bundle.metrics),
        training_data_section(split.train, bundle, extras.audit),
    ]
    # The texts, behind a search box, come after all that is drawn.
    sections.sort(key=lambda one: one.id == "texts")
    sections.append(
        settings_section(
            bundle.settings.to_toml(),
            bundle.versions,
            {
                "data": os.path.basename(source),
                **{
                    f"texts of the {PART_NAMES[name]} set": f"{len(part):,}"
                    for name, part in split.parts().items()
                },
                "seed": bundle.settings.seed,
                "parameters": f"{bundle.model.count_params():,}",
            },
        )
    )
    architecture = bundle.settings.architecture
    return Page(
        f"{architecture} on {os.path.basename(source)}",
        f"{len(bundle.label_names)} labels: {shorten(bundle.label_names)}",
        sections,
    )


def _evaluation_report(report: EvaluationReport, extras: Extras) -> Page:
    network = report.network
    extras = detailed(extras, network)
    labels = [metrics.label for metrics in network.per_class]
    sections = [
        summary_section(report),
        *evaluation_sections(report, extras.explanations, extras.segments),
    ]
    if extras.audit is not None or network.confusion is not None:
        counts = {metrics.label: metrics.support for metrics in network.per_class}
        sections.append(data_section(counts, audit=extras.audit))
    if extras.model is not None:
        sections.append(_model_section(extras.model))
    part = f"the {PART_NAMES[network.part]} set" if network.part in PART_NAMES else ""
    return Page(
        f"{network.name} on {part or os.path.basename(network.part)}",
        f"{len(labels)} labels: {shorten(labels)}",
        sections,
    )


def _evaluation(evaluation: Evaluation, extras: Extras) -> Page:
    return _evaluation_report(EvaluationReport((evaluation,), ()), extras)


def _model_section(model: str | os.PathLike[str]) -> Section:
    import tomli_w  # Only this page needs it.

    from emoclf.bundle.summary import read_summary

    summary = read_summary(model)
    # A setting without a value is left out of a file.
    settings = _without_none(summary["settings"])
    facts = {
        "model": os.path.basename(summary["path"]),
        "kind": summary["kind"],
        "trained": summary["trained"],
        "size": f"{summary['bytes'] / 1e6:.1f} MB",
    }
    return settings_section(tomli_w.dumps(settings), summary["versions"], facts)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value is not None
    }


def _network_comparison(comparison: NetworkComparison, extras: Extras) -> Page:
    header = ["classifier", "seed", "validation macro-F1", "accuracy", "macro-F1"]
    header += ["parameters", "epochs"]
    header += ["seconds", "findings"]
    rows = [
        [
            run.name,
            "–" if run.seed is None else str(run.seed),
            number_cell(run.valid_macro_f1, ".3f"),
            number_cell(run.accuracy, ".3f"),
            number_cell(run.macro_f1, ".3f"),
            number_cell(run.parameters, ",d"),
            number_cell(run.epochs, "d"),
            number_cell(run.seconds, ".1f"),
            ", ".join(run.findings),
        ]
        for run in comparison.runs
    ]
    figure = svg_figure(
        partial(plot_accuracy_against_time, comparison),
        name="accuracy-against-time",
        title="Accuracy and training time",
        alt="Accuracy of each network against its seconds of training",
        size=(8.0, 4.5),
        wide=True,
    )
    lines = comparison.lines()
    end = lines.index("")
    words = Paragraphs([" ".join(lines[:end])], lead=True)
    sections = [
        Section(
            "summary",
            "Summary",
            (words, Lines("Means over seeds", lines[end + 1 :])),
        ),
        Section("plot", "Plot", (Figures([figure]),)),
        Section("runs", "Runs", (DataTable("All runs", header, rows, sortable=True),)),
    ]
    if extras.audit is not None:
        sections.append(Section("data", "Data", (audit_lines(extras.audit),)))
    names = comparison.names()
    return Page("Comparison of networks", f"{len(names)} classifiers", sections)


def _audit(audit: Any, extras: Extras) -> Page:
    section = data_section(audit.counts, audit=audit)
    title = f"Audit of {os.path.basename(audit.source)}"
    return Page(title, f"{audit.n_texts:,} texts", [section])


def _full_audit(audit: Audit, extras: Extras) -> Page:
    findings = [
        Lines(
            f"{finding.severity.capitalize()}: {finding.name}",
            [
                *finding.lines(),
                *map(str, finding.evidence.get("examples", ())),
            ],
        )
        for finding in audit.findings
    ]
    none = Paragraphs(["There are no findings."])
    classes = [
        DataTable(
            f"Labels of the {PART_NAMES[name]} set, {report.n_texts:,} texts",
            ["label", "texts", "share"],
            [
                [label, f"{count:,}", f"{count / max(1, report.n_texts):.1%}"]
                for label, count in report.counts.items()
            ],
            sortable=True,
        )
        for name, report in audit.reports.items()
    ]
    sections = [
        Section("findings", "Findings", tuple(findings) or (none,)),
        Section("labels", "Labels", tuple(classes)),
        _lengths_and_vectors(audit),
    ]
    if audit.wrong_labels is not None:
        lines = Lines("Most probable first", audit.wrong_labels.lines())
        sections.append(Section("wrong-labels", "Labels probably wrong", (lines,)))
    first = next(iter(audit.reports.values()))
    n_texts = sum(report.n_texts for report in audit.reports.values())
    title = f"Audit of {os.path.basename(first.source)}"
    return Page(title, f"{n_texts:,} texts", sections)


def _lengths_and_vectors(audit: Audit) -> Section:
    coverage = audit.coverage
    blocks: list[Any] = []
    if audit.lengths:
        blocks.append(Figures([lengths_figure(audit.lengths, audit.max_length)]))
    source = " + ".join(map(os.path.basename, coverage.source.split(" + ")))
    sentence = (
        f"{coverage.tokens:.1%} of all tokens of the training texts have a vector "
        f"({source}), and {coverage.types:.1%} of the distinct ones."
    )
    blocks.append(Paragraphs([sentence]))
    if coverage.missing:
        rows = [[token, f"{count:,}"] for token, count in coverage.missing]
        header = ["most frequent tokens", "count"]
        blocks.append(DataTable("Without a vector", header, rows))
    return Section("lengths", "Lengths and word vectors", tuple(blocks))


def _lines(result: Any) -> Page:
    """Return the page of a result that has its own words for everything."""
    title = type(result).__name__
    section = Section("result", "Result", (Lines(title, list(result.lines())),))
    return Page(title, "", [section])


#: Class of a result → function that makes its page, or its import path. Classes are
#: named, so that a page loads only what its own result needs.
_PAGES: dict[str, Callable[[Any, Extras], Page] | str] = {
    "emoclf.workflow.training_run:TrainingRun": _training_run,
    "emoclf.workflow.trained_classifier:TrainedClassifier": _trained_classifier,
    "emoclf.evaluation.evaluation_report:EvaluationReport": _evaluation_report,
    "emoclf.evaluation.metrics:Evaluation": _evaluation,
    "emoclf.evaluation.network_comparison:NetworkComparison": _network_comparison,
    "emoclf.tuning.finish:SearchResult": "emoclf.report.search_page:search_page",
    "emoclf.aspects.aspect_evaluation:AspectEvaluation": (
        "emoclf.report.aspect_page:aspect_page"
    ),
    "emoclf.datasets.audit_report:AuditReport": _audit,
    "emoclf.audit.dataset_audit:Audit": _full_audit,
}
