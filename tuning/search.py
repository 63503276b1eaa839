"""A search from start to end: new or continued, in one process or several."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoclf._moved import warn_renamed
from emoclf.contextual.input_vectors import encoder_contents
from emoclf.datasets.contents import contents_of
from emoclf.datasets.dataset import Dataset
from emoclf.datasets.split import Split
from emoclf.datasets.split_files import as_split
from emoclf.embeddings.vector_objects import (
    VectorSet,
    given_vectors,
    vectors_path,
    write_vectors,
)
from emoclf.errors import SearchError, setting
from emoclf.fingerprint import digest
from emoclf.runtime import TOKEN_VARIABLE, hide_retracing
from emoclf.settings import RunSettings
from emoclf.settings.sections import AUTO
from emoclf.workflow.automatic_settings import resolve
from emoclf.workflow.prepare import check_parts

from .budget import Budget
from .chief.chief import Chief
from .chief.local_workers import LocalWorkers
from .chief.strategies import new_oracle
from .finish import SearchResult, finish
from .folder import SearchFolder
from .limits import Limits
from .plan import SearchPlan, new_plan
from .space.space import Space
from .trials.folds_and_seeds import parts_of
from .trials.shared_inputs import vectors_identity
from .trials.trial_runner import TrialRunner
from .trials.worker_loop import run_trials

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("emoclf.tuning")

#: Seconds between two checks of the workers.
CHECK_SECONDS = 0.1
#: Seconds for idle workers to learn that the search is over.
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True)
class Listeners:
    """Functions that a search calls to report its progress.

    Parameters
    ----------
    begun : callable of a Chief
        Called before the first trial; it may set the chief's ``listeners``.
    ended : callable
        Called after the last trial, even after an error.
    callbacks : callable of an int
        Function of the maximum number of epochs that returns Keras callbacks for the
        training of the winner.
    """

    begun: Callable[[Chief], None] = lambda chief: None
    ended: Callable[[], None] = lambda: None
    callbacks: Callable[[int], Sequence[Any]] = lambda epochs: ()


def search_settings(
    split: Split | Dataset | pd.DataFrame,
    settings: RunSettings | Mapping[str, Any] | None = None,
    *,
    folder: str | os.PathLike[str],
    space: Space | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    trials: int = 20,
    strategy: str = "random",
    objective: str = "macro_f1",
    folds: int | None = None,
    seeds: int | None = None,
    prune: bool = True,
    workers: int | None = None,
    threads: int = 1,
    seconds: float | None = None,
    trial_seconds: float | None = None,
    limits: Limits | None = None,
    keep: int = 3,
    new: bool = False,
    vectors: Any = None,
) -> SearchResult:
    """Search settings, train the best ones once more, and evaluate them once.

    The same call on the same folder continues where it was stopped, even after
    ``kill -9``; with more ``trials`` a finished search continues as well. A call whose
    results would not be comparable is refused, and the error shows the difference.

    Parameters
    ----------
    split : Split, Dataset or DataFrame
        Training and validation set for the search, and a test set, which is used for
        the evaluation of the winner only. Other texts are split by the settings.
    settings : RunSettings or mapping, optional
        Settings of the first trial, and of everything that is not searched. Their seed
        is the seed of the search.
    folder : path
        Folder for all files of the search; see ``tuning/README.md``.
    space : Space, mapping or path, optional
        Search space: a TOML file, or its tables, as in
        ``{"filters": {"choices": [50, 100]}}``; default: the packaged space of the
        architecture.
    trials : int >= 1, default=20
    strategy : {"random", "grid", "bayesian", "hyperband"}
    objective : {"macro_f1", "accuracy", "micro_f1", "average_precision", "log_loss"}
    folds : int >= 2, optional
        Number of stratified folds that a trial is the mean over; 3 unless ``seeds`` is
        given.
    seeds : int >= 1, optional
        Number of seeds, on the split as it is, that a trial is the mean over.
    prune : bool, default=True
        Whether to end trials that cannot win (:mod:`emoclf.tuning.results.pruning`).
    workers : int >= 1, optional
        Number of processes that run trials; the same seed gives the same scores
        whatever the number. None runs trials in this process, with its own threads.
    threads : int >= 1, default=1
        Threads of each of these processes; the last digits of scores depend on it.
    seconds : float, optional
        Wall time of this call for trials.
    trial_seconds : float, optional
        Longest duration of a trial; one that takes longer fails.
    limits : Limits, optional
        Limits that no trial may exceed.
    keep : int >= 0, default=3
        Number of best trials whose classifiers stay on disk.
    new : bool, default=False
        Whether to move an older search in the folder away instead of continuing it.
    vectors : path, WordVectors, KeyedVectors, (words, array), mapping or list, optional
        Word vectors instead of those of the settings; the forms are those of
        :func:`emoclf.embedding_matrix`. An object is written into the folder while the
        search runs, for its worker processes.

    Returns
    -------
    result : SearchResult

    Raises
    ------
    SearchError
        If no trial was completed, or the folder cannot be used.
    ResumeError
        If the folder contains another search.

    Examples
    --------
    >>> from emoclf import load_sample, split_dataset
    >>> split = split_dataset(load_sample())
    >>> result = search_settings(split, folder="search", trials=10)  # doctest: +SKIP
    >>> result.choice.chosen.values["learning_rate"]  # doctest: +SKIP
    """
    settings = RunSettings.of(settings)
    split = as_split(split, settings.data, seed=settings.seed)
    settings, sets = given_vectors(settings, vectors)
    if sets:
        inputs = SearchFolder(folder).inputs
        paths = [
            item if isinstance(item, str) else str(vectors_path(item, inputs))
            for item in sets
        ]
        settings = settings.override(vectors=paths)
    plan = new_plan(
        settings,
        space=space,
        objective=objective,
        folds=folds,
        seeds=seeds,
        strategy=strategy,
        prune=prune,
        trial_seconds=trial_seconds,
        limits=limits or Limits(),
        threads=threads,
    )
    budget = Budget(trials=trials, workers=workers, seconds=seconds, keep=keep)
    return run_search(plan, split, folder, budget, new=new, vectors=sets)


def search(*args: Any, **arguments: Any) -> SearchResult:
    """Search settings; the old name of :func:`search_settings`."""
    warn_renamed("emoclf.tuning.search.search", "emoclf.search_settings")
    return search_settings(*args, **arguments)


def run_search(
    plan: SearchPlan,
    split: Split,
    folder: str | os.PathLike[str],
    budget: Budget,
    *,
    new: bool = False,
    listeners: Listeners | None = None,
    vectors: Sequence[VectorSet] = (),
) -> SearchResult:
    """Run a plan; :func:`search_settings` with a plan and a budget.

    Parameters
    ----------
    plan : SearchPlan
    split : Split
    folder : path
    budget : Budget
    new : bool, default=False
    listeners : Listeners, optional
    vectors : sequence of VectorSet
        Sets of vectors; those in memory are written to the paths that the settings
        name.
    """
    listeners = listeners or Listeners()
    hide_retracing()
    if budget.workers is None:
        plan = replace(plan, threads=threads_in_use())
    check_parts(split.train, split.valid)
    if plan.objective.name == "average_precision" and not split.train.multilabel:
        raise SearchError(
            "The objective 'average_precision' needs multilabel data. Got one label "
            "for each text; choose 'macro_f1', 'accuracy' or 'log_loss'."
        )
    if split.train.vectors is not None:
        raise SearchError(
            f"{split.train.source} contains vectors from elsewhere. A search takes "
            "texts, whose vectors a transformer encoder makes: "
            f"{setting('encoder', 'NAME')}."
        )
    settings = plan.settings
    if settings.embedding.vectors == AUTO and plan.space.varies_width():
        settings = settings.override(vectors=None)
    plan = replace(plan, settings=resolve(settings, split.train))
    # Checked before a folder is made, which would record a wrong space.
    plan.space.for_settings(plan.settings)
    deadline = None if budget.seconds is None else time.monotonic() + budget.seconds
    if new:
        # Checked before the old search is moved away.
        parts_of(plan, split.train, split.valid)
    search_folder = SearchFolder(folder)
    search_folder.open(new=new)
    try:
        paths = plan.settings.embedding.vector_paths
        for item, path in zip(vectors, paths, strict=bool(vectors)):
            if not isinstance(item, str):
                write_vectors(item, Path(path))
        runner = _begin(plan, split, search_folder, vectors_identity(paths))
        chief = Chief(
            plan,
            search_folder,
            new_oracle(plan, search_folder, trials=budget.trials),
            keep=budget.keep,
            deadline=deadline,
            patience=budget.patience,
        )
        listeners.begun(chief)
        try:
            _run_trials(chief, runner, budget)
        finally:
            chief.release()
            listeners.ended()
        if chief.failure is not None:
            raise chief.failure
        outcomes = [chief.outcomes[number] for number in sorted(chief.outcomes)]
        result = finish(
            plan, search_folder, outcomes, split, callbacks=listeners.callbacks
        )
        search_folder.remove_inputs()
        return result
    finally:
        search_folder.close()


def _begin(
    plan: SearchPlan, split: Split, folder: SearchFolder, vectors: str
) -> TrialRunner:
    """Write the plan into the folder, and prepare the inputs that trials share."""
    runner = TrialRunner(plan, folder, split.train, split.valid, vectors=vectors)
    inputs = runner.inputs
    contents = contents_of(split.parts())
    contents |= encoder_contents([plan.settings.embedding.encoder])
    folder.refuse_other(plan, contents, split.parts())
    if plan.settings.embedding.vectors is not None:
        # The rows for the first repeat represent the whole file, even where only some
        # trials use them.
        rows = inputs.encoded(0, plan.settings.override(embedding="static")).pretrained
        if rows is not None:
            contents["word vectors"] = digest(rows.ids, rows.rows)
    resumed = folder.begin(plan, contents, vectors=inputs.vectors)
    folder.write_data(split.parts())
    for repeat in range(plan.repeats):
        encoded = inputs.encoded(repeat, plan.settings)
        if not repeat and not resumed:
            for finding in encoded.findings:
                logger.warning("%s", finding)
    return runner


def _run_trials(chief: Chief, runner: TrialRunner, budget: Budget) -> None:
    if budget.workers is None and budget.address is None:
        run_trials(chief, runner, "here")
        return
    # gRPC is imported here, because most searches have one process.
    from .chief.grpc_service import serve

    token = budget.token
    if budget.address is None:
        # Other users of this machine can reach the port.
        token = secrets.token_hex()
    server, port = serve(chief, budget.address or "127.0.0.1:0", token=token)
    if budget.address is not None:
        _report_address(budget.address, port, token)
    try:
        count = budget.workers or 0
        with LocalWorkers(chief, count, port, token=token) as processes:
            stopped: float | None = None
            while not chief.over:
                for name in chief.expire():
                    processes.kill(name)
                if count:
                    processes.restart_dead()
                _check_workers(chief, budget)
                time.sleep(CHECK_SECONDS)
                if chief.stopping:
                    stopped = stopped or time.monotonic()
                    if time.monotonic() - stopped > budget.patience:
                        # Workers that have not stopped by now hang in their trials.
                        break
            # Idle workers ask twice a second, and then learn that the search is over.
            until = time.monotonic() + FAREWELL_SECONDS
            while chief.present and time.monotonic() < until:
                time.sleep(CHECK_SECONDS)
    finally:
        server.stop(grace=1.0).wait()


def _report_address(address: str, port: int, token: str) -> None:
    public_address = f"{address.rpartition(':')[0]}:{port}"
    if token:
        logger.info(
            "The search listens on %s for workers with its secret.", public_address
        )
        return
    logger.warning(
        "The search listens on %s without a secret: whoever reaches this address can "
        "take part, and report any score. Give the chief and its workers the same "
        "secret: --token-file, or the environment variable %s.",
        public_address,
        TOKEN_VARIABLE,
    )


def _check_workers(chief: Chief, budget: Budget) -> None:
    """Raise SearchError if the search has had no worker for too long."""
    silence = time.monotonic() - chief.asked
    if not budget.workers and not chief.running and silence > budget.wait:
        raise SearchError(
            f"No worker has asked for a trial for {silence:.0f} s. Start workers with: "
            "emoclf tune worker --oracle HOST:PORT. The same command continues the "
            "search."
        )


def threads_in_use() -> int:
    """Return the number of TensorFlow's threads in this process."""
    import tensorflow as tf

    configured = tf.config.threading.get_intra_op_parallelism_threads()
    from_environment = int(os.environ.get("TF_NUM_INTRAOP_THREADS", "0") or 0)
    return configured or from_environment or os.cpu_count() or 1


def default_folder(data: str) -> Path:
    """Return the folder of the search on a data file if none is given."""
    stem = Path(data).name.split(".")[0] if data != "-" else ""
    return Path(f"{stem or 'emoclf'}.search")
