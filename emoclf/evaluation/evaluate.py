"""Evaluate a trained classifier, with baselines, on the validation and test set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emoclf._moved import warn_renamed
from emoclf.classifier import Classifier
from emoclf.contextual.transformer_classifier import TransformerClassifier
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.datasets.trainable import as_dataset
from emoclf.errors import DataError, setting
from emoclf.evaluation.advice import advice
from emoclf.evaluation.baselines import baseline_inputs, fit_baselines
from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import Evaluation, evaluate, evaluate_probabilities
from emoclf.evaluation.paired_comparison import Comparison, compare
from emoclf.evaluation.training_overlap import training_overlap, warn_of_overlap
from emoclf.predictor import as_predictor
from emoclf.settings import DataSettings
from emoclf.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd


def evaluate_classifier(
    predictor: Any,
    split: Split | Dataset | pd.DataFrame,
    *,
    train: Dataset | pd.DataFrame | None = None,
) -> EvaluationReport:
    """Evaluate a classifier and baselines that are fitted on the same training set.

    Parameters
    ----------
    predictor : Predictor, TrainedClassifier, EmotionClassifier or SearchResult
        Classifier, just trained, loaded from a bundle, or the best of a search; a
        :class:`~emoclf.TransformerClassifier`; an exported one too, except with a
        split.
    split : Split, Dataset or DataFrame
        Split that it was trained on. The test set decides; without one, the
        validation set does. A Dataset or a DataFrame is evaluated as a whole; a warning
        tells of texts that the classifier was trained on.
    train : Dataset or DataFrame, optional
        Training set of the classifier, on which the baselines are fitted that a Dataset
        or a DataFrame is evaluated with; without it, there are none. A Split has its
        own.

    Returns
    -------
    report : EvaluationReport

    Examples
    --------
    >>> report = evaluate_classifier(trained.predictor, split)  # doctest: +SKIP
    >>> print("\\n".join(report.lines()))  # doctest: +SKIP
    """
    is_split = isinstance(split, Split)
    # The epoch of a fine-tuned encoder was chosen on a part of the training texts.
    is_network = not isinstance(predictor, TransformerClassifier)
    if is_network and (is_split or not isinstance(predictor, Classifier)):
        predictor = as_predictor(predictor)
    remarks: tuple[str, ...] = ()
    if isinstance(split, Split):
        parts = {
            name: _labelled(predictor, part, name)
            for name, part in split.parts().items()
        }
        train = parts.pop("train")
    else:
        texts = _labelled(predictor, split, "split")
        remarks = warn_of_overlap(training_overlap(predictor, texts), texts)
        parts = {texts.source: texts}
        if train is not None:
            train = _labelled(predictor, train, "train")
    bundle = getattr(predictor, "bundle", None)
    # The baselines get the tokens of the network; an encoder's are pieces of words.
    tokenizer = bundle.encoder.tokenizer if bundle else Tokenizer()
    baselines = {}
    if train is not None:
        baselines = fit_baselines(baseline_inputs(train, tokenizer), train.label_ids)
    evaluations: list[Evaluation] = []
    comparisons: list[Comparison] = []
    for part, dataset in parts.items():
        chose_epoch = is_split and is_network and part == "valid"
        network = evaluate_part(predictor, dataset, part=part, chose_epoch=chose_epoch)
        inputs = baseline_inputs(dataset, tokenizer) if baselines else ()
        rivals = [
            evaluate(
                predict(inputs),
                dataset.label_ids,
                dataset.label_names,
                name=name,
                part=part,
                chose_epoch=chose_epoch,
            )
            for name, predict in baselines.items()
        ]
        evaluations += [network, *rivals]
        # Only the comparisons on the last dataset count.
        comparisons = [
            comparison
            for rival in rivals
            for comparison in compare(network, rival, dataset.label_ids)
        ]
    proposals: tuple[str, ...] = ()
    if bundle and train is not None:
        proposals = advice(bundle.settings, train, bundle.metrics)
    return EvaluationReport(
        tuple(evaluations), tuple(comparisons), proposals, remarks=remarks
    )


def _labelled(predictor: Classifier, data: Any, name: str) -> Dataset:
    """Return labelled texts with the classes of the predictor, in its order."""
    settings = DataSettings.from_dict(predictor.data_settings)
    settings = replace(settings, split_column=None, skip_bad_rows=False)
    dataset = as_dataset(data, settings, name=name, label_names=predictor.label_names)
    _check_kind(predictor, dataset)
    return dataset


def _check_kind(predictor: Classifier, dataset: Dataset) -> None:
    """Check that labels are of the kind that the classifier predicts."""
    if dataset.multilabel != predictor.multilabel:
        kinds = ("one label for each text", "several labels for each text")
        cure = "Give texts with one label each."
        if predictor.multilabel:
            cure = (
                f"With {setting('label_separator', ',')} one label for each text is "
                f"read too; with {setting('label_columns')}, a column for each label."
            )
        raise DataError(
            f"{dataset.source} has {kinds[dataset.multilabel]}, and the classifier "
            f"predicts {kinds[predictor.multilabel]}. {cure}"
        )


def judge(trained: Any, split: Split) -> EvaluationReport:
    """Evaluate the result of :func:`emoclf.train_classifier`; the name used in 0.1."""
    warn_renamed("emoclf.judge", "emoclf.evaluate_classifier(trained.predictor, split)")
    return evaluate_classifier(trained, split)


def evaluate_part(
    predictor: Classifier, dataset: Dataset, *, part: str, chose_epoch: bool = False
) -> Evaluation:
    """Evaluate a classifier on labelled texts.

    Parameters
    ----------
    predictor : Predictor or exported classifier
    dataset : Dataset
        Texts, read with the predictor's label names.
    part : str
        Name of the texts.
    chose_epoch : bool, default=False
        Whether the same texts chose the epoch.

    Raises
    ------
    DataError
        If the texts are multilabel and the classifier is not, or the reverse.
    """
    _check_kind(predictor, dataset)
    return evaluate_probabilities(
        predictor.predict_dataset(dataset),
        dataset.label_ids,
        dataset.label_names,
        name=predictor.architecture,
        part=part,
        chose_epoch=chose_epoch,
        thresholds=predictor.thresholds,
        texts=dataset.texts,
    )
