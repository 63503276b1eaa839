"""Teachers and their students on ISEAR and MR, in one table.

``EMOCLF_DATA=… python tests/benchmarks/distillation.py isear --work FOLDER``
``    --teacher isear=minilm=6.1 --teacher isear=mpnet.emoclf --encoder ENCODER``
``    --out-of-fold isear=folds.csv --unlabelled a.txt --unlabelled b.txt``

Trained on ``train.csv``, and measured on ``valid.csv``, which also chose the epochs of
the networks; no teacher may have seen it. Each row of each seed is kept as JSON in the
work folder: the same command continues, ``--rows`` and ``--seeds`` do a part, and
``--rows none`` prints the table of what is there. Settings of ``emoclf distil``, such
as ``--vectors`` or ``--kernel-sizes``, are those of TextCNN and student (``--vectors``
needs no name to be added: default starter and ``imdb-w2v-300-cut.bin``).
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emoclf import (
    Dataset,
    distil_classifier,
    export_classifier,
    load_exported,
    read_dataset,
)
from emoclf.classifier import Classifier
from emoclf.cli.options import add_section, add_settings, given_settings
from emoclf.distillation.distillation_settings import DistillationSettings
from emoclf.distillation.teachers import as_teachers
from emoclf.evaluation.baselines import tfidf_baseline
from emoclf.evaluation.metrics import evaluate, evaluate_probabilities
from emoclf.files import size_of
from emoclf.settings import DataSettings, TextSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.workflow.train import train_classifier
from emoclf.workflow.trained_classifier import TrainedClassifier

#: Rows with one measurement; the others have one for each seed.
SINGLE = ("svm", "teacher")
ROWS = {
    "svm": "TF-IDF + linear SVM",
    "textcnn": "TextCNN",
    "contextual": "TextCNN on the encoder's vectors",
    "sentence": "sentence head",
    "teacher": "teacher",
    "student-first": "student, without the last step",
    "student": "student",
    "student-folded": "student, folded to int8",
    "made-first": "student without unlabelled text, without the last step",
    "made": "student without unlabelled text",
}
#: Rows that are results of another row's run.
PARTS = {"student-first": "student", "student-folded": "student", "made-first": "made"}
#: Texts whose predictions are timed.
TIMED_TEXTS = 5000
Numbers = dict[str, Any]


def measured(
    predict: Callable[[Sequence[str]], np.ndarray],
    valid: Dataset,
    timed_texts: Sequence[str],
    minutes: float | None,
) -> Numbers:
    """Return the metrics and the speed of a classifier's probabilities."""
    probabilities = predict(list(valid.texts))
    found = evaluate_probabilities(
        probabilities, valid.label_ids, valid.label_names, name="", part="validation"
    )
    start = time.perf_counter()
    predict(timed_texts)
    seconds = time.perf_counter() - start
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "ece": found.calibration_error,
        "minutes": minutes,
        "texts_per_second": len(timed_texts) / seconds,
    }


