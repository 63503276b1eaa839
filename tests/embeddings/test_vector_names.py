"""Word vectors by name, from a data repository of gensim's layout on this machine."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gensim import downloader

from emoclf import embedding_matrix
from emoclf.cli import main
from emoclf.embeddings.vector_names import absolute_vectors, is_vectors_name
from emoclf.errors import VectorsError
from emoclf.text.vocabulary import Vocabulary

NAME = "glove-tiny-3"
TEXT = b"2 3\njoy 1 2 3\nfear 3 2 1\n"
VOCABULARY = Vocabulary(["fear"])


class Handler(http.server.SimpleHTTPRequestHandler):
    """A handler that counts requests and prints nothing."""

    paths: list[str] = []  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        self.paths.append(self.path)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve a repository with one set of vectors and one corpus, and an empty cache."""
    root = tmp_path / "served"
    folder = root / NAME
    folder.mkdir(parents=True)
    data = gzip.compress(TEXT, mtime=0)
    (folder / f"{NAME}.gz").write_bytes(data)
    (folder / "__init__.py").write_text("raise SystemExit('imported')\n")
    entry = {
        "checksum": hashlib.md5(data).hexdigest(),
        "file_name": f"{NAME}.gz",
        "file_size": 2_500_000,
        "license": "CC0",
        "parts": 1,
    }
    listing = {"models": {NAME: entry}, "corpora": {"text8": {**entry, "parts": 1}}}
    (root / "list.json").write_text(json.dumps(listing))
    Handler.paths.clear()
    handler = functools.partial(Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        cache = tmp_path / "a cache"
        monkeypatch.setattr(downloader, "DOWNLOAD_BASE_URL", base)
        monkeypatch.setattr(downloader, "BASE_DIR", str(cache))
        monkeypatch.setattr(downloader, "_PARENT_DIR", str(tmp_path))
        monkeypatch.setattr(
            downloader._load_info, "__defaults__", (f"{base}/list.json", "utf-8")
        )
        yield root
        server.shutdown()


def test_a_name_is_downloaded_once(
    repository: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "emoclf"):
        matrix, coverage = embedding_matrix(NAME, VOCABULARY)
    np.testing.assert_array_equal(matrix[2], [3, 2, 1])
    assert coverage.source == f"{NAME}.gz"
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"Downloading the word vectors {NAME} (2 MB, license: CC0)")
    # Standard output may be JSON.
    assert capsys.readouterr().out == ""
    assert NAME not in sys.modules
    requests = len(Handler.paths)
    again, _ = embedding_matrix(NAME, VOCABULARY)
    np.testing.assert_array_equal(again, matrix)
    assert len(Handler.paths) == requests


def test_a_wrong_checksum(repository: Path) -> None:
    path = repository / NAME / f"{NAME}.gz"
    path.write_bytes(gzip.compress(b"2 3\njoy 9 9 9\nfear 9 9 9\n"))
    with pytest.raises(VectorsError, match=r"cannot be downloaded .*Checksum"):
        embedding_matrix(NAME, VOCABULARY)
    # Nothing of it stays, and the next try is a new one.
    path.write_bytes(gzip.compress(TEXT, mtime=0))
    matrix, _ = embedding_matrix(NAME, VOCABULARY)
    np.testing.assert_array_equal(matrix[2], [3, 2, 1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("glove-tiny-33", f"no word vectors of this name. Did you mean '{NAME}'"),
        ("text8", "is a corpus, not word vectors"),
        ("__init__", "no word vectors of this name"),
    ],
)
def test_other_names(repository: Path, name: str, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        embedding_matrix(name, VOCABULARY)


def test_a_folder_without_its_file_is_named(repository: Path) -> None:
    Path(downloader.BASE_DIR, NAME).mkdir(parents=True)
    with pytest.raises(VectorsError, match=rf"Remove .*{NAME} and"):
        embedding_matrix(NAME, VOCABULARY)


def test_an_entry_of_another_kind(repository: Path) -> None:
    listing = {"models": {NAME: 5}, "corpora": {}}
    (repository / "list.json").write_text(json.dumps(listing))
    with pytest.raises(VectorsError, match="cannot be read"):
        embedding_matrix(NAME, VOCABULARY)


def test_a_home_that_cannot_be_written(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(downloader, "BASE_DIR", str(tmp_path / "file"))
    with pytest.raises(VectorsError, match="cannot be read"):
        embedding_matrix(NAME, VOCABULARY)


@pytest.mark.parametrize("listing", ["[]", "{}", "not JSON", '{"models": 3}'])
def test_a_damaged_list(repository: Path, listing: str) -> None:
    (repository / "list.json").write_text(listing)
    with pytest.raises(VectorsError, match=r"list of gensim's downloader.*cannot be"):
        embedding_matrix(NAME, VOCABULARY)


def test_no_network(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = "http://127.0.0.1:9/list.json"
    monkeypatch.setattr(downloader._load_info, "__defaults__", (nowhere, "utf-8"))
    data = tmp_path / "a.csv"
    data.write_text("text,label\nso happy,joy\n")
    assert main(["vectors", "coverage", str(data), "--vectors", NAME]) == 1
    error = capsys.readouterr().err
    assert f"There is no file '{NAME}' here" in error
    assert "Give the path of a file" in error
    assert "Traceback" not in error


def test_what_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_vectors_name(NAME)
    assert absolute_vectors(NAME) == NAME
    for path in ("v.bin", "a/b", ".hidden", "", "../x"):
        assert not is_vectors_name(path)
    Path(NAME).write_bytes(TEXT)
    assert not is_vectors_name(NAME)
    assert absolute_vectors(NAME) == str(tmp_path / NAME)
    _, coverage = embedding_matrix(NAME, VOCABULARY)
    assert coverage.source == NAME
