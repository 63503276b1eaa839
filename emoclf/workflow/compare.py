"""Compare several networks with several seeds on one split."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from emoclf.bundle.bundle import installed_versions
from emoclf.bundle.json_values import read_json
from emoclf.contextual.input_vectors import encoder_contents
from emoclf.datasets.contents import contents_of
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.datasets.split_files import as_split
from emoclf.datasets.trainable import check_trainable
from emoclf.embeddings.vector_objects import VectorSet, given_vectors
from emoclf.errors import ResumeError, SettingsError, TrainingError, wrong_kind
from emoclf.evaluation.baselines import baseline_inputs, fit_baselines
from emoclf.evaluation.evaluate import evaluate_part
from emoclf.evaluation.metrics import evaluate
from emoclf.evaluation.network_comparison import NetworkComparison, RunMetrics
from emoclf.files import write_atomically
from emoclf.fingerprint import digest, enter_folder
from emoclf.settings import RunSettings
from emoclf.text.encoder import new_tokenizer
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.fit_classifier import fit_prepared
from emoclf.workflow.prepare import EncodedParts, Prepared, encode_parts

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

RUNS_FOLDER = "runs"
RESULTS_FILE = "results.json"
REPORT_FILE = "report.txt"
#: Number of texts on which the speed of a network is measured.
N_TIMED_TEXTS = 2000
#: As many for networks on the vectors of a transformer encoder, which takes its time.
N_ENCODED = 200


def compare_networks(
    split: Split | Dataset | pd.DataFrame,
    networks: Mapping[str, RunSettings | Mapping[str, Any]],
    *,
    seeds: int = 3,
    vectors: Any = None,
    folder: str | os.PathLike[str] | None = None,
    callbacks: Callable[[RunSettings], Sequence[Any]] = lambda settings: (),
) -> NetworkComparison:
    """Train networks with several seeds on one split, and evaluate them and baselines.

    The same call on the same folder continues where it was stopped; further seeds or
    networks are added to the runs in the folder.

    Parameters
    ----------
    split : Split, Dataset or DataFrame
        Split, whose test set is used for evaluation; without one, the validation set.
        Other texts are split by the settings of the first network.
    networks : mapping of str to RunSettings or mapping
        Settings of each row; their ``seed`` is the first of the seeds.
    seeds : int >= 1, default=3
        Number of seeds.
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors of all networks, instead of those of their settings; the forms are
        those of :func:`emoclf.embedding_matrix`.
    folder : path, optional
        Folder in which each run is saved as soon as it is evaluated.
    callbacks : callable, optional
        Function that returns the Keras callbacks of each training.

    Returns
    -------
    comparison : NetworkComparison

    Raises
    ------
    SettingsError
        If there is no network, or no seed.
    ResumeError
        If the folder is of other data, or contains a run with other settings.
    """
    if not isinstance(networks, Mapping):
        cure = "for instance {'bilstm': {'architecture': 'bilstm'}}"
        wanted = "a mapping of names to settings"
        raise SettingsError(wrong_kind("networks", wanted, networks, cure))
    if not networks or seeds < 1:
        raise SettingsError(
            "A comparison needs at least one network and one seed. Got "
            f"{len(networks)} and {seeds}."
        )
    rows = {name: RunSettings.of(settings) for name, settings in networks.items()}
    usual = next(iter(rows.values()))
    split = as_split(split, usual.data, seed=usual.seed)
    check_trainable(split.train)
    first, sets = given_vectors(usual, vectors)
    if vectors is not None:
        name = first.embedding.vectors
        rows = {key: x.override(vectors=name) for key, x in rows.items()}
    rows = {key: resolve(x, split.train) for key, x in rows.items()}
    results = None
    if folder is not None:
        encoders = [x.embedding.encoder for x in rows.values()]
        results = _ResultsFolder(Path(folder), split, encoders)
    runner = _Runner(split, callbacks, sets)
    runs = runner.baselines(next(iter(rows.values())))
    for number, (name, first) in enumerate(rows.items(), 1):
        for turn in range(seeds):
            settings = first.replace(seed=first.seed + turn)
            run = results.find(name, settings) if results else None
            if run is None:
                logger.info(
                    "%s (%d of %d), seed %d of %d",
                    name, number, len(rows), turn + 1, seeds,
                )  # fmt: skip
                run = runner.network(name, settings)
                if results:
                    results.save(run, settings)
            runs.append(run)
    comparison = NetworkComparison(runner.part, len(runner.texts), tuple(runs))
    if results:
        results.finish(comparison)
    return comparison


class _Runner:
    """Trains, evaluates and times networks and baselines on one split."""

    def __init__(
        self,
        split: Split,
        callbacks: Callable[..., Sequence[Any]],
        vectors: Sequence[VectorSet],
    ) -> None:
        self.train, self.valid = split.train, split.valid
        self.callbacks, self.vectors = callbacks, vectors
        self.part, self.texts = "valid", split.valid
        if split.test is not None and len(split.test):
            self.part, self.texts = "test", split.test
        # The encoded split, computed once for all seeds of the same input settings.
        self._key = ""
        self._encoded: EncodedParts | None = None

    def baselines(self, settings: RunSettings) -> list[RunMetrics]:
        tokenizer = new_tokenizer(settings.text)
        start = time.perf_counter()
        inputs = baseline_inputs(self.train, tokenizer)
        baselines = fit_baselines(inputs, self.train.label_ids)
        seconds = time.perf_counter() - start
        runs = []
        for name, baseline in baselines.items():

            def predict(texts: Dataset, baseline: Any = baseline) -> Any:
                return baseline(baseline_inputs(texts, tokenizer))

            evaluation, valid = (
                evaluate(
                    predict(texts),
                    texts.label_ids,
                    texts.label_names,
                    name=name,
                    part=self.part,
                    draws=1,
                )
                for texts in (self.texts, self.valid)
            )
            runs.append(
                RunMetrics(
                    name=name,
                    seed=None,
                    accuracy=evaluation.accuracy,
                    macro_f1=evaluation.macro_f1,
                    valid_macro_f1=valid.macro_f1,
                    seconds=seconds,
                    texts_per_second=self._texts_per_second(predict),
                )
            )
        return runs

    def network(self, name: str, settings: RunSettings) -> RunMetrics:
        prepared, callbacks = self._prepared(settings), self.callbacks(settings)
        try:
            trained = fit_prepared(prepared, self.train, settings, callbacks=callbacks)
        except TrainingError as error:
            # A network that diverges is a row of the table, and does not end it.
            logger.warning("%s failed: %s", name, error)
            return RunMetrics(name, settings.seed, findings=("failed",))
        result = trained.result
        if result.ended == "interrupted":
            # An incomplete training does not belong in the table.
            raise KeyboardInterrupt
        predictor = trained.predictor
        evaluation = valid = evaluate_part(predictor, self.texts, part=self.part)
        if self.texts is not self.valid:
            valid = evaluate_part(predictor, self.valid, part="valid")
        return RunMetrics(
            name=name,
            seed=settings.seed,
            accuracy=evaluation.accuracy,
            macro_f1=evaluation.macro_f1,
            valid_macro_f1=valid.macro_f1,
            parameters=trained.bundle.model.count_params(),
            epochs=result.epochs,
            seconds_per_epoch=median(result.history["seconds"]),
            seconds=result.seconds,
            # The evaluation has already traced the network.
            texts_per_second=self._texts_per_second(
                predictor.uncached().predict_dataset,
                count=N_TIMED_TEXTS if trained.bundle.inputs is None else N_ENCODED,
            ),
            findings=tuple(finding.name for finding in result.findings),
        )

    def _prepared(self, settings: RunSettings) -> Prepared:
        sections = settings.to_dict()
        pooled = getattr(settings.model, "takes_pooled", False)
        names = ("data", "text", "embedding")
        key = digest(*(sections[name] for name in names), pooled)
        if self._encoded is None or self._key != key:
            self._encoded = encode_parts(
                self.train, self.valid, settings, vectors=self.vectors
            )
            self._key = key
            for finding in self._encoded.findings:
                logger.warning("%s", finding)
        return self._encoded.prepared(self.train, self.valid, settings)

    def _texts_per_second(
        self, predict: Callable[..., Any], *, count: int = N_TIMED_TEXTS
    ) -> float:
        texts = self.texts[:count]
        start = time.perf_counter()
        predict(texts)
        return len(texts) / max(time.perf_counter() - start, 1e-9)


class _ResultsFolder:
    """A folder that contains each run as soon as it is evaluated."""

    def __init__(self, root: Path, split: Split, encoders: Iterable[Any]) -> None:
        self.root = root
        fingerprint = {
            **contents_of(split.parts()),
            **encoder_contents(encoders),
            "versions": installed_versions(),
        }
        enter_folder(root, fingerprint, kind="a comparison")
        (root / RUNS_FOLDER).mkdir(exist_ok=True)

    def _path(self, name: str, seed: int | None) -> Path:
        # Two names may differ only in characters that a file name cannot contain.
        plain = "".join(c if c.isalnum() else "_" for c in name)[:60]
        return self.root / RUNS_FOLDER / f"{plain}-{digest(name)[:6]}-seed-{seed}.json"

    def find(self, name: str, settings: RunSettings) -> RunMetrics | None:
        """Return a saved run; None if there is none."""
        path = self._path(name, settings.seed)
        try:
            values = read_json(path)
            metrics = values["figures"]
            run = RunMetrics(**{**metrics, "findings": tuple(metrics["findings"])})
            differs = values["settings"] != settings.to_dict()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResumeError(
                f"{path} is damaged: {error}. Remove it, and the run is repeated."
            ) from None
        if differs:
            raise ResumeError(
                f"{path} contains a run of {name!r} with other settings. Use the "
                "settings that it was made with, or another folder."
            )
        return run

    def save(self, run: RunMetrics, settings: RunSettings) -> None:
        """Save a run."""
        values = {"figures": asdict(run), "settings": settings.to_dict()}
        self._write(self._path(run.name, run.seed), values)

    def finish(self, comparison: NetworkComparison) -> None:
        """Save the results of all runs, and the table."""
        self._write(self.root / RESULTS_FILE, comparison.to_dict())
        report = "\n".join(comparison.lines()) + "\n"
        write_atomically(self.root / REPORT_FILE, report.encode())

    def _write(self, path: Path, values: Any) -> None:
        write_atomically(path, (json.dumps(values, indent=1) + "\n").encode())
