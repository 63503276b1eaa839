"""Each finding is made where it is true, and not where it is not.

Tests of emoclf.audit.dataset_audit and of the checks that it calls.
"""

from __future__ import annotations

import json
import random

import pytest

from emoclf import Audit, Dataset, Split, audit_dataset
from emoclf.datasets.rows import Skips
from emoclf.errors import DataError


def clean_texts(n: int = 60, seed: int = 0) -> list[str]:
    """Return different English sentences, of which no two are near-duplicates."""
    rng = random.Random(seed)
    words = (
        "river window silver garden morning letter music yellow winter bottle table "
        "doctor paper kitchen flower summer mountain ticket engine pocket island market"
    ).split()
    return [" ".join(rng.sample(words, 7)) for _ in range(n)]


def clean(n: int = 60, seed: int = 0) -> Dataset:
    return Dataset.from_lists(clean_texts(n, seed), ["joy", "anger"] * (n // 2))


def names(*parts: Dataset, **options: object) -> dict[str, str]:
    """Return the worst severity of each finding by name."""
    sets = dict(zip(("train", "valid", "test"), parts, strict=False))
    audit = audit_dataset(**sets, **options)
    found: dict[str, str] = {}
    for finding in audit.findings:
        found.setdefault(finding.name, finding.severity)
    return found


def with_texts(*texts: str, labels: list[str] | None = None) -> Dataset:
    """Return the clean dataset and some other texts."""
    data = clean()
    labels = labels or ["joy"] * len(texts)
    return Dataset.from_lists([*data.texts, *texts], [*data.labels, *labels])


def test_clean_sets_have_no_findings() -> None:
    assert names(clean(), clean(20, seed=1), clean(20, seed=2)) == {}


def test_leaks_across_sets() -> None:
    train, test = clean(), clean(20, seed=1)
    twin = train.texts[3].upper() + " !"
    leaking = Dataset.from_lists([*test.texts, twin], [*test.labels, train.labels[3]])
    audit = audit_dataset(train, test=leaking)
    (leak,) = audit.findings
    assert (leak.name, leak.severity) == ("leaks", "error")
    assert leak.evidence["places"] == ["position 20"]
    assert "train, position 3" in leak.evidence["examples"][0]
    assert "1 of 21 test texts (4.8%) are duplicates" in leak.message
    assert audit.has_errors


def test_few_leaks_are_a_warning() -> None:
    test = clean(1000, seed=1)
    assert names(test.take(range(1)), test)["leaks"] == "warning"


def test_conflicts_within_and_across_sets() -> None:
    text = "the train was late again and I waited in the rain"
    both = with_texts(text, text.upper(), labels=["joy", "anger"])
    assert names(both)["conflicting-labels"] == "error"
    many = clean(1000)
    texts, labels = [*many.texts, text, text], [*many.labels, "joy", "anger"]
    found = names(Dataset.from_lists(texts, labels))
    assert found["conflicting-labels"] == "warning"
    one = with_texts(text, labels=["joy"])
    other = Dataset.from_lists(
        [text, *clean(20, seed=3).texts], ["anger", "joy"] * 10 + ["joy"]
    )
    assert names(one, other)["conflicting-labels"] == "error"
    near = with_texts(text, text.replace("again", "once"), labels=["joy", "anger"])
    assert names(near)["near-conflicts"] == "note"


def test_duplicates_within_a_set() -> None:
    data = clean()
    assert names(data.take([*range(60), 0])) == {"duplicates": "note"}
    assert names(data.take([*range(60), *range(0, 40, 2)]))["duplicates"] == "warning"


def test_labels() -> None:
    data = clean()
    assert names(data.take(range(0, 60, 2)))["one-class"] == "error"
    rare = Dataset.from_lists(data.texts, ["joy"] * 57 + ["anger"] * 3)
    assert names(rare)["class-imbalance"] == "warning"
    single = Dataset.from_lists(data.texts, ["joy", "anger"] * 29 + ["joy", "fear"])
    assert names(single)["single-labels"] == "error"
    other = Dataset.from_lists(clean_texts(20, 1), ["joy", "fear"] * 10)
    assert names(data, other)["classes-differ"] == "error"
    only_joy = Dataset.from_lists(clean_texts(20, 1), ["joy"] * 20)
    assert names(data, only_joy) == {"classes-differ": "warning"}


@pytest.mark.parametrize(
    ("rare", "severity"),
    [("Joy", "error"), ("joy!", "error"), ("jooy", "warning"), ("fear", None)],
)
def test_similar_labels(rare: str, severity: str | None) -> None:
    data = Dataset.from_lists(clean_texts(), ["joy", "anger"] * 29 + [rare, rare])
    assert names(data).get("similar-labels") == severity


def test_multilabel_texts_without_label() -> None:
    labels = [["joy"], ["joy", "anger"], []] * 20
    assert names(Dataset.from_lists(clean_texts(), labels)) == {"without-label": "note"}
    with pytest.raises(DataError, match="one label for each text"):
        audit_dataset(Dataset.from_lists(clean_texts(), labels), clean())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[ No response.]", "non-answers"),
        ("n/a", "non-answers"),
        ("so glad", "very-short"),
        ("the doctor <br/> called us in the morning", "html"),
        ("the doctor &amp; my friend were in the garden", "html"),
        ("the doctorâ€™s letter was in the kitchen", "mojibake"),
        ("the cafÃ© in the garden was closed in winter", "mojibake"),
        ("the garden \ufffd was closed in winter", "mojibake"),
        ("Я был очень счастлив сегодня утром", "other-script"),
        ("昨日はとても楽しかったです", "other-script"),
        ("gestern haben wir zusammen viel gelacht und getrunken", "other-language"),
    ],
)
def test_odd_texts(text: str, name: str) -> None:
    found = names(with_texts(text))
    assert found.pop(name) in ("warning", "note")
    # A text of another script has no English words either.
    assert {*found} <= {"other-language", "very-short"}


