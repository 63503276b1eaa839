"""Tests of emoclf.datasets.recognition, json_lines, fasttext_lines and labels files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tiny import tiny_folded

from emoclf.bulk.file_prediction import predict_file
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split_files import read_split
from emoclf.errors import DataError, SettingsError
from emoclf.settings import DataSettings

FRAME = pd.DataFrame({"text": ["a lovely gift", "alone"], "label": ["joy", "fear"]})
FASTTEXT = "__label__joy They all came!\n__label__sad-ness nobody  came\n"


@pytest.mark.parametrize("name", ["d.json", "d.json.gz", "d.txt", "d.data"])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_objects(tmp_path: Path, name: str, indent: int | None) -> None:
    path = tmp_path / name
    FRAME.to_json(path, orient="records", indent=indent)
    data = read_dataset(path)
    assert data.texts == ("a lovely gift", "alone")
    assert data.where(1) == f"{path}, object 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"text": "a", "label": "b"}]\n[{"text": "c"}]', r"line 2: the array ends"),
        ('[]\n{"text": "a"}', r"line 2: the array ends before '{\"text\""),
        (
            '[\n{"text": "a",\n"label": "\udce9"}]',
            r"line 3: .*errors='replace'",
        ),
    ],
)
def test_nothing_of_an_array_is_lost(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(DataError, match=message):
        read_dataset(path, DataSettings(encoding_errors="skip"))


@pytest.mark.parametrize("name", ["d.json", "d.txt"])
def test_json_lines_with_another_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    FRAME.to_json(path, orient="records", lines=True)
    assert read_dataset(path).where(1) == f"{path}, line 2"
    other = path.rename(tmp_path / "d.csv")
    assert len(read_dataset(other, DataSettings(format="jsonl"))) == 2
    with pytest.raises(SettingsError, match=r"format must be one of .*'jsn'"):
        read_dataset(other, DataSettings(format="jsn"))


BROKEN = {
    '{"text": {"0": "a"}, "label": {"0": "x"}}': r'orient="records"',
    '{\n"data": [{"text": "a", "label": "x"}]}': r"must be an array of objects",
    '[{"text": "a", "label": "x"}\n{"text"': r"line 2, column 1: .*object 1",
    '[{"text": "a", "label": "x"},\n{"text": "b"': r"line 2, column 13: .*object 2",
    '[{"text": "a", "label": "x"}': r"Expecting ',' or '\]'",
    '[{"text": "a", "label": "x"}, {"text": "b"}]': r"object 2: .* has no 'label'",
    '[{"text": "a", "label": "x"}, 5]': r"object 2: .*Got int",
    "[" * 100_000: r"object 1: this is not JSON",
    "[]": r"there is no object",
    "": r"is empty",
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_broken_arrays_are_errors(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(text)
    with pytest.raises(DataError, match=BROKEN[text]):
        read_dataset(path)


@pytest.mark.slow
def test_prediction_of_an_array(tmp_path: Path) -> None:
    path, out = tmp_path / "d.json", tmp_path / "out.jsonl"
    FRAME.to_json(path, orient="records")
    model = tiny_folded(tmp_path / "exports")
    assert predict_file(model, path, out, prefix="p_") == (2, 0)
    path.write_bytes(b'[{"text": "d\xe9j\xe0"}]')
    with pytest.raises(DataError, match=r"d.json, line 1: byte 12: this is not utf-8"):
        predict_file(model, path, out, overwrite=True)


@pytest.mark.parametrize("name", ["d.txt", "d.train", "d"])
def test_fasttext(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FASTTEXT)
    data = read_dataset(path)
    assert data.texts == ("They all came!", "nobody  came")
    assert (data.labels, data.multilabel) == (("joy", "sad-ness"), False)
    path.write_text(f"{FASTTEXT}\n__label__a __label__b so\n")
    data = read_dataset(path)
    assert (data.labels[0], data.labels[2], data.lines[2]) == (("joy",), ("a", "b"), 4)
    path.write_text(f"no label\n{FASTTEXT}")
    with pytest.raises(DataError, match=r"line 1: the row has no label"):
        read_dataset(path, DataSettings(format="fasttext"))


def test_texts_and_labels_in_two_files(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        (tmp_path / f"{part}_text.txt").write_text("a, day\nno\nwell; so\noh\n" * 3)
        (tmp_path / f"{part}_labels.txt").write_text("1\n0\n1\n0\n" * 3)
    path, labels = tmp_path / "train_text.txt", str(tmp_path / "train_labels.txt")
    data = read_dataset(path, DataSettings(labels_file=labels))
    assert (data.texts[2], data.labels[:2]) == ("well; so", ("1", "0"))
    files = tuple(str(tmp_path / f"{x}_labels.txt") for x in ("train", "val", "test"))
    valid, test = tmp_path / "val_text.txt", tmp_path / "test_text.txt"
    settings = DataSettings(labels_file=files)
    _, split = read_split(path, settings, valid=valid, test=test)
    assert {len(part) for part in split.parts().values()} == {12}
    with pytest.raises(DataError, match=r"for each of 1 files of texts. Got 3"):
        read_split(path, settings)
    with pytest.raises(SettingsError, match=r"must name one file"):
        read_dataset(path, settings)
    Path(labels).write_text("1\n0\n")
    with pytest.raises(DataError, match=r"has 12 texts and .*labels.txt has 2 labels"):
        read_dataset(path, DataSettings(labels_file=labels))
    Path(labels).write_text("1\n\n" * 6)
    with pytest.raises(
        DataError, match=r"train_text.txt, line 2: the row has no label"
    ):
        read_dataset(path, DataSettings(labels_file=labels))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (
            b'\n{"text": "a lovely gift", "id": 1}\n{"text": "b\xe9"}\n',
            ["a lovely gift"],
        ),
        (b'{"words": "a"}\n{b\xe9}\n', ['{"words": "a"}', "{b\ufffd}"]),
        (b"plain\n", ["plain"]),
    ],
)
def test_json_lines_on_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, texts: list[str]
) -> None:
    class Input(io.BytesIO):
        def peek(self, size: int) -> bytes:
            return self.getvalue()[self.tell() :][:size]

    stream: Any = io.TextIOWrapper(io.BytesIO())
    model, out = tiny_folded(tmp_path / "exports"), tmp_path / "out.jsonl"
    for format, expected in ((None, texts), ("lines", data.decode(errors="replace"))):
        stream = type("Stdin", (), {"buffer": Input(data)})()
        monkeypatch.setattr(sys, "stdin", stream)
        options: dict[str, Any] = {"format": format, "overwrite": True}
        predict_file(model, "-", out, on_error="skip", **options)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        answered = [row["text"] for row in rows]
        assert answered == (expected if format is None else expected.splitlines())
