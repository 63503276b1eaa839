"""Several networks, several seeds, one split: which is worth its time?"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from emoclf.bundle.bundle import installed_versions
from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.datasets.split import Split
from emoclf.errors import ResumeError, SettingsError, TrainingError
from emoclf.evaluation.baselines import fit_baselines
from emoclf.evaluation.evaluate import evaluate_part
from emoclf.evaluation.metrics import evaluate
from emoclf.evaluation.network_comparison import NetworkComparison, RunMetrics
from emoclf.files import check_writable, write_atomically
from emoclf.fingerprint import RUN_FILE, check_fingerprint, digest, write_fingerprint
from emoclf.settings import RunSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.workflow.prepare import EncodedParts, Prepared, encode_parts
from emoclf.workflow.train import fit_prepared

logger = logging.getLogger(__name__)

RUNS = "runs"
RESULTS = "results.json"
REPORT = "report.txt"
#: Texts that are answered to see how fast a network is.
TIMED = 2000


def compare_networks(
    split: Split,
    networks: Mapping[str, RunSettings],
    *,
    seeds: int = 3,
    folder: str | os.PathLike[str] | None = None,
    callbacks: Callable[[RunSettings], Sequence[Any]] = lambda settings: (),
) -> NetworkComparison:
    """Train networks with several seeds on one split, and judge them beside floors.

    The same call on the same folder goes on where it was stopped; more seeds or more
    networks are added to what is there.

    Parameters
    ----------
    split : Split
        The test part is judged, or, where there is none, the validation part.
    networks : mapping of str to RunSettings
        Settings of each row; their ``seed`` is the first of the seeds.
    seeds : int >= 1, default=3
    folder : path, optional
        Where each run is written down as soon as it is judged.
    callbacks : callable, optional
        Called before each training; returns Keras callbacks for it.

    Returns
    -------
    comparison : NetworkComparison

    Raises
    ------
    SettingsError
        If there is no network, or no seed.
    ResumeError
        If the folder is of other data, or holds a run with other settings.
    """
    if not networks or seeds < 1:
        raise SettingsError(
            "A comparison needs at least one network and one seed. Got "
            f"{len(networks)} and {seeds}."
        )
    check_trainable(split.train)
    notes = None if folder is None else _Notes(Path(folder), split)
    judged = split.test if split.test is not None and len(split.test) else split.valid
    part = "valid" if judged is split.valid else "test"
    inputs = _Inputs(split)
    first = next(iter(networks.values()))
    runs = _floors(split, judged, part, first)
    for number, (name, settings) in enumerate(networks.items(), 1):
        for turn in range(seeds):
            own = settings.replace(seed=settings.seed + turn)
            metrics = notes.find(name, own) if notes else None
            if metrics is None:
                logger.info(
                    "%s (%d of %d), seed %d of %d",
                    name, number, len(networks), turn + 1, seeds,
                )  # fmt: skip
                prepared = inputs.prepared(own)
                metrics = _train(name, own, prepared, split, judged, part, callbacks)
                if notes:
                    notes.keep(metrics, own)
            runs.append(metrics)
    comparison = NetworkComparison(part, len(judged), tuple(runs))
    if notes:
        notes.finish(comparison)
    return comparison


def _train(
    name: str,
    settings: RunSettings,
    prepared: Prepared,
    split: Split,
    judged: Dataset,
    part: str,
    callbacks: Callable[[RunSettings], Sequence[Any]],
) -> RunMetrics:
    """Train, judge and time one network."""
    try:
        trained = fit_prepared(
            prepared, split.train, settings, callbacks=callbacks(settings)
        )
    except TrainingError as error:
        # One network that diverges is a row of the table, not its end.
        logger.warning("%s failed: %s", name, error)
        return RunMetrics(
            name=name,
            seed=settings.seed,
            accuracy=None,
            macro_f1=None,
            parameters=None,
            epochs=None,
            seconds_per_epoch=None,
            seconds=0.0,
            texts_per_second=None,
            findings=("failed",),
        )
    result = trained.result
    if result.ended == "interrupted":
        # Half a training has no place in a table.
        raise KeyboardInterrupt
    predictor = trained.predictor
    found = evaluate_part(predictor, judged, part=part, chose_epoch=part == "valid")
    return RunMetrics(
        name=name,
        seed=settings.seed,
        accuracy=found.accuracy,
        macro_f1=found.macro_f1,
        parameters=trained.bundle.model.count_params(),
        epochs=result.epochs,
        seconds_per_epoch=median(result.history["seconds"]),
        seconds=result.seconds,
        # The judgement has traced the network already.
        texts_per_second=_texts_per_second(predictor.predict, judged.texts),
        findings=tuple(finding.name for finding in result.findings),
    )


def _floors(
    split: Split, judged: Dataset, part: str, settings: RunSettings
) -> list[RunMetrics]:
    tokenizer = new_tokenizer(settings.text)
    began = time.perf_counter()
    baselines = fit_baselines(tokenizer.batch(split.train.texts), split.train.label_ids)
    seconds = time.perf_counter() - began
    found = []
    for baseline in baselines:

        def answer(texts: Sequence[str], baseline: Any = baseline) -> Any:
            return baseline.predict(tokenizer.batch(texts))

        metrics = evaluate(
            answer(judged.texts),
            judged.label_ids,
            judged.label_names,
            name=baseline.name,
            part=part,
        )
        found.append(
            RunMetrics(
                name=baseline.name,
                seed=None,
                accuracy=metrics.accuracy,
                macro_f1=metrics.macro_f1,
                parameters=None,
                epochs=None,
                seconds_per_epoch=None,
                seconds=seconds,
                texts_per_second=_texts_per_second(answer, judged.texts),
            )
        )
    return found


def _texts_per_second(answer: Callable[..., Any], texts: Sequence[str]) -> float:
    texts = list(texts)[:TIMED]
    began = time.perf_counter()
    answer(texts)
    return len(texts) / max(time.perf_counter() - began, 1e-9)


class _Inputs:
    """Encode each kind of input once, for all seeds: the last one is kept."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self._known: tuple[str, EncodedParts] | None = None

    def prepared(self, settings: RunSettings) -> Prepared:
        sections = settings.to_dict()
        key = digest(
            sections["data"],
            sections["text"],
            sections["embedding"],
        )
        train, valid = self.split.train, self.split.valid
        if self._known is None or self._known[0] != key:
            made = encode_parts(train, valid, settings)
            for finding in made.findings:
                logger.warning("%s", finding)
            self._known = (key, made)
        return self._known[1].prepared(train, valid, settings)


