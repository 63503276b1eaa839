"""Held-out texts of a student that are training texts of its teachers."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from emoclf.datasets.split import Split
from emoclf.distillation.teachers import Teacher
from emoclf.errors import setting
from emoclf.evaluation.training_overlap import training_overlap

logger = logging.getLogger(__name__)


def warn_of_teacher_overlap(teachers: Iterable[Teacher], split: Split) -> None:
    """Warn of validation and test texts on which teachers were trained.

    Of teachers without hashes of their training texts it is not known: files, exports,
    and classifiers of other tools or older versions.
    """
    for teacher in teachers:
        for name, part in split.parts().items():
            if name == "train":
                continue
            overlap = training_overlap(getattr(teacher, "classifier", teacher), part)
            if overlap is None or not overlap.any():
                continue
            logger.warning(
                "%d of %d %s texts are training texts of the teacher %s; the student's "
                "scores on them are too optimistic. Train the teacher on the same "
                "split (the same file, %s and %s), or give other texts with %s.",
                overlap.sum(),
                len(part),
                "validation" if name == "valid" else name,
                teacher.name,
                setting("seed"),
                setting("near_duplicates"),
                setting(name),
            )
