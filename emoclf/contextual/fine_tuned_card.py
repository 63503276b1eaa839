"""The model card of a fine-tuned encoder."""

from __future__ import annotations

from collections.abc import Sequence

from emoclf.bundle.model_card import INTENDED_USE, inline, quoted
from emoclf.contextual.fine_tuned import FineTuning


def fine_tuned_card(
    about: FineTuning, label_names: Sequence[str], *, multilabel: bool
) -> str:
    """Return a description in Markdown, with a head in YAML."""
    metrics = about.metrics
    data = about.settings.get("data", {})
    lines = ["---", "library_name: transformers", "pipeline_tag: text-classification"]
    if about.base:
        lines.append(f"base_model: {quoted(about.base)}")
    lines += [
        f"{key}: {quoted(data[key])}" for key in ("language", "license") if key in data
    ]
    lines += ["tags:", "- text-classification", "- emoclf", "---", ""]
    lines += [
        f"# {inline(about.base or 'An encoder')}, fine-tuned",
        "",
        f"Labels: {', '.join(map(inline, label_names))}"
        + (" (a text may have several of them)." if multilabel else "."),
        "",
        "```python",
        "from emoclf import TransformerClassifier",
        "",
        'TransformerClassifier.load("path/of/this/folder").predict(["a text"])',
        "```",
        "",
        "`transformers.pipeline` loads it too, without the temperature"
        + (" and the thresholds" if multilabel else "")
        + " in `fine_tuning.json`.",
        "",
        "## Intended use",
        "",
        INTENDED_USE,
    ]
    if table := metrics.get("table"):
        lines += ["## Metrics", "", "```text", *table, "```", ""]
    if verdict := metrics.get("verdict"):
        lines += [*(f"- {sentence}" for sentence in verdict), ""]
    lines += ["## Data", ""]
    if source := metrics.get("source"):
        lines.append(f"- File: {inline(source)}.")
    if "texts" in metrics:
        sizes = ", ".join(
            f"{count:,} {part}" for part, count in metrics["texts"].items()
        )
        lines.append(f"- Texts: {sizes}.")
    if "held_out_texts" in metrics:
        lines.append(
            f"- {metrics['held_out_texts']:,} of the training texts were held out; "
            f"they chose epoch {metrics['best_epoch']}, the temperature "
            f"{about.temperature:.2f}" + (" and the thresholds." if multilabel else ".")
        )
    lines.append(f"- Texts are cut after {about.max_tokens} tokens.")
    settings = about.settings.get("fine_tuning", {})
    if settings:
        values = ", ".join(f"{name} {value}" for name, value in settings.items())
        lines.append(f"- Settings: {values}, seed {about.settings.get('seed')}.")
    return "\n".join([*lines, ""])
