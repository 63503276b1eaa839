"""A teacher's probabilities for training texts, from its cross-validation."""

from __future__ import annotations

import os

import numpy as np

from emoclf.datasets.split import PART_NAMES, Split
from emoclf.distillation.file_teacher import read_label_file
from emoclf.errors import DataError
from emoclf.settings import DataSettings


def read_out_of_fold(
    path: str | os.PathLike[str], split: Split, settings: DataSettings
) -> np.ndarray:
    """Read the probabilities of all training texts.

    Parameters
    ----------
    path : path
        File in the form of :class:`~emoclf.distillation.label_file.LabelFile`.
    split : Split
    settings : DataSettings
        Settings of the labelled data.

    Returns
    -------
    probabilities : ndarray of float32, shape (n_train, n_classes)

    Raises
    ------
    DataError
        If a training text is missing, if the file has labels instead of probabilities,
        or if it has validation or test texts: the networks that predicted the training
        texts were trained on those.
    """
    file = read_label_file(path, split.train, settings)
    if file.hard:
        raise DataError(
            f"{file.name} has labels, and no probabilities. Write it with 'emoclf "
            "crossval --out-of-fold FILE'."
        )
    train = {*split.train.texts}
    for name, part in split.parts().items():
        held_texts = [text for text in part.texts if text not in train]
        if name != "train" and (n_held := int(file.covers(held_texts).sum())):
            raise DataError(
                f"{file.name} contains {n_held:,} of the {PART_NAMES[name]} texts: "
                "networks that were trained on these predicted the training texts. "
                "Cross-validate the training set alone: split the data into files, and "
                "pass the training file to 'emoclf crossval'."
            )
    return file.predict_proba(split.train.texts)
