"""The README of a bundle."""

from __future__ import annotations

from emoclf.bundle.bundle import BundleParts
from emoclf.datasets.split import PART_NAMES
from emoclf.doctor.findings import Finding

USES = {
    "train": "fitted the weights",
    "valid": "chose the epoch",
    "test": "was not used for fitting or choosing anything",
}


def card(parts: BundleParts, *, max_length: int) -> str:
    """Return a description of a classifier in Markdown.

    Parameters
    ----------
    parts : BundleParts
    max_length : int
        Number of tokens after which texts are cut.
    """
    about, metrics = parts.about, parts.metrics
    lines = [
        f"# A {about['architecture']} classifier",
        "",
        f"Labels: {', '.join(about['label_names'])}"
        + (" (a text may have several of them)." if about["several"] else "."),
        f"Made with emoclf {about['emoclf']} on {about['created']}.",
        "",
        "```python",
        "from emoclf import Predictor",
        "",
        'Predictor.load("path/of/this/folder").predict(["a text"])',
        "```",
        "",
    ]
    if metrics.get("table"):
        lines += ["## Metrics", "", "```text", *metrics["table"], "```", ""]
    if metrics.get("verdict"):
        lines += [*(f"- {sentence}" for sentence in metrics["verdict"]), ""]
    if again := metrics.get("refit"):
        lines += [
            f"The weights were fitted again, on all {again['texts']:,} labelled texts "
            f"for {again['epochs']} epochs. The metrics above are those of the fit on "
            "the training set alone.",
            "",
        ]
    n_texts = metrics.get("texts", {})
    findings = [Finding.from_dict(values) for values in metrics.get("findings", [])]
    if findings:
        lines += ["## Findings", ""]
        lines += [f"- {finding.severity}: {finding.message}" for finding in findings]
        lines += [""]
    lines += [
        "## Data",
        "",
        *(
            f"- {PART_NAMES[part].capitalize()} set: {n_texts[part]} texts; it {use}."
            for part, use in USES.items()
            if part in n_texts
        ),
        f"- Vocabulary: {about['embedding_shape'][0]} ids; texts are cut after "
        f"{max_length} tokens.",
        "",
        "The settings are in `settings.toml`. Nothing in this folder is executed when "
        "it is loaded.",
        "",
    ]
    return "\n".join(lines)
