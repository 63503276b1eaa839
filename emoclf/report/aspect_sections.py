"""Sections with sentences whose terms are highlighted: mistakes, polarity, texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emoclf.aspects.data.sentences import Sentence
from emoclf.aspects.term_highlighting import highlight, key_to_marks
from emoclf.aspects.terms.span_metrics import KINDS, overlap, span_errors
from emoclf.report.blocks import (
    ConfusionMatrix,
    DataTable,
    Html,
    Section,
    ShownText,
    TextList,
    TextSearch,
    cut_text,
)
from emoclf.report.evaluation_sections import (
    CELL_EXAMPLES,
    confusion_block,
    searchable_indices,
)

if TYPE_CHECKING:
    from emoclf.aspects.aspect_evaluation import AspectEvaluation, TruePolarity

#: Examples of each kind of errors.
KIND_EXAMPLES = 8
#: Kind of errors → heading and explanation.
KIND_WORDS = {
    "boundary": ("Wrong borders", "predicted terms that overlap a true term"),
    "label": ("Wrong labels", "the right borders, with another label"),
    "missed": ("Missed terms", "true terms that overlap no predicted term"),
    "invented": ("Invented terms", "predicted terms that overlap no true term"),
}


def mistakes_section(evaluation: AspectEvaluation) -> Section:
    """Return the errors of the tagger by kind, with the surest ones as examples."""
    examples: dict[str, list[tuple[float, int]]] = {kind: [] for kind in KINDS}
    for index, opinions in enumerate(evaluation.opinions):
        confidences = {(x.start, x.stop): x.confidence for x in opinions}
        for kind, span in _errors(evaluation, index):
            examples[kind].append((-confidences.get((span[0], span[1]), 0.0), index))
    counts = evaluation["terms"].errors
    if not counts:
        return Section("mistakes", "Mistakes", ())
    rows = [
        [KIND_WORDS[kind][0], KIND_WORDS[kind][1], f"{count:,}"]
        for kind, count in counts.items()
    ]
    header = ["kind", "meaning", "terms"]
    blocks: list[Any] = [DataTable("Errors by kind", header, rows, words=2)]
    blocks.append(_key(evaluation))
    for kind, pairs in examples.items():
        indices = list(dict.fromkeys(index for _, index in sorted(pairs)))
        texts = [_shown(evaluation, index) for index in indices[:KIND_EXAMPLES]]
        if texts:
            blocks.append(TextList(KIND_WORDS[kind][0], texts))
    return Section("mistakes", "Mistakes", tuple(blocks))


def polarity_section(evaluation: AspectEvaluation) -> Section:
    """Return the scores of each polarity, baselines, and the confusion matrix."""
    metrics = evaluation["polarity"]
    methods = {"polarity classifier": metrics}
    methods |= evaluation.baseline_scores.get("polarity", {})
    scores = [
        [name, f"{x['accuracy']:.3f}", f"{x['macro_f1']:.3f}", f"{x['n']:,}"]
        for name, x in methods.items()
    ]
    table = DataTable(
        "Polarity of the true terms",
        ["classifier", "accuracy", "macro-F1", "terms"],
        scores,
    )
    classes = [
        [
            name,
            *(f"{row[x]:.3f}" for x in ("precision", "recall", "f1")),
            f"{row['n']:,}",
        ]
        for name, row in metrics["classes"].items()
    ]
    header = ["polarity", "precision", "recall", "F1", "terms"]
    by_class = DataTable("Scores of each polarity", header, classes, sortable=True)
    return Section("polarity", "Polarity", (table, by_class, _matrix(evaluation)))


def sentences_section(evaluation: AspectEvaluation) -> Section:
    """Return a search box over the sentences."""
    indices = searchable_indices(len(evaluation.data))
    texts = [_shown(evaluation, index) for index in indices]
    if not texts:
        return Section("texts", "Sentences", ())
    blocks = (_key(evaluation), TextSearch(texts, len(evaluation.data)))
    return Section("texts", "Sentences", blocks)


def _key(evaluation: AspectEvaluation) -> Html:
    labels = [x.polarity for row in evaluation.opinions for x in row]
    labels += [term.label for row in evaluation.data.spans for term in row]
    return Html("Key", [key_to_marks(labels, true=True)])


def _errors(evaluation: AspectEvaluation, index: int) -> list[tuple[str, Any]]:
    """Return kind and span of each error of the tagger in a sentence."""
    width = 3 if evaluation.model.typed else 2
    terms, spans = evaluation.data.sentences[index].terms, _spans(evaluation, index)
    return span_errors([x[:width] for x in terms], [x[:width] for x in spans])


def _spans(evaluation: AspectEvaluation, index: int) -> list[tuple[int, int, Any]]:
    """Return the terms that were found in a sentence, as (start, stop, polarity)."""
    return [(x.start, x.stop, x.polarity) for x in evaluation.opinions[index]]


def _shown(evaluation: AspectEvaluation, index: int) -> ShownText:
    """Return a sentence with all its terms, and what is wrong in words."""
    sentence = evaluation.data.sentences[index]
    spans = _spans(evaluation, index)
    mistakes = _mistakes(evaluation, sentence, index)
    terms = len(sentence.terms)
    right = "there is no term" if not terms else "all terms are right"
    text = cut_text(sentence.text)
    return ShownText(
        text,
        *("", "", ""),
        right=not mistakes,
        html=highlight(text, spans, sentence.terms),
        remark="; ".join(mistakes) or right,
    )


def _mistakes(
    evaluation: AspectEvaluation, sentence: Sentence, index: int
) -> list[str]:
    """Return the mistakes in a sentence in words."""
    text, spans = sentence.text, _spans(evaluation, index)
    words = []
    for kind, span in _errors(evaluation, index):
        name = text[span[0] : span[1]]
        if kind == "boundary":
            true_names = [sentence.words(x) for x in sentence.terms if overlap(x, span)]
            listed = " and ".join(map(repr, true_names))
            words.append(f"borders: {name!r} instead of {listed}")
        elif kind == "label":
            label = next(x.label for x in sentence.terms if x[:2] == span[:2])
            words.append(f"{name}: {label}, predicted as {span[2]}")
        else:
            words.append(f"{kind}: {name}")
    if evaluation.model.typed or "polarity" not in evaluation:
        return words
    predicted = {x[:2]: x[2] for x in spans}
    for term in sentence.terms:
        polarity = predicted.get(term[:2])
        if term.label and polarity and polarity != term.label:
            name = sentence.words(term)
            words.append(f"polarity of {name}: {term.label}, predicted as {polarity}")
    return words


def _matrix(evaluation: AspectEvaluation) -> ConfusionMatrix:
    confusion = evaluation["polarity"]["confusion"]
    names = list(confusion)
    return confusion_block(
        names,
        [[row[name] for name in names] for row in confusion.values()],
        lambda i, j: _examples(evaluation.true_polarities, names[i], names[j]),
        unit="term",
    )


def _examples(
    terms: Sequence[TruePolarity], true: str, predicted: str
) -> list[ShownText]:
    """Return the surest predictions of a cell, each with its term highlighted."""
    chosen = [x for x in terms if (x.label, x.predicted) == (true, predicted)]
    chosen.sort(key=lambda x: -x.confidence)
    texts = []
    for term in chosen[:CELL_EXAMPLES]:
        text, start, stop = term.target
        text = cut_text(text)
        html = highlight(text, [(start, stop, predicted)], [(start, stop, true)])
        right = true == predicted
        shown = ShownText(text, true, predicted, f"{term.confidence:.2f}", right, html)
        texts.append(shown)
    return texts
