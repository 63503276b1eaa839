"""A quick answer without TensorFlow: ``python -m emoclf.folded FOLDER [TEXT …]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from emoclf.errors import EmoclfError

USAGE = """\
usage: python -m emoclf.folded FOLDER [TEXT …]

Answer each TEXT, or each line of standard input: the label, and its probability.
"""


def main(argv: Sequence[str]) -> int:
    """Answer, and return the exit code."""
    if not argv:
        sys.stderr.write(USAGE)
        return 2
    if argv[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    # NumPy loads here, so that a wrong call is answered at once.
    from emoclf.folded import load_folded

    try:
        classifier = load_folded(argv[0])
        for text in argv[1:] or (line.rstrip("\r\n") for line in sys.stdin):
            (answer,) = classifier.predict_stream([text])
            labels = answer.label if isinstance(answer.label, tuple) else [answer.label]
            chances = [f"{answer.probabilities[label]:.4f}" for label in labels]
            sys.stdout.write(f"{','.join(labels)}\t{','.join(chances)}\n")
            # Somebody may be reading along.
            sys.stdout.flush()
    except EmoclfError as error:
        sys.stderr.write(f"emoclf: {error}\n")
        return 1
    except BrokenPipeError:
        # The reader has gone, as in `… | head`; nothing more is to be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