class Bench:
    """Rows of one data set.

    Parameters
    ----------
    name : str
    args : Namespace
    given : dict
        Settings of TextCNN and student.
    """

    def __init__(self, name: str, args: argparse.Namespace, given: Numbers) -> None:
        folder = Path(os.environ["EMOCLF_DATA"])
        self.train = read_dataset(folder / name / "train.csv")
        self.valid = read_dataset(
            folder / name / "valid.csv", label_names=self.train.label_names
        )
        # With their first word last: an encoder keeps the vectors of texts it has seen.
        self.timed = [
            " ".join([*words, first])
            for first, *words in map(
                str.split, [*self.valid.texts, *self.train.texts][:TIMED_TEXTS]
            )
        ]
        vectors = ("starter", str(folder / "vectors" / "imdb-w2v-300-cut.bin"))
        own = DistillationSettings.names()
        self.distillation = {key: given[key] for key in own if key in given}
        student = {key: x for key, x in given.items() if key not in own}
        self.settings = {"vectors": vectors, **student}
        self.name, self.args = name, args
        #: Minutes of training by each teacher's path.
        self.teachers = {
            path: float(minutes) if minutes else None
            for key, path, minutes in args.teacher
            if key == name
        }
        self.out_of_fold = dict(args.out_of_fold).get(name)

    def file(self, row: str, seed: int) -> Path:
        return self.args.work / f"{self.name}-{row}-{seed}.json"

    def run(self, row: str, seed: int) -> None:
        """Measure a row, and keep the numbers of it and of its parts."""
        if self.file(row, seed).exists():
            return
        results = getattr(self, f"_{row.replace('-', '_')}")(seed)
        for name, numbers in results.items():
            print(self.name, name, seed, json.dumps(numbers), flush=True)
            self.file(name, seed).write_text(json.dumps(numbers, indent=1))

    def _svm(self, seed: int) -> dict[str, Numbers]:
        tokenizer = new_tokenizer(TextSettings())
        start = time.perf_counter()
        svm = tfidf_baseline(tokenizer.batch(self.train.texts), self.train.label_ids)
        minutes = (time.perf_counter() - start) / 60
        predicted = svm(tokenizer.batch(self.valid.texts))
        found = evaluate(
            predicted,
            self.valid.label_ids,
            self.valid.label_names,
            name="",
            part="validation",
        )
        start = time.perf_counter()
        svm(tokenizer.batch(self.timed))
        speed = len(self.timed) / (time.perf_counter() - start)
        inner: Any = svm
        cells = [cell.cell_contents for cell in inner.__closure__]
        size = sum(len(pickle.dumps(cell)) for cell in cells if hasattr(cell, "steps"))
        return {
            "svm": {
                "accuracy": found.accuracy,
                "macro_f1": found.macro_f1,
                "minutes": minutes,
                "texts_per_second": speed,
                "bytes": size,
            }
        }

    def _textcnn(self, seed: int) -> dict[str, Numbers]:
        return {"textcnn": self._trained("textcnn", seed, self.settings)}

    def _contextual(self, seed: int) -> dict[str, Numbers]:
        settings = {"encoder": self.args.encoder}
        return {"contextual": self._trained("contextual", seed, settings)}

    def _sentence(self, seed: int) -> dict[str, Numbers]:
        settings = {"encoder": self.args.encoder, "architecture": "sentence_head"}
        return {"sentence": self._trained("sentence", seed, settings)}

    def _trained(self, row: str, seed: int, settings: Numbers) -> Numbers:
        start = time.perf_counter()
        trained = train_classifier(self.train, self.valid, {**settings, "seed": seed})
        return self._saved(trained, row, seed, (time.perf_counter() - start) / 60)

    def _saved(
        self, trained: TrainedClassifier, row: str, seed: int, minutes: float
    ) -> Numbers:
        path = self.args.work / f"{self.name}-{row}-{seed}.emoclf"
        trained.save(path, overwrite=True)
        numbers = measured(trained.predict_proba, self.valid, self.timed, minutes)
        return {**numbers, "bytes": size_of(path)}

    def _teacher(self, seed: int) -> dict[str, Numbers]:
        """Measure each teacher, and the mean of all."""
        results = {}
        paths = {Path(path).name: [path] for path in self.teachers}
        if len(paths) > 1:
            paths["all teachers"] = [*self.teachers]
        for name, group in paths.items():
            teachers = as_teachers(group, None, self.train, DataSettings())
            orders = [
                [one.label_names.index(label) for label in self.train.label_names]
                for one in teachers
            ]

            def predict(
                texts: Sequence[str], teachers: Any = teachers, orders: Any = orders
            ) -> np.ndarray:
                found = [
                    np.asarray(one.predict_proba(texts))[:, order]
                    for one, order in zip(teachers, orders, strict=True)
                ]
                return np.mean(found, axis=0)

            minutes = [self.teachers[path] for path in group]
            known = [one for one in minutes if one is not None]
            total = sum(known) if len(known) == len(minutes) else None
            numbers = measured(predict, self.valid, self.timed, total)
            size = sum(size_of(Path(path)) for path in group)
            results[f"teacher-{name}"] = {**numbers, "bytes": size}
        return {**results, "teacher": {}}

    def _student(self, seed: int) -> dict[str, Numbers]:
        return self._distilled("student", seed, self.args.unlabelled)

    def _made(self, seed: int) -> dict[str, Numbers]:
        return self._distilled("made", seed, None)

    def _distilled(
        self, row: str, seed: int, unlabelled: list[Path] | None
    ) -> dict[str, Numbers]:
        distillation = dict(self.distillation)
        if unlabelled is None:
            distillation.pop("max_unlabelled", None)
        start = time.perf_counter()
        student = distil_classifier(
            self.train,
            self.valid,
            {**self.settings, "seed": seed},
            teacher=[*self.teachers],
            unlabelled=unlabelled,
            out_of_fold=self.out_of_fold,
            distillation=distillation,
            predictions=self.args.work / "predictions",
            checkpoint=self.args.work / f"{self.name}-{row}-{seed}.checkpoint",
            resume=True,
        )
        minutes = (time.perf_counter() - start) / 60
        numbers = self._saved(student, row, seed, minutes)
        facts = student.bundle.metrics["distillation"]
        first = {name: facts["stages"][0][name] for name in ("accuracy", "macro_f1")}
        results = {row: {**numbers, "distillation": facts}, f"{row}-first": first}
        if row == "student":
            folder = self.args.work / f"{self.name}-{row}-{seed}-folded"
            export_classifier(
                student.predictor, folder, to="folded-int8", overwrite=True
            )
            folded: Classifier = load_exported(folder)
            numbers = measured(folded.predict_proba, self.valid, self.timed, minutes)
            results["student-folded"] = {**numbers, "bytes": size_of(folder)}
        return results

    def table(self) -> list[str]:
        """Return the table of all rows that are measured."""
        lines = [
            f"{self.name}: {len(self.train)} training texts, {len(self.valid)} "
            "validation texts, which chose the epochs of the networks",
            "",
            "| | accuracy | macro-F1 | ECE | minutes | texts/s | MB |",
            "|---|---|---|---|---|---|---|",
        ]
        for row, title in ROWS.items():
            names = [row]
            if row == "teacher":
                found = sorted(self.args.work.glob(f"{self.name}-teacher-*-0.json"))
                prefix = len(f"{self.name}-")
                names = [path.name[prefix : -len("-0.json")] for path in found]
            for name in names:
                if line := self._line(name, title + name.removeprefix(row)):
                    lines.append(line)
        return lines

    def _line(self, row: str, title: str) -> str:
        files = [self.file(row, seed) for seed in range(100)]
        seeds = [json.loads(file.read_text()) for file in files if file.exists()]
        if not seeds or not seeds[0]:
            return ""
        cells = []
        for name, form, unit in (
            ("accuracy", "{:.3f}", 1.0),
            ("macro_f1", "{:.3f}", 1.0),
            ("ece", "{:.3f}", 1.0),
            ("minutes", "{:.1f}", 1.0),
            ("texts_per_second", "{:,.0f}", 1.0),
            ("bytes", "{:.1f}", 1e-6),
        ):
            values = [x[name] * unit for x in seeds if x.get(name) is not None]
            cell = form.format(np.mean(values)) if values else "–"
            if len(values) > 1 and name in ("accuracy", "macro_f1"):
                cell += f" ± {np.std(values, ddof=1):.3f}"
            cells.append(cell)
        return f"| {title} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["isear", "mr"], metavar="SET")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        type=lambda text: [*text.split("="), None][:3],
        metavar="SET=MODEL[=MINUTES]",
    )
    parser.add_argument(
        "--out-of-fold",
        action="append",
        default=[],
        type=lambda text: text.split("=", 1),
        metavar="SET=FILE",
    )
    parser.add_argument("--unlabelled", type=Path, action="append", default=[])
    parser.add_argument("--encoder")
    parser.add_argument("--rows", default=",".join(set(ROWS) - set(PARTS)))
    parser.add_argument("--seeds", default="0,1,2")
    args, options = parser.parse_known_args()
    if not os.environ.get("EMOCLF_DATA"):
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    settings_parser = argparse.ArgumentParser()
    add_section(settings_parser, "distillation", DistillationSettings)
    add_settings(settings_parser)
    given = given_settings(settings_parser.parse_args(options))
    args.work.mkdir(parents=True, exist_ok=True)
    wanted = [row for row in ROWS if row in args.rows.split(",")]
    for name in args.sets:
        bench = Bench(name, args, given)
        for row in wanted:
            needs = {"contextual": args.encoder, "sentence": args.encoder}
            needs |= dict.fromkeys(("teacher", "made"), bench.teachers)
            needs["student"] = bench.teachers and args.unlabelled
            if needs.get(row, True):
                for seed in [0] if row in SINGLE else map(int, args.seeds.split(",")):
                    bench.run(row, seed)
        print("\n".join(["", *bench.table(), ""]), flush=True)


if __name__ == "__main__":
    main()