@pytest.mark.parametrize(
    "text",
    [
        "I was at a café in Zürich, and it was “lovely” – really!",
        "if a < b and b > c then we go home; R & D at AT&T; I <3 it",
        "no, the answer was not what I expected from you",
        "À la fin, l’Île était déserte: the end of the story",
    ],
)
def test_ordinary_texts_are_no_findings(text: str) -> None:
    assert names(with_texts(text)) == {}


def test_length_and_vectors() -> None:
    long = [" ".join(clean_texts(6, i)) for i in range(30)]
    data = Dataset.from_lists([*clean_texts(30), *long], ["joy", "anger"] * 30)
    assert "texts-cut" not in names(data)
    assert names(data, max_length=20)["texts-cut"] == "warning"
    vectors = (["river", "window"], [[1.0, 0.0], [0.0, 1.0]])
    assert names(clean(), vectors=vectors)["low-coverage"] == "warning"
    audit = audit_dataset(clean())
    assert audit.coverage.tokens == 1
    assert audit.max_length >= 7


def test_rows_that_were_dropped() -> None:
    skips = (Skips("empty text", 7, (2, 3, 4, 5, 6)),)
    data = clean()
    train = Dataset(data.texts, data.labels, data.label_names, skips=skips)
    audit = audit_dataset(train)
    (rows,) = audit.findings
    assert (rows.name, rows.severity, rows.evidence["rows"]) == (
        "unusable-rows",
        "error",
        7,
    )
    parts = ("train",) * 40 + ("test",) * 20
    divided = Dataset(
        data.texts, data.labels, data.label_names, parts=parts, skips=skips
    )
    audit = audit_dataset(divided)
    assert {*audit.reports} == {"train", "test"}
    assert [one.name for one in audit.findings] == ["unusable-rows"]


def test_forms_of_the_arguments() -> None:
    split = Split(clean(), clean(20, seed=1))
    assert {*audit_dataset(split).reports} == {"train", "valid"}
    with pytest.raises(DataError, match="leave it out"):
        audit_dataset(split, clean())
    frame = clean().to_frame()
    assert audit_dataset(frame).findings == ()
    table = audit_dataset(clean(), test=clean(20, seed=1)).to_frame()
    assert table.loc[("test", "joy"), "texts"] == 10


def test_lines_and_json() -> None:
    audit = audit_dataset(with_texts("[ No response.]", "so glad, " * 40))
    assert isinstance(audit, Audit)
    assert max(map(len, audit.lines())) <= 80
    assert any("non-answers" in line for line in audit.lines())
    values = json.loads(json.dumps(audit.to_dict()))
    assert values["sets"]["train"]["n_texts"] == 62
    assert values["wrong_labels"] is None
    assert {one["name"] for one in values["findings"]} >= {"non-answers"}
