"""Aspect terms and their polarity on SemEval-2014, in five folds; run as a script.

Near-duplicate sentences are in the same fold; a tenth of the rest of each fold chooses
the epoch. The spread is that of the folds. Terms are scored by exact character spans,
polarities by accuracy on the true terms, "conflict" left out.

    EMOCLF_DATA=FOLDER python tests/benchmarks/aspects.py laptops --task terms
    EMOCLF_DATA=FOLDER python tests/benchmarks/aspects.py --settings crf=no members=3
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from emoclf.aspects.data.aspect_formats import read_aspects
from emoclf.aspects.data.aspect_split import divide
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.polarities.polarity_baselines import baseline_scores
from emoclf.aspects.polarities.polarity_classifier import PolarityClassifier
from emoclf.aspects.polarities.polarity_network import PolaritySettings
from emoclf.aspects.polarities.polarity_targets import labelled_targets
from emoclf.aspects.tagger import AspectTagger
from emoclf.aspects.terms.aspect_settings import AspectSettings
from emoclf.aspects.terms.span_metrics import SpanScores, compare
from emoclf.aspects.terms.term_dictionary import TermDictionary
from emoclf.aspects.terms.train_tagger import seen_terms
from emoclf.cli.options import parse_value
from emoclf.text.tokenizer import Tokenizer

FILES = {
    "laptops": "semeval14/Laptop_Train_v2.xml",
    "restaurants": "semeval14/Restaurants_Train_v2.xml",
}
#: Sets of vectors that are placed side by side; "starter" are those of the package.
VECTORS = ("imdb-w2v-300-cut.bin", "glove100-top10k-int8src.bin", "starter")


def find_terms(
    train: AspectData, test: AspectData, settings: dict[str, Any], seed: int
) -> dict[str, SpanScores]:
    """Return the scores of the tagger and of the dictionary."""
    tagger = AspectTagger(settings=settings, random_state=seed).fit(train)
    dictionary = TermDictionary().fit(train)
    # The dictionary gets the validation sentences too, and so do the terms that count
    # as seen.
    seen = seen_terms(train)
    return {
        "tagger": compare(test, tagger.predict(test.texts), seen=seen),
        "dictionary": compare(test, dictionary.predict(test.texts), seen=seen),
    }


def find_polarity(
    train: AspectData, test: AspectData, settings: dict[str, Any], seed: int
) -> dict[str, dict[str, float]]:
    """Return the scores of the classifier and of its baselines."""
    classifier = PolarityClassifier(settings=settings, random_state=seed)
    pairs = labelled_targets(train), labelled_targets(test)
    classifier.fit(*pairs[0])
    return {
        "network": classifier.evaluate(*pairs[1]),
        **baseline_scores(*pairs, Tokenizer()),
    }


def main() -> None:
    """Cross-validate, and print a line for each fold and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=[*FILES], choices=[[], *FILES])
    parser.add_argument("--task", choices=("terms", "polarity"), default="terms")
    parser.add_argument("--folds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--vectors", nargs="*", default=VECTORS)
    parser.add_argument("--settings", nargs="*", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    root = Path(os.environ["EMOCLF_DATA"])
    vectors = [x if x == "starter" else f"{root}/vectors/{x}" for x in args.vectors]
    section = AspectSettings if args.task == "terms" else PolaritySettings
    settings: dict[str, Any] = {"vectors": vectors or "none"}
    for item in args.settings:
        name, _, value = item.partition("=")
        settings[name] = parse_value(section, name, value)
    for name in args.sets or FILES:
        data = read_aspects(root / FILES[name])
        folds = divide(data, [0.2] * 5)
        rows: dict[str, list[dict[str, Any]]] = {}
        for number in args.folds:
            rest = np.setdiff1d(np.arange(len(data)), folds[number])
            train, test = data.take(rest), data.take(folds[number])
            began = time.perf_counter()
            run = find_terms if args.task == "terms" else find_polarity
            found = run(train, test, settings, number)
            seconds = time.perf_counter() - began
            for method, scores in found.items():
                values = scores if isinstance(scores, dict) else scores.to_dict()
                rows.setdefault(method, []).append(values)
            first = next(iter(rows.values()))[-1]
            shown = " ".join(f"{x} {first[x]:.4f}" for x in _shown(args.task))
            print(f"{name}, fold {number}: {shown} ({seconds:.0f} s)", flush=True)
        for method, values in rows.items():
            means = []
            for x in _shown(args.task):
                numbers = [row[x] for row in values]
                means.append(f"{x} {np.mean(numbers):.3f} ± {np.std(numbers):.3f}")
            print(f"{name}, {method}: {', '.join(means)}", flush=True)


def _shown(task: str) -> tuple[str, ...]:
    if task == "polarity":
        return ("accuracy", "macro_f1")
    return ("f1", "precision", "recall", "partial_f1", "unseen_recall")


if __name__ == "__main__":
    main()
