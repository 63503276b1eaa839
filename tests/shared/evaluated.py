"""Evaluations that are made of numbers, without a network."""

from __future__ import annotations

import numpy as np

from emoclf.evaluation.evaluation_report import EvaluationReport
from emoclf.evaluation.metrics import Evaluation, evaluate, evaluate_probabilities
from emoclf.evaluation.paired_comparison import compare

NAMES = ("anger", "fear", "joy")
#: Text and label that would do harm in a page that does not escape them.
HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=alert(1)>\" '"


def random_evaluation(
    n: int = 120,
    *,
    names: tuple[str, ...] = NAMES,
    multilabel: bool = False,
    hostile: bool = False,
    part: str = "test",
) -> Evaluation:
    """Return an evaluation of random probabilities, which are mostly right."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, len(names), n)
    rows = targets[:, None] == np.arange(len(names))
    scores = rng.random((n, len(names))) + 0.6 * rows
    texts = [f"text number {i} of a corpus" for i in range(n)]
    if hostile:
        names = (*names[:-1], HOSTILE)
        texts = [f"{HOSTILE} {{{{ 7 * 7 }}}} {text} \x1b[2J \ud800" for text in texts]
    if multilabel:
        return evaluate_probabilities(
            np.clip(scores / 1.6, 0, 1), rows.astype(int), names,
            texts=texts, name="text_cnn", part=part, draws=20,
        )  # fmt: skip
    return evaluate_probabilities(
        scores / scores.sum(1, keepdims=True), targets, names,
        texts=texts, name="text_cnn", part=part, draws=20,
    )  # fmt: skip


def random_report(**options: object) -> EvaluationReport:
    """Return a report with one baseline, which always predicts the first label."""
    network = random_evaluation(**options)  # type: ignore[arg-type]
    found = network.predictions
    assert found is not None
    names = found.label_names
    baseline = evaluate(
        np.zeros_like(found.targets), found.targets, names,
        name="TF-IDF + linear SVM", part=network.part, draws=20,
    )  # fmt: skip
    comparisons = compare(network, baseline, found.targets)
    return EvaluationReport((network, baseline), comparisons, ("more texts.",))
