"""Files of labels as teachers; tests of emoclf.distillation.file_teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclf.datasets.dataset import Dataset
from emoclf.distillation.file_teacher import FileTeacher
from emoclf.errors import DataError
from emoclf.settings import DataSettings

TRAIN = Dataset.from_lists(
    [f"text {i}" for i in range(9)], ["anger", "fear", "joy"] * 3
)


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        # One text that is wrong says little; labels never count as worse than chance.
        ({0: "joy"}, 1 / 3),
        ({0: "anger"}, 2 / 4),
        ({0: "anger", 1: "fear", 2: "joy", 3: "anger", 4: "joy"}, 5 / 8),
        (dict.fromkeys((0, 1, 3, 4), "joy"), 1 / 3),
    ],
)
def test_few_texts_do_not_turn_labels_around(
    tmp_path: Path, labels: dict[int, str], share: float
) -> None:
    rows = [f"text {i},{label}" for i, label in labels.items()]
    path = write(tmp_path, "text,label", *rows, "new,fear")
    teacher = FileTeacher(path, TRAIN, DataSettings())
    (row,) = teacher.predict_proba(["new"])
    rest = (1 - share) / 2
    np.testing.assert_allclose(row, [rest, share, rest], atol=1e-6)


def test_the_columns_of_the_data_where_the_file_has_them(tmp_path: Path) -> None:
    settings = DataSettings(text_column="Q1", label_column="verdict")
    path = write(tmp_path, "Q1,verdict,text", "new,joy,other")
    teacher = FileTeacher(path, TRAIN, settings)
    assert teacher.file.covers(["new", "other"]).tolist() == [True, False]
    lines = tmp_path / "labels.jsonl"
    lines.write_text('{"Q1": "new", "verdict": "joy"}\n', encoding="utf-8")
    assert FileTeacher(lines, TRAIN, settings).file.covers(["new"]).all()
    # A file with the usual names needs no others.
    path = write(tmp_path, "text,verdict", "new,joy")
    assert FileTeacher(path, TRAIN, settings).file.covers(["new"]).all()
    with pytest.raises(DataError, match=r"no column with a usual .*It lacks 'Q1', so"):
        FileTeacher(write(tmp_path, "Q,verdict", "a,joy"), TRAIN, settings)
