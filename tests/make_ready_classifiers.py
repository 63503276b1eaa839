"""Make the classifiers that come with the package.

``EMOCLF_DATA=… python tests/make_ready_classifiers.py emotions-en``

A tenth of GoEmotions' training set chooses the epoch and the thresholds; its dev part
is only evaluated. ``emoclf/ready/README.md`` has the metrics.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from emoclf import Predictor, load_exported, train_classifier
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import hold_out
from emoclf.evaluation.evaluate import evaluate_part
from emoclf.export.folded import export_folded

READY = Path(__file__).parents[1] / "emoclf" / "ready"
NEUTRAL = "neutral"
#: GoEmotions' own grouping (sentiment_mapping.json of its repository); the other
#: labels are ambiguous.
POSITIVE = (
    "amusement excitement joy love desire optimism caring pride admiration gratitude "
    "relief approval"
).split()
NEGATIVE = (
    "fear nervousness remorse embarrassment disappointment sadness grief disgust anger "
    "annoyance disapproval"
).split()
SETTINGS: dict[str, Any] = {
    "vectors": "starter",
    "kernel_sizes": [1, 2, 3],
    "filters": 128,
    "epochs": 8,
    "patience": 2,
    # So that the export has less than 4 MB.
    "min_count": 4,
    "vector_words": 0,
    "max_length": 128,
    # With so many texts it gains nothing.
    "ngrams": False,
    "near_duplicates": 1.0,
}


def goemotions(folder: Path, part: str) -> Dataset:
    """Return a part of GoEmotions with the names of its labels."""
    names = (folder / "goemotions" / "labels.txt").read_text().split()
    data = read_dataset(
        folder / "goemotions" / f"{part}.tsv",
        header=False,
        text_column="1",
        label_column="2",
        label_separator=",",
    )
    labels = [[names[int(label)] for label in row] for row in data.labels]
    return Dataset.from_lists(data.texts, labels, label_names=names)


def as_sentiment(data: Dataset) -> Dataset:
    """Return texts of one sentiment; ambiguous and mixed ones are left out."""
    group = {NEUTRAL: NEUTRAL, **dict.fromkeys(POSITIVE, "positive")}
    group |= dict.fromkeys(NEGATIVE, "negative")
    texts, labels = [], []
    for text, row in zip(data.texts, data.labels, strict=True):
        groups = {group.get(label, "ambiguous") for label in row}
        # A neutral label beside an emotion does not contradict it.
        if len(groups) > 1:
            groups.discard(NEUTRAL)
        if len(groups) == 1 and "ambiguous" not in groups:
            texts.append(text)
            labels.append(groups.pop())
    return Dataset.from_lists(texts, labels, label_names=sorted(set(labels)))


def joined(first: Dataset, second: Dataset) -> Dataset:
    """Return the texts of two datasets of one label each."""
    return Dataset.from_lists(
        [*first.texts, *second.texts],
        [*first.labels, *second.labels],
        label_names=first.label_names,
    )


def movie_reviews(folder: Path, part: str) -> Dataset:
    """Return a part of MR with the labels of the sentiment classifier."""
    data = read_dataset(folder / "mr" / f"{part}.csv")
    names = {"pos": "positive", "neg": "negative"}
    labels = [names.get(str(label), str(label)) for label in data.labels]
    return Dataset.from_lists(data.texts, labels)


def train(data: Dataset, **flat: Any) -> Predictor:
    """Train on nine tenths; the last one chooses the epoch and the thresholds."""
    rest, held_out = hold_out(data, 0.1, seed=0, near_duplicates=1.0)
    settings = {**SETTINGS, **flat}
    return train_classifier(
        data.take(rest), data.take(held_out), settings, verbose=0
    ).predictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("emotions-en", "sentiment-en"))
    text = "train sentiment-en without MR's training set"
    parser.add_argument("--without-mr", action="store_true", help=text)
    parser.add_argument("--output", type=Path, default=None)
    args = parser.parse_args()
    if "EMOCLF_DATA" not in os.environ:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    folder = Path(os.environ["EMOCLF_DATA"])
    data, dev = goemotions(folder, "train"), goemotions(folder, "dev")
    if args.name == "sentiment-en":
        data, dev = as_sentiment(data), as_sentiment(dev)
        if not args.without_mr:
            data = joined(data, movie_reviews(folder, "train"))
    # Movie reviews add many rare words.
    is_joined = args.name == "sentiment-en" and not args.without_mr
    predictor = train(data, min_count=5) if is_joined else train(data)
    output = args.output or READY / args.name
    export_folded(predictor, output, int8=True, overwrite=True)
    size = sum(path.stat().st_size for path in output.iterdir())
    network = evaluate_part(predictor, dev, part="dev")
    folded = evaluate_part(load_exported(output), dev, part="dev")
    print(
        f"{output}: {size} bytes; macro-F1 on {len(dev)} texts of dev: network "
        f"{network.macro_f1:.4f}, export {folded.macro_f1:.4f}; accuracy "
        f"{network.accuracy:.4f}, {folded.accuracy:.4f}"
    )


if __name__ == "__main__":
    main()
