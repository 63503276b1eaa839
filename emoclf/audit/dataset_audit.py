"""Audit labelled texts: everything that may harm a classifier, as findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emoclf.audit.audited_texts import AuditedTexts
from emoclf.audit.duplicate_checks import check_duplicates
from emoclf.audit.label_checks import check_labels
from emoclf.audit.text_checks import check_texts
from emoclf.audit.vector_checks import Coverage, check_vectors
from emoclf.audit.wrong_labels import (
    WrongLabels,
    check_wrong_labels,
    find_wrong_labels,
    require_cleanlab,
)
from emoclf.batching import lengths_of
from emoclf.datasets.audit_report import AuditReport, report_contents
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import PART_NAMES, PARTS, Split
from emoclf.datasets.trainable import as_dataset
from emoclf.display import HtmlLines, wrap_lines
from emoclf.doctor.data import check_cut
from emoclf.doctor.findings import SEVERITIES, Finding, sorted_findings
from emoclf.embeddings.starter import StarterVectors
from emoclf.embeddings.vector_objects import given_vectors, vector_sources
from emoclf.errors import DataError, wrong_kind
from emoclf.settings import RunSettings
from emoclf.text.encoder import choose_length

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Audit(HtmlLines):
    """Contents of labelled texts, and what may harm a classifier of them.

    Parameters
    ----------
    findings : tuple of Finding
        Findings, errors first; :data:`emoclf.doctor.catalogue.FINDINGS` lists all
        kinds. The evidence of most contains ``texts``, ``share`` and ``examples``.
    reports : dict of str to AuditReport
        Counts of each set: ``train`` and, if they were given, ``valid`` and ``test``.
    max_length : int
        Number of tokens after which a training with these settings cuts texts.
    cut : int
        Number of training texts that are longer.
    coverage : Coverage
        Coverage of the training texts by the word vectors.
    wrong_labels : WrongLabels or None
        All texts, the most probably mislabelled first; None unless asked for.
    lengths : tuple of int
        Number of tokens of each training text, before it is cut; not in
        :meth:`to_dict`.
    """

    findings: tuple[Finding, ...]
    reports: dict[str, AuditReport]
    max_length: int
    cut: int
    coverage: Coverage
    wrong_labels: WrongLabels | None = None
    lengths: tuple[int, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether there is a finding of severity error."""
        return any(finding.severity == "error" for finding in self.findings)

    def _facts(self) -> dict[str, object]:
        severities = [finding.severity for finding in self.findings]
        texts = {name: f"{report.n_texts:,}" for name, report in self.reports.items()}
        return {**texts, **{f"{name}s": severities.count(name) for name in SEVERITIES}}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        wrong = self.wrong_labels
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "sets": {name: report.to_dict() for name, report in self.reports.items()},
            "max_length": self.max_length,
            "cut": self.cut,
            "coverage": self.coverage.to_dict(),
            "wrong_labels": None if wrong is None else wrong.to_dict(),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the number and the share of texts of each class.

        Of several sets, the set is the first level of the index. A ranking of wrong
        labels has a ``to_frame`` of its own: ``audit.wrong_labels.to_frame()``.
        """
        import pandas as pd  # Most programs need no frames.

        frames = {name: report.to_frame() for name, report in self.reports.items()}
        if len(frames) == 1:
            return frames["train"]
        return pd.concat(frames, names=["set"])

    def lines(self) -> list[str]:
        """Return the audit for printing, at most 80 characters wide."""
        lines = []
        for name, report in self.reports.items():
            lines += [f"{PART_NAMES[name].capitalize()} set", *report.contents(), ""]
        lines += [
            f"Training texts are cut after {self.max_length} tokens: {self.cut:,} of "
            "them.",
            *self.coverage.lines(),
        ]
        for finding in self.findings:
            lines += ["", *finding.lines()]
            lines += [f"  {text}" for text in finding.evidence.get("examples", ())]
        if not self.findings:
            lines += ["", "There are no findings."]
        if self.wrong_labels is not None:
            lines += ["", *self.wrong_labels.lines()]
        return wrap_lines(lines)


def audit_dataset(
    train: Dataset | Split | pd.DataFrame,
    valid: Dataset | pd.DataFrame | None = None,
    test: Dataset | pd.DataFrame | None = None,
    *,
    settings: RunSettings | Mapping[str, Any] | None = None,
    vectors: Any = None,
    wrong_labels: bool = False,
    **flat: Any,
) -> Audit:
    """Find what may harm a classifier, or make its scores too optimistic.

    Parameters
    ----------
    train : Dataset, Split or DataFrame
        A dataset with a split column is divided by it.
    valid, test : Dataset or DataFrame, optional
        Sets that were split by somebody else.
    settings : RunSettings or mapping, optional
        Settings of the training that is planned: tokens, length, near-duplicates.
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors, in the forms of :func:`emoclf.embedding_matrix`; default: those
        of the settings, or the starter vectors, whose low coverage is no finding.
    wrong_labels : bool, default=False
        Also search for labels that are probably wrong; see
        :func:`emoclf.audit.wrong_labels.find_wrong_labels`. It trains classifiers.
    **flat
        Single settings, such as ``near_duplicates=0.9``, which override ``settings``.

    Returns
    -------
    audit : Audit

    Raises
    ------
    DataError, SettingsError, VectorsError
    MissingDependency
        If wrong labels are searched for and cleanlab is not installed.

    Examples
    --------
    >>> from emoclf import Dataset, audit_dataset
    >>> texts = ["so sad", "what a day", "I won"]
    >>> train = Dataset.from_lists(texts, ["no", "yes", "yes"])
    >>> test = Dataset.from_lists(["So sad!", "We lost it"], ["no", "no"])
    >>> [finding.name for finding in audit_dataset(train, test=test).findings]
    ['leaks', 'classes-differ', 'very-short']
    """
    if wrong_labels:
        require_cleanlab()
    run = RunSettings.of(settings, flat)
    parts = _parts(train, valid, test, run)
    for part in parts.values():
        if not part.has_texts:
            raise DataError(
                f"{part.source} contains vectors without their texts: there is nothing "
                "to audit. Give the texts."
            )
    run, sets = given_vectors(run, vectors)
    near = run.data.near_duplicates
    texts = AuditedTexts(parts, near_duplicates=near, text=run.text)
    findings = [*check_duplicates(texts), *check_labels(texts), *check_texts(texts)]
    lengths = lengths_of(texts.train_tokens)
    max_length = choose_length(lengths, run.text)
    cut = int((lengths > max_length).sum())
    if about_cut := check_cut(cut, len(lengths), max_length=max_length):
        findings.append(about_cut)
    paths = sets or run.embedding.vector_paths
    limit = run.embedding.vectors_limit
    sources = vector_sources(list(paths), limit=limit) if paths else (StarterVectors(),)
    coverage, about_vectors = check_vectors(texts, sources, required=bool(paths))
    findings += about_vectors
    ranking = None
    if wrong_labels:
        ranking = find_wrong_labels(texts, seed=run.seed)
        findings += check_wrong_labels(ranking)
    return Audit(
        findings=sorted_findings(findings),
        reports={
            name: report_contents(part, near_duplicates=near)
            for name, part in parts.items()
        },
        max_length=max_length,
        cut=cut,
        coverage=coverage,
        wrong_labels=ranking,
        lengths=tuple(lengths.tolist()),
    )


def _parts(
    train: Any, valid: Any, test: Any, settings: RunSettings
) -> dict[str, Dataset]:
    """Return the sets that were given, by name."""
    if isinstance(train, Split):
        if valid is not None or test is not None:
            value = test if valid is None else valid
            cure = "leave it out, since the split has these sets"
            raise DataError(wrong_kind("valid", "None beside a Split", value, cure))
        return train.parts()
    train = as_dataset(train, settings.data, name="train")
    if train.parts is not None and valid is None and test is None:
        parts = {
            name: train.take([i for i, part in enumerate(train.parts) if part == name])
            for name in PARTS
        }
        # Rows that were dropped belong to the file, whose first set tells of them.
        parts["train"] = replace(parts["train"], skips=train.skips)
        return {name: part for name, part in parts.items() if part or name == "train"}
    given = {"train": train}
    for name, data in (("valid", valid), ("test", test)):
        if data is not None:
            given[name] = as_dataset(data, settings.data, name=name)
    return given
