"""From raw strings to probabilities: every form of one classifier, beside others.

All rows answer the same texts in one process on one thread, in turns, so that ratios
hold on a busy machine; each figure is the median over the rounds. With EMOCLF_DATA the
texts are ISEAR's validation part, repeated to 20,000, and TF-IDF and fastText are
fitted on its training part; else both come from the bundled corpus.

    python tests/benchmarks/serving.py BUNDLE

fastText stands in the table where its package is installed.
"""

from __future__ import annotations

import argparse
import csv
import gc
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from emoclf.batching import pad
from emoclf.datasets.sample import load_sample
from emoclf.evaluation.text_tables import align
from emoclf.export.folded import export_folded
from emoclf.export.litert import export_litert
from emoclf.export.onnx import export_onnx
from emoclf.export.saved_model import export_saved_model
from emoclf.files import size_of
from emoclf.optional import require
from emoclf.predictor import Predictor
from emoclf.serving import load_exported

BATCHES = (1, 32, 1024)
#: Seconds that a row may take for one batch size in one round; slow rows see fewer
#: texts. A busy host changes its speed within seconds: rounds are many and short.
LIMIT = 0.5
#: Pairs of fresh processes at least, and seconds for more of them: single starts vary.
STARTS, STARTING = 5, 15.0
Answer = Callable[[list[str]], np.ndarray]


@dataclass
class Row:
    """One way to answer.

    Parameters
    ----------
    name : str
    answer : function of a list of texts
        Returns probabilities.
    start : str or None
        A program that answers one text in a fresh process.
    size : int or None
        Bytes on disk.
    """

    name: str
    answer: Answer
    start: str | None = None
    size: int | None = None
    rates: dict[int, list[float]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)


def read_texts(count: int) -> tuple[list[str], list[str], list[str]]:
    """Return texts to answer, and texts and labels to fit others on."""
    if "EMOCLF_DATA" in os.environ:
        folder = Path(os.environ["EMOCLF_DATA"]) / "isear"
        parts = {}
        for part in ("train", "valid"):
            with open(folder / f"{part}.csv", encoding="utf-8", newline="") as stream:
                parts[part] = list(csv.DictReader(stream))
        texts = [row["text"] for row in parts["valid"]]
        fit = [(row["text"], row["label"]) for row in parts["train"]]
    else:
        sample = load_sample()
        texts = list(sample.texts)
        fit = list(zip(sample.texts, sample.labels, strict=True))
    many = list(itertools.islice(itertools.cycle(texts), count))
    return many, [text for text, _ in fit], [str(label) for _, label in fit]


def forms(predictor: Predictor, folder: Path) -> list[Row]:
    """Export to every form, and return how each answers."""
    base = folder / "saved-model"
    export_saved_model(predictor, base)
    export_onnx(predictor, folder / "onnx")
    export_litert(predictor, folder / "litert")
    export_litert(predictor, folder / "litert-int8", int8=True)
    export_folded(predictor, folder / "folded")
    export_folded(predictor, folder / "folded-int8", int8=True)
    one = {"threads": 1}
    made: list[tuple[str, str, dict[str, Any]]] = [
        ("SavedModel", "saved-model", {}),
        ("ONNX Runtime", "onnx", one),
        ("LiteRT", "litert", one),
        ("LiteRT int8", "litert-int8", one),
        ("folded, NumPy", "folded", {}),
        ("folded, NumPy, int16", "folded", {"precision": "int16"}),
        ("folded-int8, NumPy, int16", "folded-int8", {"precision": "int16"}),
        ("folded, numba", "folded", {"engine": "numba"}),
        ("folded, numba, int16", "folded", {"engine": "numba", "precision": "int16"}),
        ("folded, numba, int8", "folded", {"engine": "numba", "precision": "int8"}),
    ]
    rows = []
    for name, form, options in made:
        place = folder / form
        program = (
            "from emoclf.serving import load_exported\n"
            f"c = load_exported({str(place)!r}, **{options!r})\n"
            "c.predict(['It was the best day of all.'])"
        )
        classifier = load_exported(place, **options)
        rows.append(Row(name, classifier.predict_proba, program, size_of(place)))
    return rows


