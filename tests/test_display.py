"""What is printed for people changes no terminal; tests of emoclf.display."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tiny import tiny_folded

from emoclf import load_exported, train_classifier
from emoclf.bulk.file_prediction import predict_file
from emoclf.bundle.json_values import with_checksum
from emoclf.cli import main
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.trainable import check_trainable
from emoclf.display import printable
from emoclf.errors import DataError
from emoclf.folded.__main__ import main as folded_main

CONTROLS = [
    "\x00",
    "\x07",
    "\r",
    "\x1b[2J",
    "\x7f",
    "\x9b2J",
    "\u202e",
    "\u2066",
    "\u2028",
]
HOSTILE = "an\x1b]0;title\x07ger\n\u202e"
SHOWN = r"an\x1b]0;title\x07ger\x0a\u202e"


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_controls_become_escapes(control: str) -> None:
    for lines in (True, False):
        text = printable(f"a{control}b", lines=lines)
        assert text.isascii()
        assert text.isprintable()
    assert printable("a\tb\nc", lines=True) == "a\tb\nc"
    assert printable("a\tb\nc") == r"a\x09b\x0ac"


@pytest.mark.parametrize("text", ["naïve 你好", "👩‍👩‍👧", "می‌خواهم"])
def test_letters_of_all_scripts_stay(text: str) -> None:
    assert printable(text) == text


def test_marks_of_a_direction_are_shown_and_allowed() -> None:
    assert printable("\u200fעברית") == "\\u200fעברית"
    check_trainable(Dataset.from_lists(["a", "b"], ["\u200fעברית", "joy"]))


@pytest.mark.parametrize("control", ["\n", *CONTROLS], ids=ascii)
def test_labels_with_controls_are_refused_at_training(control: str) -> None:
    name = f"an{control}ger"
    with pytest.raises(DataError, match=r"contains control characters.*label_names"):
        train_classifier(["a", "b", "c", "d"] * 9, [name, "joy", "fear", name] * 9)
    data = Dataset.from_lists(["a"], [name], label_names={name: "anger"})
    assert data.label_names == ("anger",)


def hostile_export(folder: Path) -> Path:
    """Return an export whose first label writes to the terminal."""
    path = tiny_folded(folder)
    about = json.loads((path / "emoclf.json").read_text())
    about["label_names"][0] = HOSTILE
    (path / "emoclf.json").write_text(json.dumps(with_checksum(about)))
    return path


@pytest.mark.slow
def test_a_label_of_a_stranger_is_one_line_of_plain_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile_export(tmp_path)
    model = load_exported(path)
    assert HOSTILE in model.label_names
    assert "\x1b" not in repr(model)
    texts = ["a lovely gift", "he shouted at me", "dark"]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    for format in ("labels", "probabilities"):
        stream = io.StringIO()
        predict_file(path, tmp_path / "texts.txt", stream, output_format=format)
        lines = stream.getvalue().splitlines()
        assert len(lines) == len(texts)
        assert all(line.replace("\t", "").isprintable() for line in lines)
        assert SHOWN in stream.getvalue() or format == "labels"
    assert folded_main([str(path), *texts]) == 0
    assert main(["show", str(path)]) == 0
    assert main(["predict", str(path), "--all", *(f"--text={x}" for x in texts)]) == 0
    captured = capsys.readouterr()
    assert SHOWN in captured.out
    assert "\x1b" not in captured.out + captured.err


def test_names_of_files_are_shown_with_escapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("none\x1b[2J.csv", "two\nlines.csv"):
        assert main(["evaluate", str(tmp_path / name), str(tmp_path / name)]) == 1
        error = capsys.readouterr().err
        assert "\x1b" not in error
        assert len(error.splitlines()) == 1
