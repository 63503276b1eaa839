"""Evaluate a trained classifier, with baselines, on the validation and test set."""

from __future__ import annotations

from typing import Any

from emoclf._moved import warn_renamed
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.evaluation.baselines import fit_baselines
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import Evaluation, evaluate, evaluate_probabilities
from emoclf.evaluation.paired_comparison import Comparison, compare
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings

SMALL = 2000
UNBALANCED = 3.0
#: Of use where an audit was printed.
AUDIT = (
    "reading what the audit of the data says: texts that stand under two labels, and "
    "near-duplicates, hold every classifier down."
)
#: The last advice; of no use to who has searched.
SEARCH = "a search: emoclf tune DATA --trials 20."


def evaluate_classifier(predictor: Predictor, split: Split) -> EvaluationReport:
    """Evaluate a classifier and baselines that are fitted on the same training set.

    Parameters
    ----------
    predictor : Predictor
        Just trained, loaded from a bundle, or the best of a search.
    split : Split
        The one it was trained on. The test set decides; without one, the validation
        set does.

    Returns
    -------
    report : EvaluationReport

    Examples
    --------
    >>> report = evaluate_classifier(trained.predictor, split)  # doctest: +SKIP
    >>> print("\\n".join(report.lines()))  # doctest: +SKIP
    """
    tokenizer = predictor.bundle.encoder.tokenizer
    baselines = fit_baselines(tokenizer.batch(split.train.texts), split.train.label_ids)
    parts = {"valid": split.valid}
    if split.test is not None and len(split.test):
        parts["test"] = split.test
    evaluations: list[Evaluation] = []
    comparisons: list[Comparison] = []
    for part, dataset in parts.items():
        ours = evaluate_part(predictor, dataset, part=part, chose_epoch=part == "valid")
        token_lists = tokenizer.batch(dataset.texts)
        theirs = [
            evaluate(
                baseline.predict(token_lists),
                dataset.label_ids,
                dataset.label_names,
                name=baseline.name,
                part=part,
                chose_epoch=part == "valid",
            )
            for baseline in baselines
        ]
        evaluations += [ours, *theirs]
        # The last part decides.
        comparisons = [
            found
            for baseline in theirs
            for found in compare(ours, baseline, dataset.label_ids)
        ]
    return EvaluationReport(
        tuple(evaluations),
        tuple(comparisons),
        advice(predictor.bundle.settings, split.train),
    )


def judge(trained: Any, split: Split) -> EvaluationReport:
    """Evaluate what :func:`emoclf.train_classifier` returned; the name used in 0.1."""
    warn_renamed("emoclf.judge", "emoclf.evaluate_classifier(trained.predictor, split)")
    return evaluate_classifier(trained.predictor, split)


def evaluate_part(
    predictor: Predictor, dataset: Dataset, *, part: str, chose_epoch: bool = False
) -> Evaluation:
    """Evaluate a classifier on labelled texts.

    Parameters
    ----------
    predictor : Predictor
    dataset : Dataset
        Read with the predictor's label names.
    part : str
        What the texts are called.
    chose_epoch : bool, default=False
        The same texts chose the epoch.
    """
    return evaluate_probabilities(
        predictor.predict_proba(dataset.texts),
        dataset.label_ids,
        dataset.label_names,
        name=predictor.bundle.settings.architecture,
        part=part,
        chose_epoch=chose_epoch,
        thresholds=predictor.thresholds,
    )


def advice(settings: RunSettings, train: Dataset) -> tuple[str, ...]:
    """Say what is worth trying, in order, when a floor is not beaten."""
    found = []
    if not settings.embedding.vectors:
        found.append(
            "pre-trained word vectors (the setting vectors): on small sets they are "
            "worth more than any other setting."
        )
    if len(train) < SMALL:
        found.append(
            f"more labelled texts: {len(train)} are few for a network; the floor may "
            "be the better classifier here."
        )
    counts = sorted(filter(None, train.counts().values())) or [1]
    times = counts[-1] / counts[0]
    if times > UNBALANCED and not settings.training.class_weight:
        found.append(
            "balanced class weights (the setting class_weight): the largest class is "
            f"{times:.1f} times the smallest."
        )
    return (*found, AUDIT, SEARCH)