def others(predictor: Predictor, texts: list[str], labels: list[str]) -> Iterator[Row]:
    """Yield what the classifier is compared with."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model, encoder = predictor.bundle.model, predictor.bundle.encoder

    def keras_predict(some: list[str]) -> np.ndarray:
        ids = pad(encoder.encode(some))
        padded = np.zeros((len(some), encoder.max_length), np.int32)
        padded[:, : ids.shape[1]] = ids
        return model.predict(padded, batch_size=len(some), verbose=0)

    yield Row("Keras model.predict", keras_predict)
    linear = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(max_iter=1000),
    ).fit(texts, labels)
    yield Row("TF-IDF (1, 2) + logistic regression", linear.predict_proba)
    yield from fasttext_rows(predictor, texts, labels)


def fasttext_rows(
    predictor: Predictor, texts: list[str], labels: list[str]
) -> Iterator[Row]:
    """Yield fastText with word pairs, on raw strings and behind our tokenizer."""
    try:
        fasttext = require("fasttext", extra="none", needed_by="this row")
    except ImportError:
        print("fastText is not installed; its rows are left out.")
        return
    tokens = predictor.bundle.encoder.tokenizer.tokens

    def prepared(text: str) -> str:
        return " ".join(tokens(text))

    for name, change in (
        ("fastText 2-gram, raw", lambda text: text.replace("\n", " ")),
        ("fastText 2-gram, our tokens", prepared),
    ):
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "train.txt"
            lines = [
                f"__label__{label} {change(text)}\n"
                for text, label in zip(texts, labels, strict=True)
            ]
            file.write_text("".join(lines), encoding="utf-8")
            model = fasttext.train_supervised(
                str(file), wordNgrams=2, epoch=10, lr=0.5, thread=1, verbose=0
            )
        # Below its NumPy 2 trouble: the call that its own predict makes.
        yield Row(
            name,
            lambda some, model=model, change=change: model.f.multilinePredict(
                [change(text) + "\n" for text in some], -1, 0.0, "strict"
            ),
        )


def time_round(rows: list[Row], texts: list[str]) -> None:
    """Let every row answer, batch size by batch size, in turns."""
    for size in BATCHES:
        for row in rows:
            gc.collect()
            done, began = 0, time.perf_counter()
            for start in range(0, len(texts) - size + 1, size):
                before = time.perf_counter()
                row.answer(texts[start : start + size])
                now = time.perf_counter()
                done += size
                if size == 1:
                    row.times.append(now - before)
                if now - began > LIMIT:
                    break
            rate = done / (time.perf_counter() - began)
            row.rates.setdefault(size, []).append(rate)


def start_up(program: str) -> tuple[float, float]:
    """Return median seconds beyond ``import numpy``, and megabytes at most.

    Each start stands beside one that imports NumPy and nothing else.
    """
    beyond, megabytes = [], []
    until = time.perf_counter() + STARTING
    while len(beyond) < STARTS or time.perf_counter() < until:
        base, _ = fresh("import numpy")
        seconds, memory = fresh(program)
        beyond.append(seconds - base)
        megabytes.append(memory)
    return median(beyond), median(megabytes)


def fresh(program: str) -> tuple[float, float]:
    """Return wall seconds and peak megabytes of a process that runs a program."""
    # The process's own peak; that of getrusage begins with its parent's.
    code = program + "\nprint(open('/proc/self/status').read())"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - began
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("VmHWM:"))
    return seconds, int(line.split()[1]) / 1024


@contextmanager
def export_place(keep: str | None) -> Iterator[Path]:
    """Give a folder for exports."""
    if keep:
        Path(keep).mkdir(parents=True, exist_ok=True)
        yield Path(keep)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def where_time_goes(folder: Path, texts: list[str]) -> list[str]:
    """Return lines about the parts of the folded form."""
    lines = []
    for engine, precision in (
        ("numpy", "float32"),
        ("numpy", "int16"),
        ("numba", "float32"),
        ("numba", "int16"),
        ("numba", "int8"),
    ):
        folded: Any = load_exported(folder, engine=engine, precision=precision)
        some = texts[:4096]
        flat, lengths = folded.text.encode(some)
        folded.network.predict_many(flat, lengths)
        cut, sums = [], []
        for _ in range(5):
            began = time.perf_counter()
            flat, lengths = folded.text.encode(some)
            middle = time.perf_counter()
            folded.network.predict_many(flat, lengths)
            cut.append(middle - began)
            sums.append(time.perf_counter() - middle)
        tokens, rest = (median(x) / len(some) * 1e6 for x in (cut, sums))
        lines.append(
            f"{engine}, {precision}: tokenizing {tokens:.2f} µs a text, sums and head "
            f"{rest:.2f} µs"
        )
    return lines


def single_thread() -> None:
    """Start again with one thread, which NumPy and TensorFlow ask for once."""
    names = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    wanted = {f"{name}_THREADS": "1" for name in names}
    wanted["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if not wanted.items() <= os.environ.items():
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> None:
    """Print one table."""
    single_thread()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", help="what 'emoclf train' wrote")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", help="folder for the exports")
    args = parser.parse_args()
    predictor = Predictor.load(args.bundle)
    texts, fit_texts, fit_labels = read_texts(args.texts)
    bundle = (
        "from emoclf import Predictor\n"
        f"p = Predictor.load({args.bundle!r})\n"
        "p.predict(['It was the best day of all.'])"
    )
    size = size_of(Path(args.bundle))
    with export_place(args.keep) as folder:
        rows = [
            *others(predictor, fit_texts, fit_labels),
            Row("Predictor", predictor.predict_proba, bundle, size),
            *forms(predictor, folder),
        ]
        for row in rows:
            row.answer(texts[:64])
            row.answer(texts[:1])
        for _ in range(args.rounds):
            time_round(rows, texts)
        print_table(rows, predictor, texts)
        print("\nWhere the time goes, batches of 1,024 and more:")
        print(*where_time_goes(folder / "folded", texts), sep="\n")


def print_table(rows: list[Row], predictor: Predictor, texts: list[str]) -> None:
    """Print what was measured."""
    bases = [fresh("import numpy") for _ in range(STARTS)]
    base, base_memory = (median(column) for column in zip(*bases, strict=True))
    distinct = list(dict.fromkeys(texts))
    expected = predictor.predict_proba(distinct).argmax(1)
    lines = [
        ["", *(f"{size:,} at once" for size in BATCHES), "one text", "p99", "start",
         "MB", "disk MB", "equal"]
    ]  # fmt: skip
    for row in rows:
        seconds, megabytes = start_up(row.start) if row.start else (0.0, 0.0)
        times = np.array(row.times) * 1e6
        equal = ""
        if row.start:
            same = row.answer(distinct).argmax(1) == expected
            equal = f"{same.mean():.2%}"
        lines.append(
            [
                row.name,
                *(f"{median(row.rates[size]):,.0f}" for size in BATCHES),
                f"{np.median(times):,.0f} µs",
                f"{np.percentile(times, 99):,.0f} µs",
                f"+{seconds * 1000:,.0f} ms" if row.start else "",
                f"{megabytes:,.0f}" if row.start else "",
                f"{row.size / 1e6:.1f}" if row.size else "",
                equal,
            ]
        )
    print(f"texts per second; {len(texts):,} texts, one thread")
    print(f"start: beyond the {base * 1000:.0f} ms and {base_memory:.0f} MB of NumPy")
    print(*align(lines, left=1), sep="\n")
    print("\nRatios, 1,024 at once:")
    best = {row.name: median(row.rates[1024]) for row in rows}
    against = [row.name for row in rows if not row.start] + ["ONNX Runtime"]
    ratios = [["", *(f"× {name}" for name in against)]]
    for name, rate in best.items():
        if "folded" in name:
            ratios.append([name, *(f"{rate / best[other]:.2f}" for other in against)])
    print(*align(ratios, left=1), sep="\n")


if __name__ == "__main__":
    main()
