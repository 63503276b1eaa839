"""``emoclf predict``: a label and probabilities for each line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from emoclf.cli.shared import (
    as_json,
    lines_as_they_come,
    load_tensorflow,
    new_command,
    open_input,
)


def add_parser(subparsers: Any, argv: Sequence[str]) -> None:
    """Describe the command."""
    parser = new_command(
        subparsers,
        "predict",
        help="answer each line of a file or of standard input",
        example="echo 'They all came!' | emoclf predict emotions.emoclf",
    )
    parser.add_argument("bundle", help="folder that 'emoclf train' wrote")
    parser.add_argument(
        "input", nargs="?", default="-", help="one text a line; - is standard input (-)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line, with the text"
    )
    parser.add_argument(
        "--all", action="store_true", help="the probability of every label"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer lines as they come, in constant memory."""
    load_tensorflow()
    from emoclf.predictor import Predictor

    predictor = Predictor.load(args.bundle)
    with open_input(args.input) as stream:
        for text, prediction in _answers(predictor, lines_as_they_come(stream)):
            label, probabilities = prediction
            if args.json:
                answer = {
                    "text": text,
                    "label": label,
                    "probabilities": {k: round(p, 6) for k, p in probabilities.items()},
                }
                line = as_json(answer)
            else:
                line = _plain(label, probabilities, every=args.all)
            sys.stdout.write(line + "\n")
    return 0


def _plain(
    label: str | tuple[str, ...], probabilities: dict[str, float], *, every: bool
) -> str:
    several = isinstance(label, tuple)
    names = ",".join(label) if several else str(label)
    if every:
        shown = [f"{name}={p:.4f}" for name, p in probabilities.items()]
        return "\t".join([names, *shown])
    chosen = label if isinstance(label, tuple) else (label,)
    return names + "\t" + ",".join(f"{probabilities[name]:.4f}" for name in chosen)


def _answers(predictor: Any, groups: Iterable[list[str]]) -> Iterator[tuple[str, Any]]:
    """Pair each text with its answer, holding one group of texts at a time."""
    for texts in groups:
        yield from zip(texts, predictor.predict_stream(texts), strict=True)
        # Somebody may be reading along.
        sys.stdout.flush()
