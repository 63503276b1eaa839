"""The audit counts texts and names their places."""

import json
from dataclasses import replace

import pytest

from emoclf.datasets.audit_report import report_contents
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.rows import Skips


@pytest.fixture
def report():
    texts = [
        "I was very happy on that long day with all of you",
        "i was very happy on that  long day with all of you",
        "I was very happy on that long day with all of them",
        "[ No response.]",
        "ok",
        "非常好",
        "Then the dog ran off",
    ]
    labels = ["joy", "anger", "joy", "Joy", "anger", "joy", "Joy"]
    data = Dataset.from_lists(texts, labels, source="data.csv")
    skips = (Skips("empty text", 2, (3, 9)),)
    return report_contents(replace(data, skips=skips))


def test_counts_and_examples(report):
    assert report.n_texts == 7
    assert report.counts == {"Joy": 2, "anger": 2, "joy": 3}
    assert report.imbalance == 1.5
    assert report.words["max"] == 12
    assert report.words["min"] == 1
    assert (report.duplicates.count, report.duplicates.examples) == (1, ("position 1",))
    assert report.near_duplicates.count == 2
    assert report.largest_group == 3
    assert report.conflicts.count == 2
    assert report.near_conflicts.count == 3
    assert report.very_short.examples == ("position 3", "position 4")
    assert report.non_answers.examples == ("position 3",)
    assert report.similar_labels == (("Joy", "joy"),)
    assert report.skipped == {"empty text": 2}


def test_report_lines_and_json(report):
    lines = report.lines()
    assert lines[0] == "data.csv: 7 texts, 3 classes"
    assert "  anger        2   28.6%" in lines
    assert "1 texts are duplicates of an earlier text (first: position 1)" in lines
    assert "labels with similar spelling: 'Joy', 'joy'" in lines
    assert "2 rows dropped: empty text" in lines
    assert json.loads(json.dumps(report.to_dict()))["duplicates"]["count"] == 1


def test_multilabel_and_clean_texts():
    texts = ["one fine day out", "two bad days in"]
    report = report_contents(Dataset.from_lists(texts, [["x", "y"], []]))
    assert report.without_label == 1
    assert report.labels_per_text == 1
    clean = report_contents(Dataset.from_lists(texts, ["x", "y"])).lines()
    assert len(clean) == 5


def test_words_and_labels_of_scripts_with_vowel_signs():
    texts = ["আমি খুব খুশি আছি", "अच्छा है"] * 2
    report = report_contents(Dataset.from_lists(texts, ["अच्छा", "अच्छे"] * 2))
    assert (report.words["min"], report.words["max"]) == (2, 4)
    assert report.similar_labels == ()
