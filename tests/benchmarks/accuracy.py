"""Cross-validate the defaults beside TF-IDF + SVM and averaged vectors, on equal folds.

``EMOCLF_DATA=… python tests/benchmarks/accuracy.py isear mr --folds 5 --filters 200``

Each fold of train + valid is predicted by a network trained on the rest; a tenth of the
rest chooses the epoch. The test sets are not read. GoEmotions has one fold, its dev
part. ``--texts 300`` draws so many of the rest, others in each fold; ``--refit`` fits
the network again on the whole rest. ``--vectors
$EMOCLF_DATA/vectors/imdb-w2v-300-cut.bin`` and any other setting are those of ``emoclf
train``. The third row is the way of model2vec: the mean of a text's vectors, and a
logistic regression.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoclf import embedding_matrix, load_sample
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.readers import read_dataset
from emoclf.datasets.split import hold_out, stratified_folds
from emoclf.embeddings.matrix import first_words
from emoclf.embeddings.vector_objects import vector_sources
from emoclf.evaluation.baselines import tfidf_baseline
from emoclf.evaluation.evaluate import evaluate, evaluate_part
from emoclf.settings import RunSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.text.vocabulary import FIRST_TOKEN_ID, Vocabulary
from emoclf.workflow.train import train_classifier

sys.path.insert(0, str(Path(__file__).parents[1]))
from make_ready_classifiers import goemotions

ROWS = ("network", "TF-IDF + SVM", "averaged vectors + logistic regression")
SETS: dict[str, dict] = {
    "isear": {},
    "mr": {},
    "ag_news": {},
    "goemotions": {},
    "sample": {},
    "waimai": {},
    "waimai-jieba": {"tokenizer": "jieba"},
}
HELD_OUT_SHARE = 0.1


def read(folder: Path, name: str) -> Dataset:
    """Return train + valid of a set, or the bundled corpus."""
    if name == "sample":
        return load_sample()
    if name == "goemotions":
        return goemotions(folder, "train")
    datasets = [
        read_dataset(path)
        for part in ("train", "valid")
        if (path := folder / name.split("-")[0] / f"{part}.csv").exists()
    ]
    texts = [text for dataset in datasets for text in dataset.texts]
    labels = [label for dataset in datasets for label in dataset.labels]
    return Dataset.from_lists(texts, labels)


def parts(
    folder: Path, name: str, folds: int, seed: int
) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield texts to train on, and texts to predict."""
    data = read(folder, name)
    if name == "goemotions":
        yield data, goemotions(folder, "dev")
        return
    for rest, test in stratified_folds(data, folds, seed=seed):
        yield data.take(rest), data.take(test)


def averaged_vectors(
    rest: Dataset, settings: RunSettings
) -> Callable[[Sequence[str]], np.ndarray]:
    """Fit a logistic regression on the mean of each text's vectors."""
    sources = vector_sources(list(settings.embedding.vector_paths))
    tokenizer = new_tokenizer(settings.text)
    words = first_words(sources, 10**6)
    matrix, _ = embedding_matrix(list(settings.embedding.vector_paths),
                                 Vocabulary(words))  # fmt: skip
    ids = {word: number for number, word in enumerate(words, FIRST_TOKEN_ID)}

    def features(texts: Sequence[str]) -> np.ndarray:
        rows = [
            [ids[t] for t in tokens if t in ids] for tokens in tokenizer.batch(texts)
        ]
        return np.stack([matrix[row or [0]].mean(0) for row in rows])

    model: Any = LogisticRegression(C=10.0, max_iter=1000)
    if rest.multilabel:
        model = OneVsRestClassifier(model.set_params(class_weight="balanced"))
    model = make_pipeline(StandardScaler(), model)
    model.fit(features(list(rest.texts)), rest.label_ids)
    return lambda texts: model.predict(features(texts))


def run_fold(
    rest: Dataset, test: Dataset, settings: RunSettings, *, refit: bool
) -> np.ndarray:
    """Return accuracy and macro-F1 of the network, the SVM and averaged vectors."""
    train, valid = hold_out(rest, HELD_OUT_SHARE, seed=settings.seed)
    trained = train_classifier(rest.take(train), rest.take(valid), settings, verbose=0)
    if refit:
        trained = trained.refit()
    used = trained.bundle.settings
    tokenizer = new_tokenizer(used.text)
    svm = tfidf_baseline(tokenizer.batch(rest.texts), rest.label_ids)
    predictions = [svm(tokenizer.batch(test.texts))]
    if used.embedding.vector_paths:
        predictions.append(averaged_vectors(rest, used)(list(test.texts)))
    evaluations = [
        evaluate_part(trained.predictor, test, part="test"),
        *(evaluate(p, test.label_ids, test.label_names, name="", part="test")
          for p in predictions),
    ]  # fmt: skip
    return np.array([x for e in evaluations for x in (e.accuracy, e.macro_f1)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["isear", "mr"], metavar="SET")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--texts", type=int)
    parser.add_argument("--refit", action="store_true")
    args, options = parser.parse_known_args()
    folder = os.environ.get("EMOCLF_DATA")
    if not folder:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    from emoclf.cli.options import add_settings, given_settings

    settings_parser = argparse.ArgumentParser()
    add_settings(settings_parser)
    given = given_settings(settings_parser.parse_args(options))
    for name in args.sets:
        metrics, start = [], time.perf_counter()
        folds = parts(Path(folder), name, args.folds, args.seed)
        for number, (rest, test) in enumerate(folds):
            if args.texts:
                draw = np.random.default_rng(number).permutation(len(rest))
                rest = rest.take(np.sort(draw[: args.texts]))
            flat = {**SETS[name], **given, "seed": number}
            settings = RunSettings.from_flat(**flat)
            metrics.append(run_fold(rest, test, settings, refit=args.refit))
            print(f"{name} fold {number + 1}: {metrics[-1].round(4)}", flush=True)
        mean, spread = np.mean(metrics, axis=0), np.zeros(len(metrics[0]))
        if len(metrics) > 1:
            spread = np.std(metrics, axis=0, ddof=1)
        shown = [f"{m:.4f} ± {s:.4f}" for m, s in zip(mean, spread, strict=True)]
        rows = zip(ROWS, shown[::2], shown[1::2], strict=False)
        lines = [f"{row}: accuracy {a}, macro-F1 {f}" for row, a, f in rows]
        seconds = time.perf_counter() - start
        print(f"{name}: {'; '.join(lines)}; {seconds:.0f} s", flush=True)
        if len(metrics) > 1:
            gains = np.array(metrics)[:, 0] - np.array(metrics)[:, 2]
            error = gains.std(ddof=1) / np.sqrt(len(gains))
            print(
                f"{name}: network - SVM {gains.mean():+.4f}, standard error {error:.4f}"
            )


if __name__ == "__main__":
    main()
