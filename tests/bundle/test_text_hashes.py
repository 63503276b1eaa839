"""Hashes of training texts: what they find, what they tell, and damaged ones."""

from __future__ import annotations

import base64
import json

import pytest

from emoclf.bundle.text_hashes import HASH_BYTES, find_hashed, hash_texts

TEXTS = ["So sad.", "What a day!", "ÉTÉ", "\ud800 half", "", "  "]


def test_texts_are_found_whatever_their_case_and_white_space() -> None:
    stored = json.loads(json.dumps(hash_texts(TEXTS)))
    others = ["so  SAD.\n", "été", "\ud800 half", "So sad", "What a day", "", " "]
    assert find_hashed(others, stored).tolist() == [True] * 3 + [False] * 4
    assert find_hashed([], stored).tolist() == []


def test_hashes_are_short_and_do_not_tell_the_order() -> None:
    stored = hash_texts(TEXTS)
    assert len(base64.b64decode(stored["base64"])) == 4 * HASH_BYTES
    assert hash_texts(TEXTS[::-1] + TEXTS) == stored


@pytest.mark.parametrize(
    "stored",
    [
        {},
        [],
        {"bytes": 8, "base64": ""},
        {"bytes": HASH_BYTES, "base64": "AAA*"},
        {"bytes": HASH_BYTES, "base64": "AAAA"},
        {"bytes": HASH_BYTES, "base64": 5},
    ],
)
def test_other_values_are_refused(stored: object) -> None:
    with pytest.raises(ValueError, match="train_text_hashes"):
        find_hashed(["a text"], stored)
