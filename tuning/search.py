"""Search hyper-parameters on the validation part, and keep the best classifier."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras_tuner

from emoclf.datasets.dataset import Dataset, check_trainable
from emoclf.errors import SearchError
from emoclf.inputs import Prepared, prepare
from emoclf.pipeline import run_fingerprint
from emoclf.settings import RunSettings
from emoclf.training.checkpoint import RUN_FILE, CheckpointFolder

from .oracle import SafeRandomOracle
from .result import SearchResult, TrialResult, sign, write_results
from .space import declare_space
from .trial import BEST, TrialLoop, TrialRunner

RESULTS = "results.csv"


def search(
    train: Dataset,
    valid: Dataset,
    settings: RunSettings | None = None,
    *,
    folder: str | os.PathLike[str],
    trials: int = 10,
) -> SearchResult:
    """Search filters, kernel sizes and learning rate at random.

    The same call on the same folder goes on where it was stopped, also by ``kill -9``;
    with more ``trials`` a finished search goes on as well.

    Parameters
    ----------
    train, valid : Dataset
        ``valid`` chooses the epoch of each trial, and the trial.
    settings : RunSettings, optional
        The first trial, and whatever is not searched. Its seed drives the search; each
        trial has a seed of its own, derived from it.
    folder : path
        Holds the trials, ``results.csv`` and ``best.emoclf``.
    trials : int >= 1

    Returns
    -------
    result : SearchResult

    Raises
    ------
    SearchError
        If every trial failed, or the folder is not one of a search.
    ResumeError
        If the folder holds a search over other data or other settings.
    """
    settings = settings or RunSettings()
    if trials < 1:
        raise SearchError(f"A search needs at least one trial. Got {trials!r}.")
    check_trainable(train)
    root = Path(folder)
    prepared = prepare(train, valid, settings)
    _open_folder(root, train, valid, settings, prepared)
    monitor = settings.training.monitor
    runner = TrialRunner(train, settings, prepared, root)
    oracle = SafeRandomOracle(
        space=declare_space(settings),
        objective=keras_tuner.Objective(
            f"val_{monitor}", "min" if monitor == "loss" else "max"
        ),
        trials=trials,
        seed=settings.seed,
    )
    TrialLoop(oracle, root, runner).search(verbose=0)
    found = tuple(
        _result(oracle, trial_id) for trial_id in sorted(oracle.trials, key=int)
    )
    write_results(root / RESULTS, found, monitor)
    scored = [trial for trial in found if trial.score is not None]
    if not scored:
        reasons = sorted({trial.reason for trial in found})
        raise SearchError(
            f"All {len(found)} trials failed; there is no best one. Reasons: "
            + " | ".join(reasons)
        )
    best = max(scored, key=lambda trial: sign(monitor) * float(trial.score or 0.0))
    return SearchResult(found, best, root / BEST, monitor)


def _open_folder(
    root: Path,
    train: Dataset,
    valid: Dataset,
    settings: RunSettings,
    prepared: Prepared,
) -> None:
    """Begin a search, or make sure that the one that is there is the same."""
    run = CheckpointFolder(
        root,
        run_fingerprint(train, valid, settings, prepared),
        cure="Use what it was started with, or another folder.",
    )
    # What a kill left of the very first write is nobody's file.
    begun = f".{RUN_FILE}."
    if (root / RUN_FILE).is_file():
        run.check_fingerprint()
    elif root.exists() and any(not p.name.startswith(begun) for p in root.iterdir()):
        raise SearchError(
            f"{root} exists and is not a folder of a search. Choose another one."
        )
    else:
        run.start()


def _result(oracle: Any, trial_id: str) -> TrialResult:
    trial = oracle.trials[trial_id]
    status = {"COMPLETED": "completed", "FAILED": "failed"}.get(trial.status, "running")
    score = trial.score if status == "completed" else None
    reason = " ".join((trial.message or "").split())
    return TrialResult(
        number=int(trial_id) + 1,
        values=dict(trial.hyperparameters.values),
        score=score,
        status=status,
        reason=reason if status == "failed" else "",
    )
