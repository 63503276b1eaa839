"""Check the labels, texts and word vectors that a network is going to be fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emoclf.datasets.audit_report import similar_names
from emoclf.datasets.cells import shorten
from emoclf.doctor.findings import Finding
from emoclf.embeddings.coverage import MIN_COVERAGE

UNKNOWN_TOKEN_SHARE = 0.2
UNKNOWN_TEXT_SHARE = 0.02
#: Above this share of texts without a known token the network is useless.
USELESS_TEXT_SHARE = 0.5
TRUNCATED_TEXT_SHARE = 0.05
#: Size of the largest class, as a multiple of the smallest one's.
IMBALANCE_FACTOR = 5.0
#: Soft targets that are checked at once.
BLOCK_TEXTS = 1 << 16
#: Largest error of the sum of a row of soft targets, which may have half precision.
MAX_SUM_ERROR = 0.02


def check_targets(targets: Any, *, n_classes: int, multilabel: bool) -> Finding | None:
    """Check whether a head can be trained on labels.

    Parameters
    ----------
    targets : array
        Class ids from 0 to ``n_classes - 1``, shape (n,); or, for a multilabel head, 0
        and 1, shape (n, n_classes).
    n_classes : int
        Columns of the head.
    multilabel : bool
        The head has one sigmoid for each label instead of one softmax.
    """
    targets = np.asarray(targets)
    if targets.dtype.kind not in "biuf":
        return wrong_targets(
            f"labels must be numbers, but these are of the type {targets.dtype}",
            {"dtype": str(targets.dtype)},
            "label names instead of class ids",
            "number the names: np.unique(labels, return_inverse=True)[1]",
        )
    expected = (
        f"0 and 1, shape (n, {n_classes})" if multilabel else "class ids, shape (n,)"
    )
    if targets.ndim != (2 if multilabel else 1):
        one_hot = targets.ndim == 2 and _is_binary(targets)
        one_hot = one_hot and bool((targets.sum(1) == 1).all())
        return wrong_targets(
            f"the labels have the shape {targets.shape}, but the head takes {expected}",
            {"shape": str(targets.shape)},
            "one-hot labels" if one_hot else "labels made for another loss",
            "targets.argmax(axis=1)" if one_hot and not multilabel else expected,
        )
    if not multilabel:
        return _wrong_class_ids(targets, n_classes, expected)
    if targets.shape[1] != n_classes:
        return wrong_targets(
            f"the labels have {targets.shape[1]} columns, and the head {n_classes}",
            {"columns": targets.shape[1], "head": n_classes},
            "another list of labels",
            expected,
        )
    if _is_binary(targets):
        return None
    return wrong_targets(
        f"labels must be 0 or 1, but the largest is {targets.max():g}",
        {"largest": float(targets.max())},
        "class ids instead of columns of 0 and 1",
        expected,
    )


def check_soft_targets(
    targets: Any, *, n_classes: int, multilabel: bool
) -> Finding | None:
    """Check whether a head can be trained on soft targets.

    Parameters
    ----------
    targets : array
        Probabilities, shape (n, n_classes); may be memory-mapped. Rows sum to 1, except
        for a multilabel head.
    n_classes : int
        Columns of the head.
    multilabel : bool
        The head has one sigmoid for each label instead of one softmax.
    """
    expected = f"probabilities, shape (n, {n_classes})"
    if targets.dtype.kind != "f" or targets.shape[1:] != (n_classes,):
        return wrong_targets(
            f"the soft targets have the shape {targets.shape} and the type "
            f"{targets.dtype}, but the head takes {expected}",
            {"shape": str(targets.shape), "dtype": str(targets.dtype)},
            "predictions about other labels",
            expected,
        )
    for start in range(0, len(targets), BLOCK_TEXTS):
        block = np.asarray(targets[start : start + BLOCK_TEXTS], np.float64)
        wrong = ~((block >= 0) & (block <= 1)).all(1)
        if not multilabel:
            wrong |= np.abs(block.sum(1) - 1) > MAX_SUM_ERROR
        if wrong.any():
            row = int(wrong.argmax())
            kind = "numbers from 0 to 1" if multilabel else "probabilities with sum 1"
            return wrong_targets(
                f"each row of soft targets must have {kind}, but row {start + row} is "
                f"{np.round(block[row], 3).tolist()}",
                {"row": start + row},
                "scores or logits instead of probabilities",
                expected,
            )
    return None


def _is_binary(targets: np.ndarray) -> bool:
    return bool(np.isin(targets, (0, 1)).all())


def _wrong_class_ids(
    targets: np.ndarray, n_classes: int, expected: str
) -> Finding | None:
    if not len(targets):
        return None
    if not np.array_equal(targets, np.round(targets)):
        return wrong_targets(
            "class ids must be whole numbers, but some of these labels are not",
            {"dtype": str(targets.dtype)},
            "probabilities, or the targets of a regression",
            expected,
        )
    low, high = int(targets.min()), int(targets.max())
    if low >= 0 and high < n_classes:
        return None
    shifted = low == 1 and high == n_classes
    return wrong_targets(
        f"labels run from {low} to {high}, but a head of {n_classes} classes takes 0 "
        f"to {n_classes - 1}",
        {"lowest": low, "highest": high, "n_classes": n_classes},
        "labels that are counted from 1" if shifted else "another list of labels",
        "labels - 1" if shifted else expected,
    )


def wrong_targets(
    message: str, evidence: dict[str, Any], cause: str, cure: str
) -> Finding:
    """Return the finding that a head cannot be trained on these labels."""
    return Finding("wrong-targets", "error", message, evidence, (cause,), (cure,))


def check_imbalance(
    counts: np.ndarray, label_names: Sequence[str] | None = None
) -> Finding | None:
    """Check whether one class has far more texts than another.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes,)
        Number of texts of each class; multilabel: of its texts with each label.
    label_names : sequence of str, optional
        Names of the classes; default: their ids.
    """
    if len(counts) < 2:
        return None
    least, most = int(counts.argmin()), int(counts.argmax())
    if counts[most] < IMBALANCE_FACTOR * counts[least] or not counts[most]:
        return None
    large: Any = most
    small: Any = least
    shown = f"class {most}", f"class {least}"
    if label_names is not None:
        large, small = label_names[most], label_names[least]
        shown = repr(large), repr(small)
    return Finding(
        "class-imbalance",
        "warning",
        f"{shown[0]} has {counts[most]:,} texts, and {shown[1]} {counts[least]:,}",
        {
            "largest": large,
            "smallest": small,
            "texts": float(counts[most]),
            "fewest_texts": float(counts[least]),
        },
        ("texts as they were collected, with a frequent and a rare class",),
        ("class_weight='balanced'", "more texts of the rare classes"),
    )


def check_label_names(label_names: Sequence[str]) -> Finding | None:
    """Check whether names of classes differ in case, space or punctuation alone."""
    groups = similar_names(label_names)
    if not groups:
        return None
    shown = shorten([" and ".join(map(repr, names)) for names in groups])
    return Finding(
        "similar-labels",
        "warning",
        f"labels that are spelt alike are classes of their own: {shown}",
        {"labels": [name for names in groups for name in names]},
        ("one label in two spellings",),
        ("use one spelling for both",),
    )


def check_texts(
    token_ids: Sequence[np.ndarray], *, unknown_id: int, part: str
) -> Finding | None:
    """Check for texts without tokens, or with tokens outside the vocabulary.

    Parameters
    ----------
    token_ids : sequence of ndarray of int, each of shape (length,)
    unknown_id : int
        Id of every token outside the vocabulary.
    part : str
        Name of the set that the texts are from, for the message.
    """
    lengths = np.fromiter(map(len, token_ids), np.int64, len(token_ids))
    total = int(lengths.sum())
    if not total:
        return Finding(
            "texts-without-words",
            "error",
            f"no text of the {part} set has any token",
            {"texts": len(token_ids)},
            ("the wrong column", "a tokenizer for another script"),
            ("another column of texts", "another tokenizer"),
        )
    unknown = np.fromiter(
        ((ids == unknown_id).sum() for ids in token_ids), np.int64, len(token_ids)
    )
    token_share = float(unknown.sum() / total)
    text_share = float(((unknown == lengths) & (lengths > 0)).mean())
    if token_share < UNKNOWN_TOKEN_SHARE and text_share < UNKNOWN_TEXT_SHARE:
        return None
    return Finding(
        "texts-unknown",
        "error" if text_share > USELESS_TEXT_SHARE else "warning",
        f"{token_share:.0%} of the tokens of the {part} set are not in the vocabulary; "
        f"{text_share:.0%} of its texts have no token in it",
        {"words": token_share, "texts": text_share},
        (
            "texts of another kind or language than those of the training set",
            "a vocabulary that leaves out many tokens",
        ),
        (
            "min_count=1",
            "a vocabulary of unlimited size",
            "word vectors, whose words join the vocabulary",
        ),
    )


def check_cut(cut: int, texts: int, *, max_length: int) -> Finding | None:
    """Check whether many training texts were truncated.

    Parameters
    ----------
    cut, texts : int
        Number of truncated texts and of all texts.
    max_length : int
        Tokens that are kept of a text.
    """
    share = cut / max(texts, 1)
    if share < TRUNCATED_TEXT_SHARE:
        return None
    return Finding(
        "texts-cut",
        "warning",
        f"{share:.0%} of the training texts were truncated after {max_length} tokens",
        {"share": share, "max_length": max_length},
        ("a limit on the length that is low for these texts",),
        (f"max_length={2 * max_length}", "length_percentile=99"),
    )


def check_coverage(tokens_covered: float, *, missing: Sequence[str]) -> Finding | None:
    """Check whether too few tokens have a word vector.

    Parameters
    ----------
    tokens_covered : float
        Share of the training set's running tokens that have a vector.
    missing : sequence of str
        The most frequent tokens without one.
    """
    if tokens_covered >= MIN_COVERAGE:
        return None
    return Finding(
        "low-coverage",
        "warning",
        f"only {tokens_covered:.0%} of the tokens of the training set have a vector; "
        f"the most frequent without one: {', '.join(missing[:5])}",
        {"covered": tokens_covered},
        (
            "vectors of another language or field",
            "vectors that were made with another tokenizer",
        ),
        ("other vectors", "emoclf vectors train on texts of this kind"),
    )
