"""A bad line is named; it is an error, is left out, or has no prediction.

Tests of emoclf.bulk.entries.
"""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.classifier import Classifier
from emoclf.errors import DataError, SettingsError
from emoclf.serving import load_exported

# A file of three records, of which the second is bad, and how it is named.
BAD = {
    "cells.csv": (
        b"id,text\n1,dark\n2,lovely,gift\n3,gift\n",
        r"cells.csv, line 3: 3 cells where the first line has 2",
    ),
    "few.tsv": (b"id\ttext\n1\tdark\n2\n3\tgift\n", r"few.tsv, line 3: 1 cell where"),
    "bytes.csv": (
        b"id,text\n1,dark\n2,d\xe9j\xe0\n3,gift\n",
        r"bytes.csv, line 3: byte 3: this is not utf-8 \(0xe9.*encoding='cp1252'",
    ),
    "open.csv": (
        b'id,text\n1,dark\n2,"lovely\n3,gift\n',
        r"open.csv, line 3: a quote opened here is never closed",
    ),
    "mid.csv": (
        b'id,text\n1,dark\n2,"so" lovely\n3,gift\n',
        r"mid.csv, line 3: a quote opened here is closed in the middle of a cell",
    ),
    "no.jsonl": (
        b'{"text": "dark"}\n{"text": "lov\n\n{"text": "gift"}\n',
        r"no.jsonl, line 2: column 10: this is not JSON",
    ),
    "key.jsonl": (
        b'{"text": "dark"}\n{"txt": "x", "n": 2}\n{"text": "gift"}\n',
        r"key.jsonl, line 2: the object has no 'text'. Did you mean 'txt'",
    ),
    "null.jsonl": (
        b'{"text": "dark"}\n{"text": null}\n{"text": "gift"}\n',
        r"null.jsonl, line 2: the text is missing",
    ),
    "type.jsonl": (
        b'{"text": "dark"}\n{"text": 12}\n{"text": "gift"}\n',
        r"type.jsonl, line 2: the text must be a string. Got 12 instead",
    ),
    "bytes.jsonl": (
        b'{"text": "dark"}\n{"text": "\xff"}\n{"text": "gift"}\n',
        r"bytes.jsonl, line 2: byte 10: this is not utf-8",
    ),
    "null.parquet": (None, r"null.parquet, row 2: the text is missing"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return load_exported(tiny_folded(tmp_path_factory.mktemp("exports")))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    # The command line takes the package's logger for itself.
    logging.getLogger("emoclf").propagate = True
    return caplog


def save(folder: Path, name: str) -> Path:
    data, _ = BAD[name]
    path = folder / name
    if data is None:
        table = pyarrow.table({"text": ["dark", None, "gift"]})
        parquet.write_table(table, path)
    else:
        path.write_bytes(data)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("name", BAD)
def test_stop_skip_and_null(
    name: str, model: Classifier, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    source, target = save(tmp_path, name), tmp_path / "out.jsonl"
    match = BAD[name][1]
    with pytest.raises(
        DataError, match=match + r".*go on without such.*on_error='skip'"
    ):
        predict_file(model, source, target)
    assert not target.exists()

    assert predict_file(model, source, target, on_error="skip") == (2, 1)
    assert [row["label"] for row in read(target)] == ["fear", "joy"]

    assert predict_file(model, source, target, on_error="null", overwrite=True) == (
        2,
        1,
    )
    found = read(target)
    assert [row["label"] for row in found] == ["fear", None, "joy"]
    assert found[1]["probabilities"] is None
    assert len([record for record in log.records if record.levelname == "WARNING"]) == 2

    for ending in (".csv", ".parquet"):
        target = tmp_path / f"rows{ending}"
        predict_file(model, source, target, on_error="null")
        again = tmp_path / "again.jsonl"
        predict_file(model, target, again, prefix="p_", overwrite=True, on_error="null")
        assert len(read(again)) == 3
        assert not read(again)[1]["label"]


def test_readable_values_of_a_bad_record_are_kept(
    model: Classifier, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    predict_file(model, save(tmp_path, "key.jsonl"), target, on_error="null")
    assert read(target)[1] == {
        "txt": "x",
        "n": 2,
        "label": None,
        "probabilities": None,
    }


def test_a_bad_record_adds_no_columns(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    bad, good = '{"txt": "x", "n": "three"}', '{"text": "dark", "n": 3}'
    source.write_text("\n".join([bad, *[good] * 3000, bad]))
    for ending in (".csv", ".parquet"):
        target = tmp_path / f"out{ending}"
        options = {"on_error": "null", "text_column": "text"}
        assert predict_file(model, source, target, **options) == (3000, 2)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names[:3] == ["text", "n", "label"]
    assert table["n"].to_pylist()[-2:] == [3, None]


def test_an_unclosed_quote_costs_one_row(model: Classifier, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.jsonl"
    rows = [f"{i},{'dark' if i % 2 else 'gift'}" for i in range(20_000)]
    rows[5] = '5,"dark'
    rows[9000] = '9000,"two\nlines"'
    rows[15_000] = '15000,"gift'
    source.write_text("\n".join(["id,text", *rows]))
    assert predict_file(model, source, target, on_error="skip") == (19_998, 2)
    ids = [int(row["id"]) for row in read(target)]
    assert ids == [i for i in range(20_000) if i not in (5, 15_000)]


def test_predictions_before_a_bad_line_are_written(
    model: Classifier, tmp_path: Path
) -> None:
    stream = io.StringIO()
    with pytest.raises(DataError, match="line 3"):
        predict_file(model, save(tmp_path, "cells.csv"), stream)
    assert stream.getvalue().startswith("fear\t0.")
    stream = io.StringIO()
    source = tmp_path / "cells.csv"
    predict_file(model, source, stream, on_error="null")
    assert stream.getvalue().split("\n")[1:3:2] == ["\t"]


def test_a_file_of_bad_lines_is_an_error(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("dark\nlovely\n")
    for on_error in ("skip", "null"):
        with pytest.raises(DataError, match=r"all of its 2 lines are bad"):
            predict_file(model, source, tmp_path / "out.csv", on_error=on_error)
    assert list(tmp_path.iterdir()) == [source]
    with pytest.raises(
        SettingsError, match=r"on_error must be one of stop.*'skp'.*skip"
    ):
        predict_file(model, source, tmp_path / "out.csv", on_error="skp")


def test_a_bad_header_is_an_error(model: Classifier, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"text,d\xe9j\xe0\ndark,1\n")
    with pytest.raises(DataError, match=r"in.csv, line 1: byte 6: this is not utf-8"):
        predict_file(model, source, tmp_path / "out.csv", on_error="skip")
