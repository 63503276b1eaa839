"""Every kind of vector file is read, whole or only where needed; damage is named."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import save_facebook_model

from emoclf.embeddings.vector_files import open_vectors
from emoclf.embeddings.word_vectors import (
    WordVectors,
    read_vectors,
    save_vectors,
)
from emoclf.errors import VectorsError

WORDS = ("the", "good", "Paris", "didn't", "naïve", "我")
MATRIX = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
VECTORS = WordVectors(WORDS, MATRIX)


def keyed() -> KeyedVectors:
    vectors = KeyedVectors(5)
    vectors.add_vectors(list(WORDS), MATRIX)
    return vectors


def write(folder: Path, kind: str) -> Path:
    """Write the vectors in one of the formats, mostly by gensim."""
    path = folder / kind
    if kind.startswith("glove"):
        rows = zip(WORDS, MATRIX, strict=True)
        lines = [" ".join([w, *(f"{x:.9g}" for x in row)]) for w, row in rows]
        text = "\n".join(lines) + "\n"
        path.write_bytes(
            gzip.compress(text.encode()) if kind.endswith("gz") else text.encode()
        )
    elif kind == "saved.kv":
        keyed().save(str(path))
    elif kind == "ours.bin":
        save_vectors(VECTORS, path)
    else:
        keyed().save_word2vec_format(str(path), binary=".bin" in kind)
    return path


COMPRESSIONS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


KINDS = (
    "w2v.bin",
    "w2v.bin.gz",
    "w2v.txt",
    "w2v.txt.gz",
    "fasttext.vec",
    "glove.txt",
    "glove.txt.gz",
    "saved.kv",
    "ours.bin",
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    everything = read_vectors(path)
    assert everything.words == WORDS
    np.testing.assert_allclose(everything.matrix, MATRIX, rtol=1e-5)
    some = read_vectors(path, words={"我", "good", "nowhere"})
    assert some.words == ("good", "我")
    np.testing.assert_allclose(some.matrix, MATRIX[[1, 5]], rtol=1e-5)
    assert open_vectors(path).first_words(2) == ["the", "good"]
    assert open_vectors(path).dim == 5


@pytest.mark.parametrize("kind", ["w2v.bin", "fasttext.vec", "glove.txt"])
@pytest.mark.parametrize("ending", [*COMPRESSIONS, ".zip"])
def test_every_compression(tmp_path: Path, kind: str, ending: str) -> None:
    path = write(tmp_path, kind)
    packed = path.with_name(kind + ending)
    if ending == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("vectors")
            archive.write(path, f"vectors/{kind}")
            archive.writestr(f"__MACOSX/vectors/._{kind}", b"of macOS")
    else:
        packed.write_bytes(COMPRESSIONS[ending](path.read_bytes()))
    found = read_vectors(packed)
    assert found.words == WORDS
    np.testing.assert_allclose(found.matrix, MATRIX, rtol=1e-5)
    packed.write_bytes(packed.read_bytes()[:-60])
    with pytest.raises(VectorsError, match=r"cut off|damaged"):
        read_vectors(packed)


def test_an_archive_of_several_files(tmp_path: Path) -> None:
    packed = tmp_path / "glove.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for dim in (2, 3):
            archive.writestr(f"glove.{dim}d.txt", f"the {'0.5 ' * dim}\na {'1 ' * dim}")
    with pytest.raises(
        VectorsError, match=r"2 files: glove.2d.txt, glove.3d.txt.*zip/"
    ):
        read_vectors(packed)
    assert read_vectors(packed / "glove.3d.txt").dim == 3
    with pytest.raises(VectorsError, match=r"no file glove.4d.txt in.*Did you mean"):
        read_vectors(packed / "glove.4d.txt")
    with zipfile.ZipFile(packed, "w"):
        pass
    with pytest.raises(VectorsError, match="without a file"):
        read_vectors(packed)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_words(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    assert read_vectors(path, limit=2).words == ("the", "good")
    assert read_vectors(path, limit=2, words={"good", "Paris"}).words == ("good",)
    assert read_vectors(path, limit=99).words == WORDS
    with pytest.raises(VectorsError, match="at least 1"):
        read_vectors(path, limit=0)


@pytest.mark.parametrize("header", ["", "7 3\n"])
@pytest.mark.parametrize("gap", ["\t", "  ", " \t", "\u0020"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_texts_as_the_world_writes_them(
    tmp_path: Path, header: str, gap: str, mark: str
) -> None:
    words = ("route 66", "the", "at name@domain.com", ". . .", "10 or 12", "\f", "")
    numbers = gap.join(["0.5", "-1e-3", "2"]) if gap == "\t" else "0.5 -1e-3 2"
    text = "".join(f"{word}{gap}{numbers}{gap}\r\n" for word in words)
    path = tmp_path / "vectors.txt"
    path.write_text(mark + header + text, encoding="utf-8", newline="")
    found = read_vectors(path)
    assert found.words == words
    np.testing.assert_allclose(found.matrix, [[0.5, -1e-3, 2]] * 7)
    assert read_vectors(path, words={"the", "10 or 12"}).words == ("the", "10 or 12")


def test_a_header_that_counts_wrongly(tmp_path: Path) -> None:
    lines = b"the 1 2 3\nof 4 5 6\na 7 8 9\n"
    path = tmp_path / "vectors.vec"
    for count in (b"4", b"2"):
        path.write_bytes(count + b" 3\n" + lines)
        assert read_vectors(path).words == ("the", "of", "a")
    for count, content in ((b"5", lines), (b"4", lines[:-1]), (b"4", lines[:-3])):
        path.write_bytes(count + b" 3\n" + content)
        with pytest.raises(VectorsError, match="cut short"):
            read_vectors(path)
    binary = save_vectors(VECTORS, tmp_path / "v.bin")
    binary.write_bytes(binary.read_bytes().replace(b"6 5\n", b"7 5\n", 1))
    assert read_vectors(binary).words == WORDS
    binary.write_bytes(binary.read_bytes().replace(b"7 5\n", b"8 5\n", 1))
    with pytest.raises(VectorsError, match="cut short"):
        read_vectors(binary)


def test_two_lines_in_one_are_damage(tmp_path: Path) -> None:
    lines = [f"w{n} " + " ".join(["0.5"] * 9) for n in range(4)]
    path = tmp_path / "vectors.txt"
    path.write_text(lines[0] + "\n" + lines[1] + lines[2] + "\n" + lines[3] + "\n")
    with pytest.raises(VectorsError, match=r"line 2.*more numbers"):
        read_vectors(path)


def test_a_whole_model_of_gensims(tmp_path: Path) -> None:
    model = Word2Vec([["a", "b", "c"]] * 9, vector_size=4, min_count=1)
    model.save(str(tmp_path / "saved.model"))
    found = read_vectors(tmp_path / "saved.model", words={"b"})
    np.testing.assert_array_equal(found.matrix, [model.wv["b"]])


@pytest.fixture(scope="module")
def facebook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FastText]:
    texts = [["playing", "player", "played"], ["good", "goodness"]] * 20
    model = FastText(vector_size=6, min_count=1, bucket=50, epochs=2, seed=1)
    model.build_vocab(texts)
    model.train(texts, total_examples=40, epochs=2)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return path, model


def test_fasttext_bin_with_sub_words(facebook: tuple[Path, FastText]) -> None:
    path, model = facebook
    found = read_vectors(path, words={"player"}, compose=["plays", "player"])
    assert found.words == ("player", "plays")
    assert found.composed == {"plays"}
    for word, row in zip(found.words, found.matrix, strict=True):
        np.testing.assert_allclose(row, model.wv[word], atol=1e-5)


def test_a_fasttext_bin_that_is_cut_short(
    facebook: tuple[Path, FastText], tmp_path: Path
) -> None:
    data = facebook[0].read_bytes()
    for share in (0.9, 0.3, 0.01):
        (tmp_path / "cut.bin").write_bytes(data[: int(share * len(data))])
        with pytest.raises(VectorsError, match=r"cut short|damaged"):
            read_vectors(tmp_path / "cut.bin", words={"player"})


@pytest.mark.parametrize(("field", "value"), [("minn", -1), ("maxn", 2**31 - 1)])
def test_a_fasttext_bin_with_absurd_ngrams(
    facebook: tuple[Path, FastText], tmp_path: Path, field: str, value: int
) -> None:
    data = bytearray(facebook[0].read_bytes())
    # After magic number and version: settings of 4 bytes each.
    place = 8 + 4 * {"minn": 9, "maxn": 10}[field]
    assert data[place : place + 4] == struct.pack("<i", {"minn": 3, "maxn": 6}[field])
    data[place : place + 4] = struct.pack("<i", value)
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(VectorsError, match=r"damaged fastText model: n-grams"):
        read_vectors(tmp_path / "model.bin", words={"player"})


@pytest.mark.parametrize("header", ["600000 100000", "9" * 5000 + " 3"])
def test_a_header_that_promises_too_much(tmp_path: Path, header: str) -> None:
    path = tmp_path / "vectors.txt.gz"
    path.write_bytes(gzip.compress(f"{header}\nthe 1 2 3\nof 4 5 6\n".encode()))
    with pytest.raises(VectorsError):
        read_vectors(path)


@pytest.mark.parametrize("kind", ["w2v.bin", "w2v.txt", "w2v.bin.gz", "glove.txt.gz"])
def test_a_truncated_file(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(VectorsError, match=r"cut short|damaged"):
        read_vectors(path, words={"the"})


def test_a_number_that_is_none(tmp_path: Path) -> None:
    bad = MATRIX.copy()
    bad[1, 2] = np.nan
    path = save_vectors(WordVectors(WORDS, bad), tmp_path / "nan.bin")
    with pytest.raises(VectorsError, match=r"'good'.*nan"):
        read_vectors(path, words={"the", "good"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a file of word vectors"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\nsize 1\n", "git lfs"),
        ("the 0.1 0.2\n".encode("utf-16"), "UTF-16"),
        (b"\x93NUMPY\x01\x00v\x00{}", r"\(words, array\)"),
        (
            gzip.compress(gzip.compress(b"the 1 2\n", mtime=0), mtime=0),
            "compressed twice",
        ),
        (b"\x80\x07no pickle", "not a file of word vectors"),
        (b"text,label\nwhat a day,joy\n", "not a file of word vectors"),
        (b"3 4\nthe 1 2 3 4\nof 1 2 3\na 1 2 3 4\n", "line 3"),
        (b"9 2\nthe 1 2\nof 3 4\n", "promises 9 vectors"),
        (b"the 1 2 3\nof 1 2 x\n", "line 2"),
    ],
)
def test_what_is_no_file_of_vectors(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match=message):
        read_vectors(path)


def test_a_tar_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "vectors.tar.gz", "w:gz") as archive:
        archive.add(write(tmp_path, "w2v.txt"))
    with pytest.raises(VectorsError, match="a tar archive"):
        read_vectors(tmp_path / "vectors.tar.gz")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "w2v.bin")
    with pytest.raises(VectorsError, match=r"no file .*w2v.txt"):
        read_vectors(tmp_path / "w2v.txt")
    with pytest.raises(VectorsError, match="is a directory"):
        read_vectors(tmp_path)


def test_a_failed_save_keeps_what_was_there(tmp_path: Path) -> None:
    path = save_vectors(VECTORS, tmp_path / "v.bin")
    with pytest.raises(VectorsError, match="Cannot write"):
        save_vectors(VECTORS, path / "inside.bin")
    assert read_vectors(path).words == WORDS
    assert [p.name for p in tmp_path.iterdir()] == ["v.bin"]
