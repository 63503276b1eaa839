"""Texts that a classifier was trained on, found among those that it is evaluated on."""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np

from emoclf.bundle.summary import TEXT_HASHES
from emoclf.bundle.text_hashes import find_hashed
from emoclf.datasets.dataset import Dataset
from emoclf.errors import BundleError

logger = logging.getLogger(__name__)

#: Locations that a warning names.
NAMED_LOCATIONS = 5


def training_overlap(classifier: Any, dataset: Dataset) -> np.ndarray | None:
    """Find the texts on which a classifier was trained.

    Parameters
    ----------
    classifier : Classifier or Teacher
    dataset : Dataset

    Returns
    -------
    seen : ndarray of bool, shape (n_texts,), or None
        None where it is not known: exports, and classifiers of older versions or of
        other tools, keep no hashes of the training texts.

    Raises
    ------
    BundleError
        If the hashes are damaged.
    """
    # The description of a bundle, or of a fine-tuned encoder.
    about = getattr(classifier, "bundle", getattr(classifier, "fine_tuning", None))
    if about is None or TEXT_HASHES not in about.metrics or not dataset.has_texts:
        return None
    try:
        return find_hashed(dataset.texts, about.metrics[TEXT_HASHES])
    except ValueError as error:
        raise BundleError(
            f"The hashes of this classifier's training texts are damaged: {error}. "
            "Restore its folder from a copy, or train it again."
        ) from None


def warn_of_overlap(
    overlap: np.ndarray | None, dataset: Dataset, name: str = "the classifier"
) -> tuple[str, ...]:
    """Warn of training texts in a dataset, and return the warning for a report.

    Parameters
    ----------
    seen : ndarray of bool, or None
        Result of :func:`training_overlap`.
    dataset : Dataset
    name : str
        Name of the classifier.

    Returns
    -------
    remarks : tuple of str
        Empty if there is nothing to warn of.
    """
    if overlap is None or not overlap.any():
        return ()
    locations = [dataset.place(i) for i in np.flatnonzero(overlap).tolist()]
    more = ", …" if len(locations) > NAMED_LOCATIONS else ""
    remark = (
        f"{len(locations):,} of {len(dataset):,} texts of "
        f"{os.path.basename(dataset.source)} are training texts of {name} "
        f"({', '.join(locations[:NAMED_LOCATIONS])}{more}): scores on them are too "
        "optimistic. Leave them out of the file."
    )
    logger.warning("%s", remark)
    return (remark,)
