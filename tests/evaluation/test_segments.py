"""Segments; also ``emoclf.datasets.readers.read_column`` and ``evaluate --by``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_dataset, tiny_folded, tiny_trained

from emoclf import DataError, DataSettings
from emoclf.cli import main
from emoclf.datasets.readers import read_column
from emoclf.evaluation.predicted_texts import Predictions
from emoclf.evaluation.segments import (
    Segment,
    segment_lines,
    segments,
    text_columns,
)


def predictions(right: np.ndarray) -> Predictions:
    n = len(right)
    probabilities = np.tile([0.9, 0.1], (n, 1))
    return Predictions(probabilities, 1 - right.astype(int), ("a", "b"), np.ones(2) / 2)


def test_weak_ones_are_named_and_others_are_not() -> None:
    rng = np.random.default_rng(0)
    place = np.repeat(["north", "south", "east", "few"], [100, 100, 100, 5])
    right = rng.random(305) < np.where(place == "south", 0.5, 0.9)
    right[300:] = False
    found = segments(predictions(right), {"place": place})
    assert [segment.value for segment in found if segment.is_weak] == ["south"]
    by_value = {segment.value: segment for segment in found}
    south = by_value["south"]
    assert (south.n, south.accuracy) == (100, right[place == "south"].mean())
    assert south.rest == right[place != "south"].mean()
    assert found[0].value == "few"
    assert any(line.startswith("* ") for line in segment_lines(found))


def test_by_chance_few_are_named() -> None:
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(200):
        right = rng.random(300) < 0.7
        found = segments(predictions(right), {"x": rng.integers(0, 6, 300)})
        named += any(segment.is_weak for segment in found)
    assert named / 200 < 0.08


def test_many_values_share_a_segment() -> None:
    values = [f"v{min(number, 40)}" for number in range(200)]
    found = segments(predictions(np.ones(200, bool)), {"id": values})
    assert len(found) == 13
    assert sum(segment.n for segment in found) == 200
    assert any(segment.value == "29 other values" for segment in found)
    assert not any(segment.is_weak for segment in found)


def test_one_value_has_no_rest() -> None:
    (one,) = segments(predictions(np.ones(3, bool)), {"x": ["a"] * 3})
    assert one == Segment("x", "a", 3, 1.0, None, False)
    assert segment_lines([one])[-1].endswith("–")
    with pytest.raises(DataError, match="must have 3 values"):
        segments(predictions(np.ones(3, bool)), {"x": [1, 2]})


@pytest.mark.slow
def test_length_and_unknown_words() -> None:
    texts = ["it was lovely", "zzz it", "qqq www", "", "it " * 40]
    columns = text_columns(tiny_trained().predictor, texts)
    assert columns["unknown words"] == ["none", "25 to 100 %", "25 to 100 %",
                                        "25 to 100 %", "none"]  # fmt: skip
    assert columns["length"][3].startswith("0 to ")
    assert len(columns["length"]) == 5


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_column_is_read_by_its_lines(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data.{ending}"
    if ending == "csv":
        path.write_text('text,label,source\n"two\nlines",a,web\nb,b,\n')
    else:
        rows = [{"text": "x", "label": "a", "source": 3}, {"text": "y", "label": "b"}]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cells = read_column(path, "source", DataSettings())
    assert list(cells.values()) == (["web", ""] if ending == "csv" else ["3", ""])
    with pytest.raises(DataError, match="Did you mean 'source'"):
        read_column(path, "sorce", DataSettings())


@pytest.mark.slow
def test_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_dataset().to_frame()
    data["place"] = [text.split()[-1] for text in data["text"]]
    data.to_csv(tmp_path / "d.csv", index=False)
    command = ["evaluate", str(tiny_folded(tmp_path)), str(tmp_path / "d.csv")]
    assert main([*command, "--by", "place"]) == 0
    printed = capsys.readouterr().out
    assert "Accuracy by groups of texts" in printed
    assert "school" in printed
    # A path is not broken.
    lines = [line for line in printed.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 80
    assert main([*command, "--by", "place", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["segments"]
    assert {row["column"] for row in found} == {"length", "unknown words", "place"}
    assert main([*command, "--by", "plaice"]) == 1


@pytest.mark.slow
def test_two_classifiers_on_the_same_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_dataset().to_frame().to_csv(tmp_path / "d.csv", index=False)
    folded = str(tiny_folded(tmp_path))
    command = ["evaluate", folded, str(tmp_path / "d.csv"), "--against", folded]
    assert main(command) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "+0.0 points of macro-F1 (95 % interval +0.0 to +0.0)" in printed
    assert main([*command[:-1], "emotions-en"]) == 1
    assert "same labels" in capsys.readouterr().err
