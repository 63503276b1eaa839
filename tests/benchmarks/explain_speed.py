"""Measure the time of an explanation beyond that of its prediction, beside SHAP's.

A default ``text_cnn`` is trained on the bundled corpus for an epoch: time does not
depend on how good it is. Predictions and explanations of each text take turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emoclf.classifier import Classifier
from emoclf.datasets.sample import load_sample
from emoclf.export.folded import draft_folded
from emoclf.folded import load_folded
from emoclf.workflow.train import train_classifier

N_TEXTS = 40
ROUNDS = 20
N_SHAP_TEXTS = 8


def milliseconds(call: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    call(*arguments)
    return 1000 * (time.perf_counter() - start)


def measure(classifier: Classifier, texts: list[str]) -> tuple[float, float]:
    """Return the median time of a prediction and of an explanation."""
    predicted, explained = [], []
    for _ in range(ROUNDS):
        for text in texts:
            predicted.append(milliseconds(classifier.predict_proba, [text]))
            explained.append(milliseconds(classifier.explain, text))
    # The first round computes rows of words and traces networks.
    skipped = len(texts)
    return statistics.median(predicted[skipped:]), statistics.median(
        explained[skipped:]
    )


def shap_time(classifier: Classifier, texts: list[str]) -> float:
    """Return the median time of SHAP's default explainer of texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

    explainer = shap.Explainer(
        lambda texts: classifier.predict_proba(list(texts)),
        shap.maskers.Text(r"\W+"),
        output_names=list(classifier.label_names),
    )
    explainer(texts[:1])
    return statistics.median(milliseconds(explainer, [text]) for text in texts)


def main() -> None:
    data = load_sample()
    trained = train_classifier(data, epochs=1)
    predictor = trained.predictor
    texts = list(data.texts[:: len(data) // N_TEXTS][:N_TEXTS])
    lengths = [len(tokens) for tokens in predictor.bundle.encoder.encode(texts)]
    print(f"{len(texts)} texts, {statistics.mean(lengths):.1f} tokens on average")
    with tempfile.TemporaryDirectory() as folder:
        folded = load_folded(draft_folded(predictor, Path(folder) / "folded"))
        for name, classifier in (("Keras", predictor), ("folded", folded)):
            prediction, explanation = measure(classifier, texts)
            ours = explanation - prediction
            theirs = shap_time(classifier, texts[:N_SHAP_TEXTS])
            print(
                f"{name:<7} prediction {prediction:.3f} ms, explanation "
                f"{explanation:.3f} ms, beyond the prediction {ours:.3f} ms; SHAP "
                f"{theirs:.0f} ms, {theirs / explanation:.0f} times as long"
            )


if __name__ == "__main__":
    main()
