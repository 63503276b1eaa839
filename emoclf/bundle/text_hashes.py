"""Hashes of training texts, so that a bundle can tell which texts it has seen.

A hash has 40 bits, or 5 bytes: with a million training texts, one new text in a million
is taken for one of them by chance. No text can be read from its hash, but whoever has a
text can check whether it was among them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from emoclf.bundle.json_values import JsonObject
from emoclf.bundle.summary import TEXT_HASHES
from emoclf.datasets.duplicates import normalise

#: Length of a hash.
HASH_BYTES = 5


def hash_texts(texts: Iterable[str]) -> dict[str, Any]:
    """Return the hashes of texts as plain values for JSON.

    Case and white space make no difference, as in the search for duplicates. Empty
    texts have no hash.

    Examples
    --------
    >>> hash_texts(["So sad.", "so  sad.", ""])
    {'bytes': 5, 'base64': 'eTf1A5w='}
    """
    hashes = {_hash(text) for text in map(normalise, texts) if text}
    # In their own order, the texts' order is not told.
    encoded = base64.b64encode(b"".join(sorted(hashes))).decode("ascii")
    return {"bytes": HASH_BYTES, "base64": encoded}


def find_hashed(texts: Iterable[str], stored: Any) -> np.ndarray:
    """Return whether the hash of each text is stored, bool of shape (n_texts,).

    Parameters
    ----------
    texts : iterable of str
    stored : dict
        Result of :func:`hash_texts`, from anybody.

    Raises
    ------
    ValueError
        If it is something else.
    """
    values = JsonObject(stored, TEXT_HASHES)
    values.whole("bytes", HASH_BYTES, HASH_BYTES)
    try:
        content = base64.b64decode(values.text("base64"), validate=True)
    except ValueError as error:
        raise ValueError(f"{TEXT_HASHES}.base64 cannot be decoded: {error}") from None
    if len(content) % HASH_BYTES:
        raise ValueError(f"{TEXT_HASHES}.base64 must be hashes of {HASH_BYTES} bytes")
    stored_hashes = {
        content[offset : offset + HASH_BYTES]
        for offset in range(0, len(content), HASH_BYTES)
    }
    return np.array(
        [_hash(text) in stored_hashes for text in map(normalise, texts)], bool
    )


def _hash(text: str) -> bytes:
    # Half of a surrogate pair has no encoding of its own.
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()
