"""Make the classifiers that come with the package.

``EMOCLF_DATA=… python tests/make_ready_classifiers.py emotions-en``
``EMOCLF_DATA=… python tests/make_ready_classifiers.py sentiment-en --encoder FOLDER``

A tenth of GoEmotions' training set chooses the epoch and the thresholds; its dev part
is only evaluated. ``sentiment-en`` is distilled from an encoder that is fine-tuned
first, on the other nine tenths. ``emoclf/ready/README.md`` has the metrics.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from emoclf import (
    Predictor,
    distil_classifier,
    fine_tune_encoder,
    load_exported,
    train_classifier,
)
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


def nine_tenths_and_one(data: Dataset) -> tuple[Dataset, Dataset]:
    """Return nine tenths, and one that chooses the epoch and the thresholds."""
    rest, held_out = hold_out(data, 0.1, seed=0, near_duplicates=1.0)
    return data.take(rest), data.take(held_out)


def distilled_sentiment(
    folder: Path, work: Path, encoder: Path, *, with_reviews: bool
) -> Predictor:
    """Distil from an encoder that was fine-tuned on the same texts; all is kept."""
    comments = goemotions(folder, "train")
    data, texts = as_sentiment(comments), set(comments.texts)
    if with_reviews:
        reviews = movie_reviews(folder, "train")
        data, texts = joined(data, reviews), texts | set(reviews.texts)
    train, valid = nine_tenths_and_one(data)
    predictions = work / "predictions.csv"
    if not predictions.exists():
        teacher = fine_tune_encoder(
            train, encoder, epochs=2, checkpoint=work / "checkpoint", resume=True
        )
        columns = train.label_names
        table = pd.DataFrame(teacher.predict_proba(sorted(texts)), columns=columns)
        table.insert(0, "text", sorted(texts))
        table.to_csv(predictions, index=False)
    return distil_classifier(
        train,
        valid,
        # Movie reviews add many rare words.
        {**SETTINGS, "min_count": 5 if with_reviews else 4},
        teacher_labels=predictions,
        unlabelled_words=0,
        verbose=0,
    ).predictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("emotions-en", "sentiment-en"))
    text = "train sentiment-en without MR's training set"
    parser.add_argument("--without-mr", action="store_true", help=text)
    text = "encoder that is fine-tuned and teaches sentiment-en"
    parser.add_argument("--encoder", type=Path, help=text)
    text = "folder for the teacher and its predictions, which are used again"
    parser.add_argument(
        "--work", type=Path, default=Path("sentiment-en.work"), help=text
    )
    parser.add_argument("--output", type=Path, default=None)
    args = parser.parse_args()
    if "EMOCLF_DATA" not in os.environ:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    folder = Path(os.environ["EMOCLF_DATA"])
    dev = goemotions(folder, "dev")
    if args.name == "emotions-en":
        train, valid = nine_tenths_and_one(goemotions(folder, "train"))
        predictor = train_classifier(train, valid, SETTINGS, verbose=0).predictor
    else:
        if args.encoder is None:
            parser.error("sentiment-en needs --encoder")
        dev = as_sentiment(dev)
        predictor = distilled_sentiment(
            folder, args.work, args.encoder, with_reviews=not args.without_mr
        )
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
