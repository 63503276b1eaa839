"""The README that every bundle carries."""

from __future__ import annotations

from emoclf.bundle.bundle import BundleParts
from emoclf.doctor.findings import Finding

PARTS = {
    "train": " that it learnt from",
    "valid": " that chose the epoch",
    "test": " that nothing was fitted to or chosen by",
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
        + (" (a text may have several)." if about["several"] else "."),
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
        lines += ["## Figures", "", "```text", *metrics["table"], "```", ""]
    if metrics.get("verdict"):
        lines += [*(f"- {said}" for said in metrics["verdict"]), ""]
    findings = [Finding.from_dict(found) for found in metrics.get("findings", [])]
    if findings:
        lines += ["## Findings", ""]
        lines += [f"- {found.severity}: {found.message}" for found in findings]
        lines += [""]
    lines += [
        "## Data",
        "",
        *(
            f"- {part}: {count} texts{PARTS.get(part, '')}"
            for part, count in metrics.get("texts", {}).items()
        ),
        f"- {about['embedding_shape'][0]} rows of vocabulary; texts are cut after "
        f"{max_length} tokens",
        "",
        "The settings in force are in `settings.toml`. Nothing in this folder is "
        "executed when it is loaded.",
        "",
    ]
    return "\n".join(lines)
