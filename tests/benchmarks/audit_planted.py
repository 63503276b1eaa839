"""What the audit finds of errors that were planted in real sentences.

Into the sentences of MR (positive and negative) are planted: near-duplicates of
training texts in the test set, texts that occur under both labels, and flipped labels.

    EMOCLF_DATA=… python tests/benchmarks/audit_planted.py [--seeds 3]
"""

from __future__ import annotations

import argparse
import os
import random
import time
from pathlib import Path

from emoclf import Dataset, audit_dataset, read_dataset

FLIPPED, LEAKED, CONFLICTING = 0.05, 0.03, 0.02
OTHER = {"pos": "neg", "neg": "pos"}


def read_mr() -> tuple[Dataset, Dataset]:
    """Return the training and the validation file."""
    folder = Path(os.environ["EMOCLF_DATA"]) / "mr"
    train, valid = (
        read_dataset(next(folder.glob(f"*{name}*.csv"))) for name in ("train", "valid")
    )
    return train, valid


def near_copy(text: str, rng: random.Random) -> str:
    """Return a text in which a word in ten is left out, or case and marks differ."""
    words = text.split()
    kind = rng.randrange(3)
    if kind == 0:
        return text.upper()
    if kind == 1:
        return f"{text} !!!"
    for _ in range(max(1, len(words) // 10)):
        words.pop(rng.randrange(len(words)))
    return " ".join(words)


def labelled(texts: list[str], labels: list[str], name: str) -> Dataset:
    return Dataset.from_lists(texts, labels, source=name)


def run(seed: int) -> None:
    rng = random.Random(seed)
    train, valid = read_mr()
    texts, labels = list(train.texts), list(train.labels)
    test_texts, test_labels = list(valid.texts), list(valid.labels)
    n_clean = len(test_texts)
    # Near-duplicates of training texts in the other set.
    long_texts = [i for i, text in enumerate(texts) if len(text.split()) >= 12]
    leaked = rng.sample(long_texts, round(LEAKED * len(texts)))
    for i in leaked:
        test_texts.append(near_copy(texts[i], rng))
        test_labels.append(labels[i])
    # The same texts under the other label.
    pairs = rng.sample(range(len(texts)), round(CONFLICTING * len(texts)))
    pairs = [i for i in pairs if i not in set(leaked)]
    conflicts = {texts[i] for i in pairs}
    for i in pairs:
        texts.append(texts[i])
        labels.append(OTHER[labels[i]])
    start = time.perf_counter()
    audit = audit_dataset(
        labelled(texts, labels, "train"), test=labelled(test_texts, test_labels, "test")
    )
    seconds = time.perf_counter() - start
    found = {one.name: one for one in audit.findings}
    places = {int(place.split()[-1]) for place in found["leaks"].evidence["places"]}
    named = audit.reports["train"].conflicts.count
    recall = len([i for i in places if i >= n_clean]) / len(leaked)
    wrong = len([i for i in places if i < n_clean]) / n_clean
    print(
        f"seed {seed}: {recall:.1%} of {len(leaked)} leaks found, "
        f"{wrong:.2%} of {n_clean} clean texts named; "
        f"conflicting texts: {named} of {2 * len(conflicts)}; {seconds:.1f} s"
    )
    # Flipped labels, in the whole of MR.
    labels = [*train.labels, *valid.labels]
    flipped = set(rng.sample(range(len(labels)), round(FLIPPED * len(labels))))
    labels = [OTHER[x] if i in flipped else x for i, x in enumerate(labels)]
    start = time.perf_counter()
    everything = labelled([*train.texts, *valid.texts], labels, "all")
    ranking = audit_dataset(everything, wrong_labels=True).wrong_labels
    seconds = time.perf_counter() - start
    assert ranking is not None
    order = [int(one.place.split()[-1]) for one in ranking]
    tenth = order[: len(order) // 10]
    share = len(flipped & set(tenth)) / len(flipped)
    issues = len(ranking.issues)
    hits = len(flipped & set(order[:issues]))
    print(
        f"seed {seed}: {share:.1%} of {len(flipped)} flipped labels in the first tenth "
        f"of the ranking; {issues} label issues, {hits} of them flipped; "
        f"{seconds:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    for number in range(parser.parse_args().seeds):
        run(number)
