"""Judge a trained classifier, and the floors beside it, on every part there is."""

from __future__ import annotations

import numpy as np

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.evaluation.floors import TFIDF_SVM, fit_floors
from emoclf.evaluation.metrics import Evaluation, evaluate
from emoclf.evaluation.report import Comparison, EvaluationReport, compare
from emoclf.pipeline import Trained
from emoclf.predictor import Predictor
from emoclf.settings import RunSettings

SMALL = 2000
UNBALANCED = 3.0


def judge(trained: Trained, split: Split) -> EvaluationReport:
    """Judge a network and its floors; the floors are fitted on the same texts.

    Parameters
    ----------
    trained : Trained
    split : Split
        The parts it was trained on; the last one there is decides.

    Returns
    -------
    report : EvaluationReport
    """
    predictor = trained.predictor
    tokenizer = predictor.bundle.encoder.tokenizer
    floors = fit_floors(tokenizer.batch(split.train.texts), split.train.label_ids)
    parts = {"valid": split.valid}
    if split.test is not None and len(split.test):
        parts["test"] = split.test
    evaluations: list[Evaluation] = []
    comparison = Comparison(0.0, 0.0, 0.0)
    for part, dataset in parts.items():
        ours = judge_part(predictor, dataset, part=part, chose_epoch=part == "valid")
        token_lists = tokenizer.batch(dataset.texts)
        theirs = [
            evaluate(
                floor.predict(token_lists),
                dataset.label_ids,
                dataset.label_names,
                name=floor.name,
                part=part,
                chose_epoch=part == "valid",
            )
            for floor in floors
        ]
        evaluations += [ours, *theirs]
        strongest = next(found for found in theirs if found.name == TFIDF_SVM)
        comparison = compare(ours, strongest, _truth(dataset))
    return EvaluationReport(
        tuple(evaluations), comparison, advice(trained.bundle.settings, split.train)
    )


def judge_part(
    predictor: Predictor, dataset: Dataset, *, part: str, chose_epoch: bool = False
) -> Evaluation:
    """Judge a classifier on labelled texts.

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
    probabilities = predictor.predict_proba(dataset.texts)
    if dataset.several:
        predicted = (probabilities >= predictor.threshold).astype(np.int64)
    else:
        predicted = probabilities.argmax(1)
    return evaluate(
        predicted,
        dataset.label_ids,
        dataset.label_names,
        name=predictor.bundle.settings.architecture,
        part=part,
        chose_epoch=chose_epoch,
        probabilities=probabilities,
    )


def advice(settings: RunSettings, train: Dataset) -> tuple[str, ...]:
    """Say what is worth trying, in order, when a floor is not beaten."""
    found = []
    if not settings.embedding.vectors:
        found.append(
            "pre-trained word vectors (vectors=FILE): on small sets they are worth "
            "more than any other setting."
        )
    if len(train) < SMALL:
        found.append(
            f"more labelled texts: {len(train)} are few for a network; the floor may "
            "be the better classifier here."
        )
    counts = [count for count in train.counts().values() if count]
    if max(counts) > UNBALANCED * min(counts) and not settings.training.class_weight:
        found.append(
            f"class_weight='balanced': the largest class is "
            f"{max(counts) / min(counts):.1f} times the smallest."
        )
    found.append("a search: emoclf tune DATA -o FOLDER --trials 20.")
    return tuple(found)


def _truth(dataset: Dataset) -> np.ndarray:
    truth = dataset.label_ids
    return truth.astype(np.int64) if truth.ndim == 2 else truth
