"""The table of findings: everything that lists findings derives from it."""

from __future__ import annotations

from typing import NamedTuple


class FindingKind(NamedTuple):
    """One kind of finding.

    Parameters
    ----------
    meaning : str
        One line.
    severities : tuple of {"error", "warning", "note"}
        More than one if the severity depends on how bad it is.
    """

    meaning: str
    severities: tuple[str, ...] = ("error",)


_WARNING = ("warning",)
_EITHER = ("error", "warning")
_NOTE = ("note",)

#: What the doctor and the audit can find: network, data, steps, result of a training;
#: then labelled texts.
FINDINGS: dict[str, FindingKind] = {
    "stacked-activations": FindingKind("the head applies two activations in a row"),
    "softmax-of-one": FindingKind("the head is a softmax over a single unit"),
    "head-is-no-probability": FindingKind("the head does not return probabilities"),
    "softmax-inside": FindingKind("a hidden layer ends in a softmax", _WARNING),
    "loss-does-not-fit-head": FindingKind("loss and head contradict", _EITHER),
    "unmasked-padding": FindingKind("a layer reads padding as tokens", _WARNING),
    "wrong-targets": FindingKind("the head cannot be trained on these labels"),
    "class-imbalance": FindingKind(
        "one class has far more texts than another", _WARNING
    ),
    "texts-without-words": FindingKind("no text has any token"),
    "texts-unknown": FindingKind(
        "many tokens or texts are outside the vocabulary", _EITHER
    ),
    "texts-cut": FindingKind("many training texts are truncated", _WARNING),
    "low-coverage": FindingKind("the word vectors lack many tokens", _WARNING),
    "learning-rate-out-of-range": FindingKind(
        "the learning rate is unusual for the optimizer", _WARNING
    ),
    "exploding-gradients": FindingKind("the gradients are far too large"),
    "vanishing-gradients": FindingKind("a layer gets almost no gradient", _WARNING),
    "updates-too-large": FindingKind("a step changes a layer too much", _WARNING),
    "updates-too-small": FindingKind("steps hardly change any layer", _WARNING),
    "dead-units": FindingKind("many units of a layer are always zero", _EITHER),
    "saturated-units": FindingKind(
        "many outputs of a layer are at a limit of their range", _WARNING
    ),
    "loss-rises": FindingKind("the training loss rises for several epochs"),
    "loss-not-finite": FindingKind("the loss or a gradient is infinite or NaN"),
    "class-collapse": FindingKind("nearly all texts are predicted as one class"),
    "stuck-at-prior": FindingKind("every text gets the class shares as probabilities"),
    "stuck-at-uniform": FindingKind("every text gets equal probabilities"),
    "stuck-at-a-constant": FindingKind("every text gets the same probabilities"),
    "label-never-found": FindingKind("a label is never predicted correctly", _WARNING),
    "over-fitting": FindingKind(
        "the network fits the training set but not the validation set", _EITHER
    ),
    "under-fitting": FindingKind("the network does not fit the training set", _WARNING),
    "leaks": FindingKind("texts of one set are in another one as well", _EITHER),
    "conflicting-labels": FindingKind("equal texts have different labels", _EITHER),
    "near-conflicts": FindingKind("near-duplicates have different labels", _NOTE),
    "duplicates": FindingKind(
        "texts of a set are duplicates or near-duplicates", ("warning", "note")
    ),
    "unusable-rows": FindingKind("rows have no text or no usable label"),
    "one-class": FindingKind("all texts have the same label"),
    "single-labels": FindingKind("labels have only one text"),
    "classes-differ": FindingKind("a set has labels that another lacks", _EITHER),
    "similar-labels": FindingKind("labels are spelt alike", _EITHER),
    "without-label": FindingKind("texts have no label, in multilabel data", _NOTE),
    "non-answers": FindingKind("texts look like a missing answer", _WARNING),
    "very-short": FindingKind("texts have fewer than three words", _NOTE),
    "html": FindingKind("texts contain HTML", _WARNING),
    "mojibake": FindingKind("texts contain characters of a wrong encoding", _WARNING),
    "other-script": FindingKind("texts are in another script than most", _WARNING),
    "other-language": FindingKind("texts have hardly a word with a vector", _WARNING),
    "wrong-labels": FindingKind("labels may be wrong", _NOTE),
}


def findings_table() -> str:
    """Return the findings, their severities and meanings, as Markdown.

    Examples
    --------
    >>> print(findings_table().splitlines()[3])
    | `softmax-of-one` | error | the head is a softmax over a single unit |
    """
    rows = [
        f"| `{name}` | {' or '.join(kind.severities)} | {kind.meaning} |"
        for name, kind in FINDINGS.items()
    ]
    return "\n".join(["| finding | severity | meaning |", "|---|---|---|", *rows])
