"""An evaluation of aspect terms with every kind of mistake, and a hostile one."""

from __future__ import annotations

from tiny_aspects import tiny_aspects, tiny_model

from emoclf.aspects.aspect_baselines import AspectBaselines
from emoclf.aspects.aspect_evaluation import AspectEvaluation
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.opinions import Opinion, Opinions

#: Texts with the spans that are true, and those that are found.
SENTENCES = (
    ("the screen is great", [(4, 10, "positive")], [(4, 10, "positive")]),
    ("the hard disk is awful", [(4, 13, "negative")], [(9, 13, "negative")]),
    ("the bill is awful", [(4, 8, "negative")], []),
    ("well, nothing to see", [], [(6, 13, "positive")]),
    ("the onion soup is awful", [(4, 14, "negative")], [(4, 14, "positive")]),
    ("Waiter: lovely !", [(0, 6, "conflict")], [(0, 6, "positive")]),
    ("nothing at all", [], []),
)
HOSTILE = (
    (
        "the <img src=x onerror=alert(1)> is \x1b[2J great\u202e",
        [(4, 32, "positive")],
        [(4, 20, "</mark><script>alert(2)</script>"), (25, 32, "positive")],
    ),
    ("$screen$ of $5 " + "x " * 400, [(0, 8, "negative")], [(0, 8, "negative")]),
    ("شاشة رائعة", [(0, 4, "positive")], [(0, 4, "neutral")]),
)


def aspect_evaluation(*, hostile: bool = False) -> AspectEvaluation:
    """Return an evaluation with baselines."""
    sentences = HOSTILE if hostile else SENTENCES
    texts = [text for text, _, _ in sentences]
    data = AspectData.from_lists(texts, [true for _, true, _ in sentences])
    rows = [
        [Opinion(text[a:b], label, a, b, 0.9, 0.8) for a, b, label in found]
        for text, _, found in sentences
    ]
    model = tiny_model()
    baselines = AspectBaselines.of(model, tiny_aspects(), data)
    return AspectEvaluation(model, data, Opinions(texts, rows), baselines)
