"""Vectors of texts that come from elsewhere: checked, and without their padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from emoclf.errors import DataError


def are_vectors(values: Any) -> bool:
    """Say whether values are the vectors of texts, and not texts."""
    is_list = isinstance(values, list | tuple) and len(values) > 0
    return getattr(values, "ndim", 0) == 3 or (
        is_list and isinstance(values[0], np.ndarray) and values[0].ndim == 2
    )


def checked_vectors(
    vectors: Any, mask: Any = None, *, source: str = "vectors"
) -> tuple[np.ndarray, ...]:
    """Return the vectors of each text without padding, float16 or float32.

    Parameters
    ----------
    vectors : ndarray of float, shape (n_texts, length, dim); or a sequence of ndarray
        Of a sequence, each array has the shape (length, dim).
    mask : ndarray of bool, shape (n_texts, length), optional
        False for padding; by default rows of zeros at the end of a text are padding,
        where all texts have one length.
    source : str
        Name in errors.

    Returns
    -------
    vectors : tuple of ndarray, each of shape (length, dim)

    Raises
    ------
    DataError
        If shapes do not fit each other, or a number is not finite.
    """
    try:
        samples = [np.asarray(sample) for sample in vectors]
    except (TypeError, ValueError) as error:
        raise DataError(f"{source} must be arrays of numbers: {error}.") from None
    if getattr(vectors, "ndim", 0) == 3 and mask is None:
        samples = [_without_padding(sample) for sample in samples]
    masks: Any = [slice(None)] * len(samples)
    if mask is not None:
        masks = np.asarray(mask)
        if masks.dtype.kind in "iu" and np.isin(masks, (0, 1)).all():
            masks = masks.astype(bool)
        expected = [sample.shape[:1] for sample in samples]
        if masks.dtype != bool or [row.shape for row in masks] != expected:
            raise DataError(
                f"{source}: the mask must contain a truth value for each vector, shape "
                f"(n_texts, length). Got {masks.dtype} of shape {masks.shape}."
            )
    width = samples[0].shape[-1:] if samples else ()
    rows = []
    for number, (sample, row_mask) in enumerate(zip(samples, masks, strict=True)):
        if sample.ndim != 2 or sample.shape[1:] != width or not width[0]:
            raise DataError(
                f"{source}, sample {number}: vectors must have the shape (length, "
                f"{width[0] if width else 'dim'}). Got {sample.shape}."
            )
        if sample.dtype.kind not in "fiu":
            raise DataError(
                f"{source}, sample {number}: vectors must be numbers. Got "
                f"{sample.dtype}."
            )
        row = sample[row_mask]
        if row.dtype != np.float16:
            row = row.astype(np.float32, copy=False)
        if not np.isfinite(row).all():
            raise DataError(
                f"{source}, sample {number}: a number is not finite (NaN or infinite). "
                "Mask it, or leave the sample out."
            )
        rows.append(row)
    return tuple(rows)


def _without_padding(sample: np.ndarray) -> np.ndarray:
    """Return a text's vectors without the rows of zeros at their end."""
    filled = np.flatnonzero(sample.any(-1))
    return sample[: filled[-1] + 1 if len(filled) else 0]
