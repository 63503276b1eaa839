"""Unlabelled texts: formats, duplicates, held-out texts, memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from emoclf.distillation.unlabelled import (
    BLOCK_LETTERS,
    NewTexts,
    _NumberSet,
    read_unlabelled,
)
from emoclf.errors import DataError
from emoclf.settings import DataSettings

SETTINGS = DataSettings()


def kept(new: NewTexts, texts: list[str]) -> list[str]:
    return [text for block in new.blocks(texts) for text in block]


def test_files_of_any_format(tmp_path: Path) -> None:
    lines = tmp_path / "more.txt.gz"
    lines.write_bytes(gzip.compress(b"one text\nanother, with a comma\n"))
    table = tmp_path / "reviews.csv"
    table.write_text("id,text\n1,a third\n2,\n", encoding="utf-8")
    objects = tmp_path / "posts.jsonl"
    objects.write_text(json.dumps({"body": "a fourth"}) + "\n", encoding="utf-8")
    expected = ["one text", "another, with a comma", "a third"]
    texts = list(read_unlabelled([lines, table], SETTINGS))
    assert [text for text in texts if text] == expected
    # Paths as str work too, where all of them are files.
    assert list(read_unlabelled([str(lines)], SETTINGS)) == expected[:2]
    assert list(read_unlabelled(str(lines), SETTINGS)) == expected[:2]
    # A named column is for files with columns.
    both = list(read_unlabelled([lines, objects], SETTINGS, "body"))
    assert both == [*expected[:2], "a fourth"]


def test_texts_in_memory() -> None:
    assert list(read_unlabelled(("a", "b"), SETTINGS)) == ["a", "b"]
    assert list(read_unlabelled(np.array(["a"]), SETTINGS)) == ["a"]
    assert list(read_unlabelled(["no such file.txt"], SETTINGS)) == ["no such file.txt"]


def test_nothing_to_read(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    with pytest.raises(DataError, match=r"empty.txt contains no text\. Name a file"):
        list(read_unlabelled(empty, SETTINGS))
    with pytest.raises(DataError, match=r"unlabelled contains no text"):
        list(read_unlabelled([], SETTINGS))
    with pytest.raises(DataError, match=r"missing\.txt"):
        list(read_unlabelled(tmp_path / "missing.txt", SETTINGS))


def test_duplicates_and_held_out_texts_are_left_out_and_counted() -> None:
    held_out = ["I was so happy when my sister came home from the war."]
    new = NewTexts(held_out, 0.8, ["It was dark."])
    texts = [
        "it  was DARK.",
        "A new one",
        "a new one",
        "I was so happy, when my sister came home from the war",
        held_out[0],
        "I was happy when my brother left home.",
        " ",
    ]
    assert kept(new, texts) == [texts[1], texts[5]]
    assert new.counts.to_dict() == {
        "read": 7,
        "empty": 1,
        "duplicates": 2,
        "held_out": 2,
        "unknown": 0,
        "unlike": 0,
        "kept": 2,
    }
    assert "2 of 7 unlabelled texts are used" in new.counts.line()
    new.counts.unlike = 1
    line = new.counts.line()
    assert "1 of 7 unlabelled texts are used" in line
    assert line.endswith("1 text less similar to the training texts.")
    exact = NewTexts(held_out, 1.0)
    assert kept(exact, texts[3:5]) == [texts[3]]


def test_texts_that_a_teacher_cannot_predict() -> None:
    new = NewTexts((), 0.8, covers=lambda texts: np.array(["x" in t for t in texts]))
    assert kept(new, ["ax", "b", "cx"]) == ["ax", "cx"]
    assert new.counts.unknown == 1


def test_seen_numbers_are_those_of_a_set() -> None:
    rng = np.random.default_rng(0)
    number_set, known = _NumberSet(), set()
    for _ in range(40):
        numbers = rng.integers(0, 2000, rng.integers(0, 200)).astype(np.uint64)
        expected = []
        for number in numbers.tolist():
            expected.append(number not in known)
            known.add(number)
        assert number_set.add(numbers).tolist() == expected
    assert len(number_set._arrays) < 12


@pytest.mark.slow
def test_texts_need_not_fit_into_memory() -> None:
    new = NewTexts(["held out"], 0.8)
    n_texts = 25_000
    # A hundred megabytes of text.
    texts = (f"{number} " + "x" * 4000 for number in range(n_texts))
    tracemalloc.start()
    try:
        count = sum(map(len, new.blocks(texts)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == n_texts
    # Two blocks of texts, and eight bytes for each text before.
    assert peak < 3 * BLOCK_LETTERS
