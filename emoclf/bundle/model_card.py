"""The model card: a README in each bundle and export, in the form of model hubs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emoclf.datasets.split import PART_NAMES
from emoclf.doctor.findings import Finding

if TYPE_CHECKING:
    from emoclf.bundle.bundle import Bundle

USES = {
    "train": "fitted the weights",
    "valid": "chose the epoch",
    "test": "was not used for fitting or choosing anything",
}
#: Name of a metric in our files → type and name on model hubs.
HUB_METRICS = {"accuracy": ("accuracy", "Accuracy"), "macro_f1": ("f1", "Macro-F1")}
#: Settings of the data that a user gives for the card.
GIVEN_FIELDS = ("language", "license")
INTENDED_USE = """\
Labels for short texts like those of the training set: in their language, of their kind
and length. Read some of its labels on your own texts before you rely on them.

It must not decide on its own about a person, for instance in hiring, policing, credit
or medicine: it sees words, not what somebody feels or means.
"""


def card(bundle: Bundle, about: Mapping[str, Any], *, loader: str) -> str:
    """Return a description of a classifier in Markdown, with a head in YAML.

    Parameters
    ----------
    bundle : Bundle
    about : mapping
        Description in ``bundle.json`` or ``emoclf.json``.
    loader : str
        Public function that loads the folder.
    """
    metrics = bundle.metrics
    settings = bundle.settings.to_dict()
    data = settings.get("data", {})
    lines = [
        *_head(about, metrics, data),
        f"# A {about['architecture']} classifier",
        "",
        f"Labels: {', '.join(map(inline, about['label_names']))}"
        + (" (a text may have several of them)." if bundle.multilabel else "."),
        f"Made with emoclf {about['emoclf']}"
        + (f" on {about['created']}." if "created" in about else "."),
        "",
        "```python",
        "import emoclf",
        "",
        f'emoclf.{loader}("path/of/this/folder").predict(["a text"])',
        "```",
        "",
        "## Intended use",
        "",
        INTENDED_USE,
    ]
    if metrics.get("table"):
        lines += ["## Metrics", "", "```text", *metrics["table"], "```", ""]
        lines += _by_label(metrics)
    if metrics.get("verdict"):
        lines += [*(f"- {sentence}" for sentence in metrics["verdict"]), ""]
    if again := metrics.get("refit"):
        lines += [
            f"The weights were fitted again, on all {again['texts']:,} labelled texts "
            f"for {again['epochs']} epochs. The metrics above are those of the fit on "
            "the training set alone.",
            "",
        ]
    lines += _distillation(metrics.get("distillation"))
    findings = [Finding.from_dict(values) for values in metrics.get("findings", [])]
    if findings:
        lines += ["## Findings", ""]
        lines += [f"- {finding.severity}: {finding.message}" for finding in findings]
        lines += [""]
    n_texts = metrics.get("texts", {})
    lines += [
        "## Data",
        "",
        *(
            f"- {PART_NAMES[part].capitalize()} set: {n_texts[part]} texts; it {use}"
            + (" at first." if again else ".")
            for part, use in USES.items()
            if part in n_texts
        ),
        *(
            f"- {name.capitalize()}: {inline(data[name])}."
            for name in GIVEN_FIELDS
            if name in data
        ),
        _inputs_line(bundle),
        "",
        "Nothing in this folder is executed when it is loaded."
        if loader == "Predictor.load"
        else "The settings are in `emoclf.json`.",
        "",
    ]
    return "\n".join(lines)


def _distillation(facts: Mapping[str, Any] | None) -> list[str]:
    """Return the section about the teachers of a student."""
    if not facts:
        return []
    counts, settings = facts["texts"], facts["settings"]
    teachers = ", ".join(map(inline, facts["teachers"]))
    has_several = len(facts["teachers"]) > 1
    source = ", ".join(map(inline, facts["unlabelled"]))
    other_texts = f"{counts['kept']:,} unlabelled texts" + (source and f" ({source})")
    if facts["made_from_training_texts"]:
        other_texts = (
            f"{counts['kept']:,} texts that were made from them, since there were no "
            "unlabelled texts, which are better"
        )
    left_out = [
        f"{counts['duplicates']:,} duplicates",
        f"{counts['held_out']:,} texts like those of the validation and test sets",
    ]
    if unlike := counts.get("unlike"):
        left_out.append(f"{unlike:,} texts that are less like the training texts")
    lines = [
        "## Distillation",
        "",
        f"- Teacher{'s' * has_several}: {teachers}"
        + (", whose probabilities were averaged." if has_several else "."),
        f"- Texts with the teacher's probabilities: {facts['training_texts']:,} of the "
        f"training set, and {other_texts}.",
        f"- Left out: {', '.join(left_out[:-1])}, and {left_out[-1]}.",
    ]
    if name := facts.get("out_of_fold"):
        lines.append(
            "- Probabilities of the training set: from a cross-validation of the "
            f"teacher ({inline(name)})."
        )
    stages = facts["stages"]
    if len(stages) > 1:
        share = settings["true_share"]
        lines.append(
            "- Then the training texts again, with targets of which the true labels "
            f"are {share:.0%} and the teacher's probabilities {1 - share:.0%}."
        )
    elif settings["order"] == "joint":
        lines.append("- True labels and the teacher's probabilities together.")
    return [*lines, ""]


def _inputs_line(bundle: Bundle) -> str:
    """Return what the network reads of a text."""
    inputs, encoder = bundle.inputs, bundle.encoder
    if inputs is None:
        return (
            f"- Vocabulary: {len(encoder.vocabulary)} ids; texts are cut after "
            f"{encoder.max_length} tokens."
        )
    if inputs.encoder is None:
        return f"- Vectors of the texts, {inputs.dim} wide, which come from elsewhere."
    kind = "the token vectors"
    if inputs.pooled:
        kind = f"a vector ({', '.join(inputs.pooling)})"
    return (
        f"- Of each text, {kind} of the transformer encoder "
        f"{inline(os.path.basename(inputs.encoder))} (SHA-256 of its weights and "
        f"tokenizer: {inputs.digest[:16]}…), which is needed to predict."
    )


def _head(
    about: Mapping[str, Any], metrics: Mapping[str, Any], data: Mapping[str, Any]
) -> list[str]:
    """Return the YAML between two lines of dashes; JSON strings are YAML."""
    lines = ["---", "library_name: emoclf", "pipeline_tag: text-classification"]
    for name in GIVEN_FIELDS:
        if name in data:
            lines.append(f"{name}: {quoted(data[name])}")
    lines += ["tags:", "- text-classification", f"- {about['architecture']}"]
    lines += ["labels:", *(f"- {quoted(name)}" for name in about["label_names"])]
    if last := _decisive(metrics):
        source = str(metrics.get("source", "texts"))
        lines += [
            "model-index:",
            f"- name: {about['architecture']}",
            "  results:",
            "  - task:",
            "      type: text-classification",
            "    dataset:",
            f"      name: {quoted(source)}",
            f"      type: {quoted(source)}",
            f"      split: {quoted(last['part'])}",
            "    metrics:",
        ]
        for name, (kind, label) in HUB_METRICS.items():
            lines += [
                f"    - type: {kind}",
                f"      name: {label}",
                f"      value: {last[name]:.4f}",
            ]
    return [*lines, "---", ""]


def quoted(text: object) -> str:
    """Return a text as YAML, which has the strings of JSON, but no pairs for emoji."""
    return json.dumps(str(text), ensure_ascii=False)


def _decisive(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the evaluation of the network on the set that counts, the last one."""
    evaluations = metrics.get("evaluations") or []
    return next((x for x in evaluations if x["part"] == evaluations[-1]["part"]), None)


def _by_label(metrics: Mapping[str, Any]) -> list[str]:
    """Return the metrics of each label on the set that counts, as a table."""
    network = _decisive(metrics)
    if not network:
        return []
    lines = [
        f"By label, on the {PART_NAMES.get(network['part'], network['part'])} set:",
        "",
        "| label | precision | recall | F1 | 95 % interval | texts |",
        "|---|---|---|---|---|---|",
    ]
    counts = network.get("confusion") or ()
    n_predicted = [sum(column) for column in zip(*counts, strict=True)]
    for number, row in enumerate(network["per_class"]):
        ends = row.get("f1_interval")
        interval = "–" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
        numbers = [f"{row[x]:.3f}" for x in ("precision", "recall", "f1")]
        if n_predicted and not n_predicted[number]:
            numbers[0] = "–"
        if not row["support"]:
            numbers[1:] = ["–", "–"]
        cells = [inline(row["label"]), *numbers, interval, str(row["support"])]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def inline(text: object) -> str:
    """Return a name on one line of Markdown, whatever it contains."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{x}" if x in "\\`*_[]<>|#" else x for x in plain)
