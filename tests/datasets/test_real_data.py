"""Opt-in: counts of real data sets, from the folder that EMOCLF_DATA names.

Tests of emoclf.datasets: readers, split and duplicates.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from leaks import count_leaks

from emoclf.datasets.duplicates import group_duplicates
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import split_dataset
from emoclf.settings import DataSettings

FOLDER = os.environ.get("EMOCLF_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER, reason="EMOCLF_DATA does not name a folder"),
]
ROOT = Path(FOLDER or ".")


def goemotions():
    names = (ROOT / "goemotions/labels.txt").read_text("utf-8").split()
    settings = DataSettings(
        text_column="1",
        label_column="2",
        label_separator=",",
        label_names={str(i): name for i, name in enumerate(names)},
    )
    return read_dataset(ROOT / "goemotions/train.tsv", settings), names


@pytest.mark.parametrize(
    ("name", "n_texts", "n_classes", "near"),
    [
        ("isear/train.csv", 5083, 7, 14),
        ("mr/train.csv", 7248, 2, 0),
        ("ag_news/train.csv", 4999, 4, 9),
        ("waimai/train.csv", 9584, 2, 86),
    ],
)
def test_tables(name, n_texts, n_classes, near):
    data = read_dataset(ROOT / name)
    assert (len(data), len(data.label_names)) == (n_texts, n_classes)
    split = split_dataset(data)
    assert count_leaks(split) == {}
    assert len(split.test) == pytest.approx(0.15 * n_texts, abs=3)
    groups = group_duplicates(data.texts)
    assert n_texts - groups.max() - 1 == pytest.approx(near, abs=1)


def test_goemotions_is_multilabel():
    data, names = goemotions()
    assert data.multilabel
    assert len(data) == 43_410
    assert data.label_names == tuple(names)
    split = split_dataset(data)
    for name, count in data.counts().items():
        assert split.test.counts()[name] == pytest.approx(0.15 * count, abs=4)


def test_100000_texts_are_grouped_in_a_minute():
    texts = list(goemotions()[0].texts)
    rng = np.random.default_rng(0)
    words = [word for text in texts[:5000] for word in text.split()]
    while len(texts) < 100_000:
        picked = rng.integers(0, len(words), 20)
        texts.append(" ".join(words[i] for i in picked))
    start = time.perf_counter()
    group_duplicates(texts)
    assert time.perf_counter() - start < 60
