"""Cross-validate the defaults and TF-IDF + SVM on the same folds.

``EMOCLF_DATA=… python tests/benchmarks/accuracy.py isear mr --folds 5 --filters 200``

Each fold of train + valid is predicted by a network trained on the rest; a tenth of the
rest chooses the epoch. The test sets are not read.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from emoclf.datasets.dataset import Dataset
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import hold_out, stratified_folds
from emoclf.evaluation.baselines import tfidf_baseline
from emoclf.settings import RunSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.workflow.train import train_classifier

VECTORS = "vectors/imdb-w2v-300-cut.bin"
SETS: dict[str, dict] = {
    "isear": {"vectors": VECTORS},
    "mr": {"vectors": VECTORS},
    "ag_news": {"vectors": VECTORS},
    "waimai": {},
    "waimai-jieba": {"tokenizer": "jieba"},
}
HELD_OUT_SHARE = 0.1


def read(folder: Path, name: str) -> Dataset:
    """Return train + valid of a set."""
    datasets = [
        read_dataset(path)
        for part in ("train", "valid")
        if (path := folder / name.split("-")[0] / f"{part}.csv").exists()
    ]
    texts = [text for dataset in datasets for text in dataset.texts]
    labels = [label for dataset in datasets for label in dataset.labels]
    return Dataset.from_lists(texts, labels)


def run_fold(
    data: Dataset, fold: tuple[np.ndarray, np.ndarray], settings: RunSettings
) -> np.ndarray:
    """Return accuracy and macro-F1 of the network, then of the baseline."""
    rest, test = data.take(fold[0]), data.take(fold[1])
    train, valid = hold_out(rest, HELD_OUT_SHARE, seed=settings.seed)
    trained = train_classifier(rest.take(train), rest.take(valid), settings)
    network = trained.predictor.predict_proba(test.texts).argmax(1)
    tokenizer = new_tokenizer(settings.text)
    baseline = tfidf_baseline(tokenizer.batch(rest.texts), rest.label_ids)
    predictions = (network, baseline(tokenizer.batch(test.texts)))
    truth = test.label_ids
    present = np.unique(truth)
    return np.array(
        [
            metric
            for predicted in predictions
            for metric in (
                (predicted == truth).mean(),
                f1_score(truth, predicted, labels=present, average="macro"),
            )
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["isear", "mr"], metavar="SET")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args, options = parser.parse_known_args()
    folder = os.environ.get("EMOCLF_DATA")
    if not folder:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    from emoclf.cli.options import add_settings, given_settings

    settings_parser = argparse.ArgumentParser()
    add_settings(settings_parser)
    given = given_settings(settings_parser.parse_args(options))
    for name in args.sets:
        values = dict(SETS[name])
        if "vectors" in values:
            values["vectors"] = str(Path(folder) / values["vectors"])
        data = read(Path(folder), name)
        metrics, start = [], time.perf_counter()
        for number, fold in enumerate(
            stratified_folds(data, args.folds, seed=args.seed)
        ):
            settings = RunSettings.from_flat(**{**values, **given, "seed": number})
            metrics.append(run_fold(data, fold, settings))
            print(f"{name} fold {number + 1}: {metrics[-1].round(4)}", flush=True)
        mean, spread = np.mean(metrics, axis=0), np.std(metrics, axis=0, ddof=1)
        shown = [f"{m:.4f} ± {s:.4f}" for m, s in zip(mean, spread, strict=True)]
        print(
            f"{name}: network accuracy {shown[0]}, macro-F1 {shown[1]}; TF-IDF + SVM "
            f"accuracy {shown[2]}, macro-F1 {shown[3]}; "
            f"{time.perf_counter() - start:.0f} s"
        )


if __name__ == "__main__":
    main()
