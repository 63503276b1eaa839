"""``emoclf audit``: exit codes, JSON, and corrections for ``emoclf train``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tiny import tiny_dataset

from emoclf.cli import main
from emoclf.cli.data_options import read_data
from emoclf.settings import RunSettings


def write(path: Path, texts: list[str], labels: list[str]) -> Path:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [("text", "label"), *zip(texts, labels, strict=True)]
        )
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    tiny = tiny_dataset()
    return write(tmp_path / "tiny.csv", list(tiny.texts), list(tiny.labels))


def test_a_clean_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(data), "--near-duplicates", "1"]) == 0
    assert "There are no findings." in capsys.readouterr().out


def test_leaks_give_exit_code_3(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = write(tmp_path / "test.csv", [*tiny_dataset().texts[:3]], ["anger"] * 3)
    code = main(["audit", str(data), "--test", str(test), "--json", "--quiet"])
    values = json.loads(capsys.readouterr().out)
    assert code == 3
    assert values["findings"][0]["name"] == "leaks"
    assert {*values["sets"]} == {"train", "test"}


def test_bad_rows_are_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = tiny_dataset()
    path = write(tmp_path / "a.csv", [*tiny.texts, " "], [*tiny.labels, "joy"])
    assert main(["audit", str(path), "--near-duplicates", "1", "--quiet"]) == 3
    assert "unusable-rows" in capsys.readouterr().out


def test_other_exit_codes_stay(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(tmp_path / "none.csv")]) == 1
    assert "There is no file" in capsys.readouterr().err
    assert main(["audit", str(data), "-o", str(data)]) == 1
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["audit", str(data), "--tset", "x.csv"])
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert main(["audit", str(empty)]) == 1
    binary = write(tmp_path / "latin.csv", ["caf\xe9"], ["x"])
    binary.write_bytes("text,label\ncaf\xe9 au lait,x\n".encode("latin-1"))
    assert main(["audit", str(binary)]) in (1, 3)


def test_corrections_reach_the_training(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = tiny_dataset()
    labels = ["joy", *tiny.labels[1:]]
    write(data, list(tiny.texts), labels)
    review = tmp_path / "review.csv"
    options = ["--near-duplicates", "1", "-o", str(review), "--quiet"]
    assert main(["audit", str(data), *options]) == 0
    with open(review, encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    places = [row[1] for row in rows]
    assert places[1] == "line 2"
    rows[1][-1] = "anger"
    with open(review, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)

    class Args:
        valid = test = None
        corrections = str(review)

    Args.data = str(data)  # type: ignore[attr-defined]
    dataset, _ = read_data(Args, RunSettings())  # type: ignore[arg-type]
    assert dataset.labels == tiny.labels
