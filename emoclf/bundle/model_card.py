"""The model card: the README of every bundle."""

from __future__ import annotations

from emoclf.bundle.bundle import BundleParts
from emoclf.doctor.findings import Finding

SET_PURPOSES = {
    "train": " to fit the classifier",
    "valid": " to choose the epoch",
    "test": " to evaluate it, not used for fitting or choosing",
}


def card(parts: BundleParts, *, max_length: int) -> str:
    """Describe a classifier for people, in Markdown.

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
        + (" (multilabel)." if about["several"] else "."),
        f"Trained with emoclf {about['emoclf']} on {about['created']}.",
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
    findings = [Finding.from_dict(entry) for entry in metrics.get("findings", [])]
    if findings:
        lines += ["## Findings", ""]
        lines += [f"- {finding.severity}: {finding.message}" for finding in findings]
        lines += [""]
    lines += [
        "## Data",
        "",
        *(
            f"- {name}: {count} texts{SET_PURPOSES.get(name, '')}"
            for name, count in metrics.get("texts", {}).items()
        ),
        f"- vocabulary of {about['embedding_shape'][0]} ids; texts are cut after "
        f"{max_length} tokens",
        "",
        "`settings.toml` contains all settings. Nothing in this folder is executed "
        "when it is loaded.",
        "",
    ]
    return "\n".join(lines)
