"""Settings of the distillation of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

from emoclf.settings.base import Settings, option

STAGES, JOINT = "stages", "joint"


@dataclass(frozen=True, kw_only=True)
class DistillationSettings(Settings):
    """Distillation of a classifier, the student, from teachers.

    The student is first trained on the teachers' probabilities for unlabelled and
    training texts (Hinton et al., 2015), then on the training texts again, with targets
    that are a mixture of the true labels and the teachers' probabilities (Tang et al.,
    2019; Ye et al., 2022). ``tests/benchmarks/README.md`` has the measurements behind
    the defaults.
    """

    order: str = option(
        STAGES,
        "stages: the teachers' probabilities first, then the training texts; joint: "
        "both together, for as many epochs as the first stage",
        choices=(STAGES, JOINT),
    )
    temperature: float = option(
        1.0,
        "temperature of the teachers' probabilities; above 1: flatter, below 1: "
        "sharper",
        above=0.0,
        high=100.0,
    )
    true_share: float = option(
        0.5,
        "share of the true labels in the targets of the training texts; the rest are "
        "the teachers' probabilities",
        low=0.0,
        high=1.0,
    )
    last_epochs: int = option(
        10,
        "maximum number of epochs of the second stage; 0: the first stage alone",
        low=0,
    )
    last_rate: float = option(
        0.5,
        "learning rate of the second stage, relative to that of the first",
        above=0.0,
        high=10.0,
    )
    label_weight: float = option(
        5.0,
        "weight of a training text if order is joint; an unlabelled text has weight 1",
        above=0.0,
        high=1000.0,
    )
    unlabelled_column: str | None = option(
        None, "column with the texts in unlabelled files (default: found by its name)"
    )
    max_unlabelled: int | None = option(
        None,
        "maximum number of unlabelled texts; if there are more, those most similar to "
        "the training texts are used (default: all are used)",
        low=1,
    )
    unlabelled_words: int = option(
        30_000,
        "maximum number of words in the vocabulary that only unlabelled texts contain",
        low=0,
    )
    unlabelled_min_count: int = option(
        2, "minimum count of a word that only unlabelled texts contain", low=1
    )
    variants: int = option(
        10,
        "number of texts made from each training text if no unlabelled texts are given",
        low=1,
        high=1000,
    )
