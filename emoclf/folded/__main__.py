"""Predict without TensorFlow: ``python -m emoclf.folded FOLDER [TEXT …]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from emoclf.display import printable
from emoclf.errors import EmoclfError
from emoclf.runtime import open_closed_streams

USAGE = """\
usage: python -m emoclf.folded FOLDER [TEXT …]

Predict each TEXT, or each line of standard input: print the label and its probability.
"""


def main(argv: Sequence[str]) -> int:
    """Predict, and return the exit code."""
    open_closed_streams()
    if not argv:
        sys.stderr.write(USAGE)
        return 2
    if argv[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    # Imports NumPy; a wrong call is reported without waiting for it.
    from emoclf.folded import load_folded

    try:
        classifier = load_folded(argv[0])
        for text in argv[1:] or (line.rstrip("\r\n") for line in sys.stdin):
            (prediction,) = classifier.predict_stream([text])
            label = prediction.label
            labels = label if isinstance(label, tuple) else [label]
            columns = [f"{prediction.probabilities[label]:.4f}" for label in labels]
            names = printable(",".join(labels))
            sys.stdout.write(f"{names}\t{','.join(columns)}\n")
            # The reader may be waiting for each line.
            sys.stdout.flush()
    except EmoclfError as error:
        sys.stderr.write(f"emoclf: {printable(error)}\n")
        return 1
    except BrokenPipeError:
        # The reader has closed the pipe, as in `… | head`: flush nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
