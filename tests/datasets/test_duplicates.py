"""Groups of near-duplicates: none is wrong, and hardly any is missed."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from emoclf.datasets import duplicates
from emoclf.datasets.audit_report import report_contents
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.duplicates import (
    bands_for,
    group_duplicates,
    group_parts,
    shingles,
)
from emoclf.datasets.split import split_dataset
from emoclf.datasets.split_files import read_split
from emoclf.settings import DataSettings


def jaccard(a, b):
    return len(a & b) / len(a | b)


def noisy_texts(n_families, seed, *, length=20, changed=3):
    """Make families of texts of which some words were replaced."""
    rng = random.Random(seed)
    words = [f"w{i}" for i in range(2000)]
    texts = []
    for _ in range(n_families):
        base = rng.sample(words, length)
        for _ in range(3):
            copy = list(base)
            for place in rng.sample(range(length), rng.randrange(changed + 1)):
                copy[place] = rng.choice(words)
            texts.append(" ".join(copy))
    rng.shuffle(texts)
    return texts


def components(texts, threshold):
    """Group by comparing every pair, as the definition says."""
    sets = [shingles(text) for text in texts]
    group = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        if jaccard(sets[i], sets[j]) >= threshold - 1e-12 and group[i] != group[j]:
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    return group


def partition(groups):
    found = {}
    for i, group in enumerate(np.asarray(groups).tolist()):
        found.setdefault(group, []).append(i)
    return {tuple(members) for members in found.values()}


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 0.9])
def test_groups_are_those_of_all_pairs(threshold):
    texts = noisy_texts(60, seed=1)
    found = group_duplicates(texts, threshold)
    assert partition(found) == partition(components(texts, threshold))


def test_pairs_exactly_at_the_threshold_are_found():
    # 18 of 20 words shared: 16 / 20 = 0.8 exactly, where the search is weakest.
    rng = random.Random(2)
    texts = []
    for i in range(1000):
        words = [f"{i}x{j}" for j in range(20)]
        rng.shuffle(words)
        texts += [" ".join(words[:18]), " ".join(words[2:])]
    assert jaccard(shingles(texts[0]), shingles(texts[1])) == 0.8
    groups = group_duplicates(texts, 0.8)
    found = np.mean(groups[::2] == groups[1::2])
    assert found >= 0.99
    assert groups.max() + 1 >= 1000  # and no two families are joined
    assert group_duplicates(texts, 0.81).max() + 1 == 2000


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8, 0.99])
def test_bands_find_pairs_at_the_threshold(threshold):
    bands, rows = bands_for(threshold)
    assert 1 - (1 - threshold**rows) ** bands >= 0.998


def test_case_space_and_order():
    texts = ["No way, Jose", "no  way, JOSE ", "Jose: no way!", "other"]
    assert group_duplicates(texts, 1.0).tolist() == [0, 0, 1, 2]
    assert group_duplicates(texts, 0.9).tolist() == [0, 0, 0, 1]


def test_texts_without_words_or_spaces():
    texts = ["!!!", "!!!", "???", "😀", "😀 ", "…"]
    assert group_duplicates(texts, 0.8).tolist() == [0, 0, 1, 2, 2, 3]
    chinese = ["味道不错,送餐也很快", "味道不错送餐也很快!", "完全不一样的评论"]
    assert group_duplicates(chinese, 0.6).tolist() == [0, 0, 1]
    assert shingles("好 ok") == {"好", "ok"}
    assert shingles("ไทยก") == {"ไท", "ทย", "ยก"}


MARKED = [
    ("अच्छा है", "अच्छे हो"),  # Hindi
    ("வந்தான் அவன்", "வந்தாள் அவள்"),  # Tamil
    ("తెలుగు", "తెలుగో"),  # Telugu
    ("שָׁלוֹם", "שֵׁלוּם"),  # Hebrew with points
]


@pytest.mark.parametrize("pair", MARKED)
def test_marks_do_not_break_words(pair):
    for text in pair:
        assert len(shingles(text)) == len(text.split())
    assert group_duplicates(pair, 0.8).tolist() == [0, 1]


def test_words_have_no_punctuation():
    assert shingles("I didn't :-) pay 3.5!") == {"i", "didn", "t", "pay", "3", "5"}


def test_edges():
    assert group_duplicates([], 0.8).tolist() == []
    assert group_duplicates(["a"], 0.8).tolist() == [0]
    assert group_duplicates(["a\ud800", "a\ud800"], 0.8).tolist() == [0, 0]


def test_many_similar_texts_are_fast():
    """One bucket of thousands must not cost the square of it."""
    rng = random.Random(0)
    frame = " ".join(f"w{i}" for i in range(30))
    texts = [f"{frame} {rng.random()}" for _ in range(3000)]
    assert group_duplicates(texts, 0.8).max() == 0


@pytest.fixture
def searches(monkeypatch):
    """Return a list that gets the number of texts of each search."""
    calls = []
    search = duplicates._near_duplicates

    def counted(incidence, threshold):
        calls.append(incidence.shape[0])
        return search(incidence, threshold)

    monkeypatch.setattr(duplicates, "_near_duplicates", counted)
    return calls


def twice(n, name="text"):
    texts = [f"{name} {i // 2}" for i in range(n)]
    return Dataset.from_lists(texts, ["x", "y"] * (n // 2))


def test_a_split_and_an_audit_group_once(searches):
    data = twice(40)
    split_dataset(data, test_fraction=0.3)
    report_contents(data)
    assert searches == [20]


def test_a_split_column_and_an_audit_group_once(searches):
    data = replace(twice(40), parts=("train",) * 30 + ("test",) * 10)
    split_dataset(data)
    report_contents(data)
    assert searches == [20]


def test_files_and_an_audit_group_once(searches, tmp_path):
    paths = {}
    for name, n in (("train", 40), ("test", 10)):
        paths[name] = tmp_path / f"{name}.csv"
        rows = [f"{text},{label}" for text, label in twice(n, name)]
        paths[name].write_text("\n".join(["text,label", *rows]))
    data, split = read_split(paths["train"], DataSettings(), test=paths["test"])
    report_contents(data)
    assert searches == [25]
    assert len(split.valid) > 0


def test_groups_across_datasets():
    one = Dataset.from_lists(["what a day", "so sad"], ["x", "y"])
    two = Dataset.from_lists(["So  sad", "what a day!", "other"], ["y", "x", "x"])
    first, second = group_parts([one, two], 0.8)
    assert (first.tolist(), second.tolist()) == ([0, 1], [1, 0, 2])
    assert two.duplicate_groups(0.8).tolist() == [0, 1, 2]
