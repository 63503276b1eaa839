"""Tests of emoclf.datasets.input_formats and emoclf.bulk.output_formats: the tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.bulk.output_formats import WRITERS, output_endings
from emoclf.bulk.writers import Writer
from emoclf.cli import main
from emoclf.datasets.input_formats import READERS, InputFormat, input_endings
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.records import Record, Table
from emoclf.datasets.source import Source
from emoclf.errors import DataError, SettingsError


def read_toy(source: Source) -> Table:
    """Read lines such as ``joy: They all came!``."""
    lines = (line.partition(": ") for line in source.lines())
    records = (
        Record(number, {"label": label, "text": text})
        for number, (label, _, text) in enumerate(lines, 1)
    )
    return Table(["label", "text"], records)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Add a format to the table, and return a file of it."""
    monkeypatch.setitem(sys.modules, "toy_reader", sys.modules[__name__])
    monkeypatch.setitem(READERS, "toy", InputFormat((".toy",), "toy_reader:read_toy"))
    path = tmp_path / "in.toy"
    path.write_text("joy: a lovely gift\nfear: alone in the dark\n")
    return path


@pytest.mark.slow
def test_a_reader_in_the_table_reads_for_training_and_prediction(
    toy: Path, tmp_path: Path
) -> None:
    data = read_dataset(toy)
    assert data.texts == ("a lovely gift", "alone in the dark")
    assert data.labels == ("joy", "fear")
    assert data.where(1) == f"{toy}, line 2"
    model = tiny_folded(tmp_path / "exports")
    target = tmp_path / "out.jsonl"
    assert predict_file(model, toy, target, prefix="p_") == (2, 0)
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["text"] for row in rows] == list(data.texts)
    assert [row["label"] for row in rows] == ["joy", "fear"]
    assert [row["p_label"] for row in rows] == ["joy", "fear"]
    other = toy.rename(toy.with_suffix(".txt"))
    predict_file(model, other, tmp_path / "out.csv", format="toy", prefix="p_")


@pytest.mark.slow
def test_undecodable_bytes_are_errors_for_any_reader(toy: Path, tmp_path: Path) -> None:
    toy.write_bytes(b"joy: fine\nfear: d\xe9j\xe0\n")
    with pytest.raises(DataError, match=r"in.toy, line 2, byte 17: this is not utf-8"):
        read_dataset(toy)
    model = tiny_folded(tmp_path / "exports")
    with pytest.raises(DataError, match=r"in.toy, line 2: byte 7: this is not utf-8"):
        predict_file(model, toy, tmp_path / "out.jsonl", prefix="p_")
    target = tmp_path / "out.jsonl"
    assert predict_file(model, toy, target, prefix="p_", on_error="skip") == (1, 1)


def test_the_command_line_offers_every_format(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    assert f"--format {{{','.join(READERS)}}}" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_format_that_can_only_be_read_is_refused_for_writing(
    toy: Path, tmp_path: Path
) -> None:
    match = r"Files that end in .toy can be read, but not written. .*must end in .csv"
    with pytest.raises(DataError, match=match):
        predict_file("model", toy, tmp_path / "out.toy")
    with pytest.raises(SettingsError, match="output_format must be one of labels"):
        predict_file("model", toy, sys.stdout, output_format="toy")


def test_every_row_names_a_function_or_a_class() -> None:
    for reader in READERS.values():
        assert callable(resolve_name(reader.reader))
    for writer in WRITERS.values():
        assert issubclass(resolve_name(writer.writer), Writer)


def test_no_ending_has_two_formats() -> None:
    for table, endings in ((READERS, input_endings()), (WRITERS, output_endings())):
        assert len(endings) == sum(len(row.endings) for row in table.values())