class _Notes:
    """A folder that holds each run as soon as it is judged."""

    def __init__(self, root: Path, split: Split) -> None:
        self.root = root
        parts = {
            f"{part} texts": digest(list(data.texts), list(data.labels))
            for part, data in split.parts().items()
        }
        fingerprint = {**parts, "versions": installed_versions()}
        check_writable(root)
        if (root / RUN_FILE).is_file():
            cure = "Use what it was started with, or another folder."
            check_fingerprint(root, fingerprint, cure=cure)
        elif any(not entry.name.startswith(".") for entry in root.iterdir()):
            raise ResumeError(
                f"{root} exists and is not a folder of a comparison. Choose another "
                "one."
            )
        else:
            write_fingerprint(root, fingerprint)
        (root / RUNS).mkdir(exist_ok=True)

    def _path(self, name: str, seed: int | None) -> Path:
        # A name may hold anything; the digest keeps its file apart.
        plain = "".join(c if c.isalnum() else "_" for c in name)[:60]
        return self.root / RUNS / f"{plain}-{digest(name)[:6]}-seed-{seed}.json"

    def find(self, name: str, settings: RunSettings) -> RunMetrics | None:
        path = self._path(name, settings.seed)
        try:
            values = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ResumeError(
                f"{path} is damaged: {error}. Remove it, and the run is made again."
            ) from None
        if values["settings"] != settings.to_dict():
            raise ResumeError(
                f"{path} holds a run of {name!r} with other settings. Use the settings "
                "it was made with, or another folder."
            )
        metrics = values["figures"]
        return RunMetrics(**{**metrics, "findings": tuple(metrics["findings"])})

    def keep(self, metrics: RunMetrics, settings: RunSettings) -> None:
        values = {"figures": asdict(metrics), "settings": settings.to_dict()}
        self._write(self._path(metrics.name, metrics.seed), values)

    def finish(self, comparison: NetworkComparison) -> None:
        self._write(self.root / RESULTS, comparison.to_dict())
        report = "\n".join(comparison.lines()) + "\n"
        write_atomically(self.root / REPORT, report.encode())

    def _write(self, path: Path, values: Any) -> None:
        write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())
