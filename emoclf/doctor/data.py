"""Judgements about what a network is about to be fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import MIN_COVERAGE

UNKNOWN = 0.2
UNKNOWN_TEXTS = 0.02
CUT = 0.05


def check_targets(targets: Any, *, n_classes: int, multilabel: bool) -> Finding | None:
    """Say if labels are not what the head takes.

    Parameters
    ----------
    targets : array
        Class ids from 0 to ``n_classes - 1``, shape (n,); or, for several labels per
        text, 0 and 1, shape (n, n_classes).
    n_classes : int
        Columns of the head.
    multilabel : bool
        One sigmoid per label; else one softmax.
    """
    targets = np.asarray(targets)
    if targets.dtype.kind not in "biuf":
        return _wrong_targets(
            f"labels must be numbers; these are of the kind {targets.dtype}",
            {"dtype": str(targets.dtype)},
            "label names in place of class ids",
            "number the names: np.unique(labels, return_inverse=True)[1]",
        )
    wanted = (
        f"0 and 1, shape (n, {n_classes})" if multilabel else "class ids, shape (n,)"
    )
    if targets.ndim != (2 if multilabel else 1):
        one_hot = (
            targets.ndim == 2
            and bool(np.isin(targets, (0, 1)).all())
            and bool((targets.sum(1) == 1).all())
        )
        cure = "targets.argmax(axis=1)" if one_hot and not multilabel else wanted
        return _wrong_targets(
            f"the labels have the shape {targets.shape}, and the head takes {wanted}",
            {"shape": str(targets.shape)},
            "one-hot labels" if one_hot else "labels made for another loss",
            cure,
        )
    if multilabel:
        if targets.shape[1] != n_classes:
            return _wrong_targets(
                f"the labels have {targets.shape[1]} columns, and the head {n_classes}",
                {"columns": targets.shape[1], "head": n_classes},
                "another list of labels",
                wanted,
            )
        if not np.isin(targets, (0, 1)).all():
            return _wrong_targets(
                f"labels must be 0 or 1; the largest is {targets.max():g}",
                {"largest": float(targets.max())},
                "class ids in place of columns",
                wanted,
            )
        return None
    if not len(targets):
        return None
    if not np.array_equal(targets, np.round(targets)):
        return _wrong_targets(
            "class ids must be whole numbers, and not all of these labels are",
            {"dtype": str(targets.dtype)},
            "probabilities, or the targets of a regression",
            wanted,
        )
    low, high = int(targets.min()), int(targets.max())
    if low >= 0 and high < n_classes:
        return None
    shifted = low == 1 and high == n_classes
    return _wrong_targets(
        f"labels run from {low} to {high}, and a head of {n_classes} classes takes 0 "
        f"to {n_classes - 1}",
        {"lowest": low, "highest": high, "n_classes": n_classes},
        "labels that are counted from 1" if shifted else "another list of labels",
        "labels - 1" if shifted else wanted,
    )


def _wrong_targets(
    message: str, evidence: dict[str, Any], cause: str, cure: str
) -> Finding:
    return Finding("wrong-targets", "error", message, evidence, (cause,), (cure,))


def check_texts(
    token_ids: Sequence[np.ndarray], *, unknown_id: int, part: str
) -> Finding | None:
    """Say if the vocabulary does not know what stands in the texts.

    Parameters
    ----------
    token_ids : sequence of ndarray of int, each of shape (length,)
    unknown_id : int
        The id of every word outside the vocabulary.
    part : str
        Which texts.
    """
    lengths = np.fromiter(map(len, token_ids), np.int64, len(token_ids))
    total = int(lengths.sum())
    if not total:
        return Finding(
            "texts-without-words",
            "error",
            f"no text of the {part} part has a word",
            {"texts": len(token_ids)},
            ("the wrong column", "a tokenizer for another script"),
            ("text_column", "tokenizer"),
        )
    unknown = np.fromiter(
        ((ids == unknown_id).sum() for ids in token_ids), np.int64, len(token_ids)
    )
    share = float(unknown.sum() / total)
    lost = float(((unknown == lengths) & (lengths > 0)).mean())
    if share < UNKNOWN and lost < UNKNOWN_TEXTS:
        return None
    return Finding(
        "texts-unknown",
        "error" if lost > 0.5 else "warning",
        f"{share:.0%} of the words of the {part} part are not in the vocabulary; of "
        f"{lost:.0%} of its texts no word is",
        {"words": share, "texts": lost},
        (
            "texts of another kind or language than those of the training part",
            "a vocabulary cut short (min_count, max_size)",
        ),
        ("min_count=1", "no max_size", "vectors=FILE, whose words join the vocabulary"),
    )


def check_cut(cut: int, texts: int, *, max_length: int) -> Finding | None:
    """Say if many texts of the training part were cut short."""
    share = cut / max(texts, 1)
    if share < CUT:
        return None
    return Finding(
        "texts-cut",
        "warning",
        f"{share:.0%} of the training texts were cut after {max_length} tokens",
        {"share": share, "max_length": max_length},
        ("a max_length that is short for these texts",),
        (f"max_length={2 * max_length}", "length_percentile=99"),
    )


def check_coverage(tokens_covered: float, *, missing: Sequence[str]) -> Finding | None:
    """Say if word vectors know too few of the running words.

    Parameters
    ----------
    tokens_covered : float
        Share of the training part's running words that have a vector.
    missing : sequence of str
        The commonest words without one.
    """
    if tokens_covered >= MIN_COVERAGE:
        return None
    return Finding(
        "low-coverage",
        "warning",
        f"only {tokens_covered:.0%} of the running words have a vector; the commonest "
        f"without one: {', '.join(missing[:5])}",
        {"covered": tokens_covered},
        (
            "vectors of another language or field",
            "vectors that were made with another tokenizer",
        ),
        ("other vectors", "emoclf vectors train on texts of this kind"),
    )
