"""word2vec on the user's own texts: the same vectors in every process."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoclf.embeddings.word2vec import TextFiles, train_word2vec
from emoclf.embeddings.word2vec_settings import Word2VecSettings
from emoclf.embeddings.word_vectors import read_vectors, save_vectors
from emoclf.errors import DataError, SettingsError

TEXTS = [
    ["the", "cat", "drinks", "milk"],
    ["the", "dog", "drinks", "water"],
    ["a", "cat", "and", "a", "dog"],
] * 30
SMALL = {"dim": 6, "epochs": 3, "window": 2}


@pytest.mark.parametrize("algorithm", ["skip-gram", "cbow"])
def test_training_and_reload(tmp_path: Path, algorithm: str) -> None:
    seen: list[tuple[int, int]] = []
    settings = Word2VecSettings(algorithm=algorithm, **SMALL)
    vectors = train_word2vec(TEXTS, settings, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert vectors.dim == 6
    assert set(vectors.words) == {word for text in TEXTS for word in text}
    read = read_vectors(save_vectors(vectors, tmp_path / "v.bin"))
    assert read.words == vectors.words
    np.testing.assert_array_equal(read.matrix, vectors.matrix)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_word2vec import SMALL, TEXTS
from emoclf.embeddings.word2vec_settings import Word2VecSettings
from emoclf.embeddings.word2vec import train_word2vec
print(train_word2vec(TEXTS, Word2VecSettings(**SMALL)).matrix.tobytes().hex())
"""


@pytest.mark.slow
def test_equal_seeds_give_equal_vectors_in_every_process() -> None:
    salt = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        env={**os.environ, "PYTHONHASHSEED": salt},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here, other = (
        train_word2vec(TEXTS, Word2VecSettings(seed=seed, **SMALL)) for seed in (0, 1)
    )
    assert here.matrix.tobytes().hex() == found.strip()
    assert other.matrix.tobytes().hex() != found.strip()


def test_rare_words_are_left_out() -> None:
    vectors = train_word2vec(
        [*TEXTS, ["unicorn"]], Word2VecSettings(min_count=2, **SMALL)
    )
    assert "unicorn" not in vectors.words


@pytest.mark.parametrize("texts", [[], [["once"]], [[]]])
def test_too_few_words_are_said(texts: list) -> None:
    with pytest.raises(DataError, match=r"lower min_count"):
        train_word2vec(texts, Word2VecSettings(**SMALL))


def test_settings_are_checked() -> None:
    with pytest.raises(SettingsError, match=r"did you mean 'skip-gram'"):
        Word2VecSettings(algorithm="skipgram")


def test_text_files_are_streamed_as_often_as_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The cat!\n\ndidn't\n")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress("我 好\n".encode()))
    files = TextFiles([tmp_path / "a.txt", tmp_path / "b.txt.gz"])
    expected = [["the", "cat", "!"], ["didn't"], ["我", "好"]]
    assert [tokens for tokens in files if tokens] == expected
    assert [tokens for tokens in files if tokens] == expected


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*no.txt"):
        list(TextFiles([tmp_path / "no.txt"]))
    (tmp_path / "latin.txt").write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(DataError, match=r"latin.txt, line 2: byte 3 is not UTF-8"):
        list(TextFiles([tmp_path / "latin.txt"]))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a line\n" * 99)[:-9])
    with pytest.raises(DataError, match="cut off or damaged"):
        list(TextFiles([tmp_path / "cut.gz"]))
