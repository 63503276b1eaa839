"""Advice for a network that is not better than a baseline, each with its evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from emoclf.datasets.dataset import Dataset
from emoclf.embeddings.coverage import MIN_COVERAGE
from emoclf.settings import RunSettings

#: Training sets with fewer texts are small for a network.
FEW_TEXTS = 2000
#: Ratio of the largest class to the smallest, above which class weights are advised.
MAX_IMBALANCE = 3.0
#: Advice for runs that are not part of a search.
SEARCH_ADVICE = "a search: emoclf tune DATA --trials 20."


def advice(
    settings: RunSettings, train: Dataset, metrics: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return proposals for which the training gives a reason, the best first.

    Parameters
    ----------
    settings : RunSettings
    train : Dataset
        Training set.
    metrics : mapping
        Metrics of the bundle: ``best_epoch``, ``ended``, ``coverage``.
    """
    has_vectors = train.vectors is not None
    lines = [
        *_of_vectors(settings, metrics.get("coverage"), has_vectors=has_vectors),
        *_of_texts(settings, train),
    ]
    epochs = settings.training.epochs
    if metrics.get("best_epoch") == epochs and metrics.get("ended") == "all epochs":
        lines.append(
            f"more epochs (the setting epochs): the last of {epochs} was the best."
        )
    # A search takes no vectors from elsewhere.
    return (*lines, *(() if has_vectors else (SEARCH_ADVICE,)))


def _of_vectors(
    settings: RunSettings, coverage: Mapping[str, Any] | None, *, has_vectors: bool
) -> list[str]:
    if settings.embedding.encoder is not None or has_vectors:
        return []
    if not settings.embedding.vector_paths:
        return [
            "pre-trained word vectors (the setting vectors): on small training sets "
            "they gain more than any other setting."
        ]
    share = (coverage or {}).get("share_of_running", 1.0)
    if share < MIN_COVERAGE:
        return [
            f"word vectors of this language and domain: those in use cover {share:.0%} "
            "of the tokens."
        ]
    return []


def _of_texts(settings: RunSettings, train: Dataset) -> list[str]:
    lines = []
    labels = defaultdict(set)
    for text, label in zip(train.texts, train.labels, strict=True):
        labels[text].add(label)
    if disputed := sum(len(names) > 1 for names in labels.values()):
        lines.append(
            f"correcting the labels: {disputed} training texts occur with more than "
            "one, which limits every classifier."
        )
    if len(train) < FEW_TEXTS:
        lines.append(f"more labelled texts: {len(train)} are few for a network.")
    counts = sorted(filter(None, train.counts().values())) or [1]
    imbalance = counts[-1] / counts[0]
    if imbalance > MAX_IMBALANCE and not settings.training.class_weight:
        lines.append(
            "balanced class weights (the setting class_weight): the largest class is "
            f"{imbalance:.1f} times the smallest."
        )
    return lines
