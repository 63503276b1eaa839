"""Teachers in files.

Covers distillation/label_file.py and prediction_reader.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclf.datasets.dataset import Dataset
from emoclf.distillation.label_file import LabelFile
from emoclf.errors import DataError

NAMES = ("anger", "joy")


def write(tmp_path: Path, text: str, name: str = "labels.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_probabilities_by_name(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id,text,joy,anger\n1,I am happy,0.9,0.1\n2,Go away,0.2,0.81\n"
        "3,Go  away,0.2,0.81\n",
    )
    teacher = LabelFile(path, NAMES)
    assert (teacher.name, teacher.label_names, teacher.multilabel) == (
        str(path),
        NAMES,
        False,
    )
    assert not teacher.hard
    assert len(teacher) == 2
    found = teacher.predict_proba(["Go away", "I am happy", "Go away"])
    assert found.dtype == np.float32
    rows = [[0.81 / 1.01, 0.2 / 1.01], [0.1, 0.9], [0.81 / 1.01, 0.2 / 1.01]]
    np.testing.assert_allclose(found, rows, rtol=1e-6)
    assert teacher.covers(["Go away", "never"]).tolist() == [True, False]
    assert teacher.digest() == LabelFile(path, NAMES).digest()
    assert teacher.digest() != LabelFile(path, NAMES[::-1]).digest()


def test_what_predict_writes(tmp_path: Path) -> None:
    columns = "text,label,probability_anger,probability_joy\nGo away,anger,0.7,0.3\n"
    lines = '{"text": "Go away", "probabilities": {"joy": 0.3, "anger": 0.7}}\n'
    for path in (write(tmp_path, columns), write(tmp_path, lines, "labels.jsonl")):
        found = LabelFile(path, NAMES).predict_proba(["Go away"])
        np.testing.assert_allclose(found, [[0.7, 0.3]], rtol=1e-6)


def test_several_labels_need_no_sum(tmp_path: Path) -> None:
    path = write(tmp_path, "text,anger,joy\nOh,0.9,0.8\n")
    found = LabelFile(path, NAMES, multilabel=True).predict_proba(["Oh"])
    np.testing.assert_allclose(found, [[0.9, 0.8]], rtol=1e-6)


def test_labels_and_their_noise(tmp_path: Path) -> None:
    rows = [f"text {i},{'joy' if i % 4 else 'anger'}" for i in range(40)]
    path = write(tmp_path, "\n".join(["text,label", *rows]))
    teacher = LabelFile(path, NAMES)
    assert teacher.hard
    found = teacher.predict_proba(["text 0", "text 1"])
    assert found.tolist() == [[1, 0], [0, 1]]
    texts = [f"text {i}" for i in range(20, 60)]
    labels = ["joy"] * 39 + ["anger"]
    agreement = teacher.agreement(Dataset.from_lists(texts, labels))
    assert agreement is not None
    # Twenty of these texts are in the file, and five of them have another label.
    assert (agreement.statistic, agreement.n) == (0.75, 20)
    others = Dataset.from_lists(["a", "b"], ["joy", "anger"])
    assert teacher.agreement(others) is None


def test_lists_of_labels(tmp_path: Path) -> None:
    path = write(tmp_path, "text,label\nOh,joy|anger\nAh,joy\n")
    teacher = LabelFile(path, NAMES, multilabel=True, label_separator="|")
    assert teacher.predict_proba(["Oh", "Ah"]).tolist() == [[1, 1], [0, 1]]
    data = Dataset.from_lists(["Oh", "Ah"], [["joy", "anger"], ["anger"]])
    agreement = teacher.agreement(data)
    assert agreement is not None
    assert agreement.statistic == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,joy\na,1\n", "no column of probabilities for 'anger'"),
        ("text,joy,angr\na,1,0\n", "for 'anger'. Did you mean 'angr'"),
        ("text,joy,anger\nb,1,0\na,1,1\n", "line 3: .*add up to 1. Their sum is 2.000"),
        ("text,joy,anger\na,60,40\n", "from 0 to 1. Got '40'.*divide percentages"),
        ("text,joy,anger\na,nan,1\n", "'joy' must be a number.*Got 'nan'"),
        ("text,joy,anger\na,,1\n", "line 2: the probability of 'joy'.*Got ''"),
        (
            "text,joy,anger\na,0,1\nb,0,1\na,1,0\n",
            "lines 2 and 4: the text is the same",
        ),
        ("text,label\na,joi\n", "'joi' is not one of anger, joy. Did you mean 'joy'"),
        ("text,score\na,1\n", "no column with a usual name for labels.*Or give one"),
        ("text,joy,anger\n", "contains no texts"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        LabelFile(write(tmp_path, text), NAMES)


def test_other_texts(tmp_path: Path) -> None:
    teacher = LabelFile(write(tmp_path, "text,joy,anger\na,0,1\n"), NAMES)
    with pytest.raises(DataError, match=r"lacks 2 of 3 texts, such as 'b'\. Add them"):
        teacher.predict_proba(["a", "b", "c"])
    with pytest.raises(DataError, match=r"There is no|does not exist|No such"):
        LabelFile(tmp_path / "none.csv", NAMES)
