"""How many sentences a second are searched for terms, beside spaCy's NER?

Everything runs in one process on one thread, in turns, so that ratios hold on a busy
machine; each figure is the median over the rounds, of processor time. spaCy's pipeline
is a blank English one with a named-entity recognizer of its default size, trained here
on the terms of the same file; it has no polarity, so that it is compared with a tagger
alone too.

    python tests/benchmarks/aspect_speed.py FOLDER

FOLDER is an aspect model; the sentences are SemEval-2014's Laptops. Needs ``spacy`` and
the extra ``onnx``.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import spacy
from serving import single_thread
from spacy.training import Example
from spacy.util import minibatch

from emoclf.aspects.aspect_model import AspectModel
from emoclf.aspects.data.aspect_formats import read_aspects
from emoclf.aspects.data.aspect_split import divide
from emoclf.aspects.data.sentences import AspectData
from emoclf.aspects.exports.aspect_export import export_aspects
from emoclf.aspects.exports.exported_aspects import load_exported_aspects
from emoclf.aspects.terms.span_metrics import compare
from emoclf.display import align

FILE = "semeval14/Laptop_Train_v2.xml"
LABEL = "TERM"


def train_spacy(data: AspectData, epochs: int) -> Any:
    """Return spaCy's blank pipeline with a recognizer that was trained on terms."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("ner").add_label(LABEL)
    examples = []
    for sentence in data:
        doc = pipeline.make_doc(sentence.text)
        # A term within a token has no entity; None leaves it out.
        spans = [doc.char_span(x.start, x.stop, label=LABEL) for x in sentence.terms]
        entities = [(x.start_char, x.end_char, LABEL) for x in spans if x is not None]
        examples.append(Example.from_dict(doc, {"entities": entities}))
    optimizer = pipeline.initialize(lambda: examples)
    order = random.Random(0)
    for _ in range(epochs):
        order.shuffle(examples)
        for batch in minibatch(examples, 32):
            pipeline.update(batch, sgd=optimizer, drop=0.2)
    return pipeline


def main() -> None:
    """Train spaCy's recognizer, export the model, and time all in turns."""
    single_thread()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8, help="epochs of spaCy")
    args = parser.parse_args()
    data = read_aspects(Path(os.environ["EMOCLF_DATA"]) / FILE)
    train, test = map(
        data.take, divide(data, (0.85, 0.15), seed=0, near_duplicates=0.8)
    )
    texts = list(data.texts)
    pipeline = train_spacy(train, args.epochs)

    def find_with_spacy(texts: list[str]) -> list[list[tuple[int, int]]]:
        found = pipeline.pipe(texts)
        return [[(x.start_char, x.end_char) for x in doc.ents] for doc in found]

    both = AspectModel.load(args.folder)
    alone = AspectModel(both.tagger)
    rows: dict[str, Callable[[list[str]], Any]] = {"spaCy, ner": find_with_spacy}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in (("terms", alone), ("terms and polarity", both)):
            if model is both and both.polarity is None:
                continue
            rows[f"folder, {name}"] = model.predict
            for to, options in (("onnx", {"threads": 1}), ("saved-model", {})):
                path = export_aspects(model, Path(folder) / f"{to} {name}", to=to)
                loaded = load_exported_aspects(path, **options)
                rows[f"{to}, {name}"] = loaded.predict
        times = time_all(rows, texts, args.rounds)
    speeds = {name: len(texts) / median(x) for name, x in times.items()}
    base = np.array(times["spaCy, ner"])
    table = [["", "sentences/s", "to spaCy", "lowest ratio"]]
    for name, speed in speeds.items():
        ratios = base / np.array(times[name])
        cells = (f"{speed:,.0f}", f"{median(ratios):.2f}", f"{ratios.min():.2f}")
        table.append([name, *cells])
    print(f"{len(texts):,} sentences, median of {args.rounds} rounds, one thread each")
    print(*align(table), sep="\n")
    f1 = compare(test, find_with_spacy(list(test.texts))).f1
    print(f"spaCy's F1 on {len(test)} sentences that it was not trained on: {f1:.3f}")


def time_all(
    rows: dict[str, Callable[[list[str]], Any]], texts: list[str], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of processor time of each row in each round."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for run in rows.values():
        run(texts)
    for _ in range(rounds):
        for name, run in rows.items():
            began = time.process_time()
            run(texts)
            times[name].append(time.process_time() - began)
    return times


if __name__ == "__main__":
    main()
