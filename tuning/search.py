"""A search from beginning to end: begun or gone on with, in one process or several."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoclf.datasets.split import Split
from emoclf.errors import SearchError
from emoclf.inputs import check_parts
from emoclf.quiet import hide_retracing
from emoclf.settings import RunSettings

from .chief import Chief
from .finish import SearchResult, finish
from .folder import SearchFolder, contents_of
from .limits import Limits
from .objective import Objective
from .oracles import new_oracle
from .plan import SearchPlan
from .repeats import parts_of
from .shared_inputs import SharedInputs
from .space import Space
from .trial import TrialRunner
from .worker import work
from .workers import LocalWorkers

logger = logging.getLogger("emoclf.tuning")

#: Seconds between two looks at workers.
LOOK = 0.1
#: Seconds that idle workers have to hear that the search is over.
FAREWELL = 5.0


@dataclass(frozen=True)
class Means:
    """What a search may spend; another call may say otherwise and go on.

    Parameters
    ----------
    trials : int >= 1
        In all, those before a stop counted.
    workers : int >= 0, optional
        Processes on this machine; None runs trials in this process, and 0 leaves them
        to workers elsewhere.
    seconds : float > 0, optional
        Wall time of this call for trials. Those that run then are left, and run again
        when the search goes on.
    keep : int >= 0
        Classifiers of so many of the best trials stay on disk.
    address : str, optional
        ``host:port`` at which workers elsewhere find this search.
    patience : float
        Seconds after which a silent worker's trial is given to another.
    wait : float
        Seconds after which a search without any worker ends.

    Raises
    ------
    SearchError
    """

    trials: int = 20
    workers: int | None = None
    seconds: float | None = None
    keep: int = 3
    address: str | None = None
    patience: float = 60.0
    wait: float = 3600.0

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise SearchError(
                f"A search needs at least one trial. Got {self.trials!r}."
            )
        count = 0 if self.workers is None else self.workers
        nobody = self.workers == 0 and self.address is None
        if count < 0 or nobody:
            raise SearchError(
                f"A search needs a worker here, or an address at which others find it. "
                f"Got workers={self.workers!r} and no address."
            )
        if self.seconds is not None and not self.seconds > 0:
            raise SearchError(f"A search needs some time. Got {self.seconds!r} s.")
        if self.keep < 0:
            raise SearchError(f"keep must be at least 0. Got {self.keep!r}.")


@dataclass(frozen=True)
class Listeners:
    """Whom a search tells how it goes.

    Parameters
    ----------
    begun : callable of a Chief
        Before the first trial; the chief's ``events`` may be set.
    ended : callable
        After the last one, whatever ended it.
    callbacks : callable of an int
        Returns Keras callbacks for the training of the winner, of so many epochs.
    """

    begun: Callable[[Chief], None] = lambda chief: None
    ended: Callable[[], None] = lambda: None
    callbacks: Callable[[int], Sequence[Any]] = lambda epochs: ()


def search(
    split: Split,
    settings: RunSettings | None = None,
    *,
    folder: str | os.PathLike[str],
    space: Space | str | os.PathLike[str] | None = None,
    trials: int = 20,
    strategy: str = "random",
    objective: str = "macro_f1",
    folds: int | None = None,
    seeds: int | None = None,
    prune: bool = True,
    workers: int | None = None,
    seconds: float | None = None,
    trial_seconds: float | None = None,
    limits: Limits | None = None,
    keep: int = 3,
    new: bool = False,
) -> SearchResult:
    """Search settings, train the best ones once more, and judge them once.

    The same call on the same folder goes on where it was stopped, also by ``kill -9``;
    with more ``trials`` a finished search goes on as well. Anything that would make
    its results incomparable is refused, with the difference shown.

    Parameters
    ----------
    split : Split
        Training and validation part are searched on; the test part, if there is one,
        judges the winner and nothing else.
    settings : RunSettings, optional
        The first trial, and whatever is not searched. Its seed drives the search.
    folder : path
        Holds everything: see the README's "A search that can be trusted".
    space : Space or path, optional
        What is searched; else what comes with the package for the architecture.
    trials : int >= 1, default=20
    strategy : {"random", "grid", "bayesian", "hyperband"}
    objective : {"macro_f1", "accuracy", "micro_f1", "average_precision", "log_loss"}
    folds : int >= 2, optional
        A trial is the mean over so many stratified folds; 3 unless ``seeds`` is given.
    seeds : int >= 1, optional
        A trial is the mean over so many seeds on the split as it is.
    prune : bool, default=True
        End trials early that cannot win (:mod:`emoclf.tuning.pruning`).
    workers : int >= 1, optional
        Processes that run trials, one thread each: the same seed gives the same scores
        however many there are. None runs them in this process, with its threads.
    seconds : float, optional
        Wall time of this call for trials.
    trial_seconds : float, optional
        A trial that takes longer has failed.
    limits : Limits, optional
        What no trial may exceed.
    keep : int >= 0, default=3
        Classifiers of so many of the best trials stay on disk.
    new : bool, default=False
        An older search in the folder is moved away, not gone on with.

    Returns
    -------
    result : SearchResult

    Raises
    ------
    SearchError
        If no trial was completed, or the folder cannot be used.
    ResumeError
        If the folder holds another search.

    Examples
    --------
    >>> from emoclf import load_sample, split_dataset
    >>> split = split_dataset(load_sample())
    >>> found = search(split, folder="search", trials=10)  # doctest: +SKIP
    >>> found.choice.chosen.values["learning_rate"]  # doctest: +SKIP
    """
    settings = settings or RunSettings()
    if folds is not None and seeds is not None:
        raise SearchError(
            f"A trial is repeated over folds or over seeds. Got folds={folds!r} and "
            f"seeds={seeds!r}; give one of them."
        )
    if not isinstance(space, Space):
        space = Space.load(settings.architecture, space)
    plan = SearchPlan(
        settings=settings,
        space=space,
        objective=Objective(objective),
        strategy=strategy,
        kind="seeds" if seeds is not None else "folds",
        repeats=seeds if seeds is not None else folds if folds is not None else 3,
        prune=prune,
        trial_seconds=trial_seconds,
        limits=limits or Limits(),
    )
    means = Means(trials=trials, workers=workers, seconds=seconds, keep=keep)
    return run_search(plan, split, folder, means, new=new)


def run_search(
    plan: SearchPlan,
    split: Split,
    folder: str | os.PathLike[str],
    means: Means,
    *,
    new: bool = False,
    listeners: Listeners | None = None,
) -> SearchResult:
    """Run a plan; :func:`search` with everything spelt out.

    Parameters
    ----------
    plan : SearchPlan
    split : Split
    folder : path
    means : Means
    new : bool, default=False
    listeners : Listeners, optional
    """
    listeners = listeners or Listeners()
    hide_retracing()
    check_parts(split.train, split.valid)
    _check_objective(plan, split)
    deadline = None if means.seconds is None else time.monotonic() + means.seconds
    place = SearchFolder(folder)
    place.open(new=new)
    try:
        runner = _begin(plan, split, place)
        chief = Chief(
            plan,
            place,
            new_oracle(plan, place, trials=means.trials),
            keep=means.keep,
            deadline=deadline,
            patience=means.patience,
        )
        listeners.begun(chief)
        try:
            _run_trials(chief, runner, means)
        finally:
            chief.release()
            listeners.ended()
        if chief.failure is not None:
            raise chief.failure
        outcomes = [chief.outcomes[number] for number in sorted(chief.outcomes)]
        return finish(plan, place, outcomes, split, callbacks=listeners.callbacks)
    finally:
        place.close()


def _check_objective(plan: SearchPlan, split: Split) -> None:
    if plan.objective.name == "average_precision" and not split.train.several:
        raise SearchError(
            "The objective 'average_precision' needs several labels per text. Got one "
            "label for each; choose 'macro_f1', 'accuracy' or 'log_loss'."
        )


def _begin(plan: SearchPlan, split: Split, place: SearchFolder) -> TrialRunner:
    """Write down what the search is, and prepare what its trials share."""
    parts = parts_of(plan, split.train, split.valid)
    inputs = SharedInputs(parts, place.inputs)
    # What the vectors say of the first repeat stands for their whole file.
    known = inputs.encoded(0, plan.settings).known
    contents = contents_of(
        split.parts(), None if known is None else (known.ids, known.rows)
    )
    resumed = place.begin(plan, contents)
    place.write_data(split.train, split.valid)
    for repeat in range(plan.repeats):
        encoded = inputs.encoded(repeat, plan.settings)
        if not repeat and not resumed:
            for finding in encoded.findings:
                logger.warning("%s", finding)
    return TrialRunner(plan, parts, inputs, place)


def _run_trials(chief: Chief, runner: TrialRunner, means: Means) -> None:
    if means.workers is None and means.address is None:
        work(chief, runner, "here")
        return
    # gRPC loads here: most searches have one process.
    from .wire import serve

    server, port = serve(chief, means.address or "127.0.0.1:0")
    if means.address is not None:
        logger.info("Workers find this search at port %d.", port)
    try:
        count, threads = means.workers or 0, chief.plan.threads
        logs = chief.folder.logs
        with LocalWorkers(count, port, logs, threads=threads) as processes:
            while not chief.over:
                if count:
                    processes.tend(chief)
                chief.expire()
                _check_company(chief, means)
                time.sleep(LOOK)
            _say_farewell(chief)
    finally:
        server.stop(grace=1.0).wait()


def _check_company(chief: Chief, means: Means) -> None:
    """End a search that nobody works at."""
    alone = time.monotonic() - chief.asked
    if not means.workers and not chief.leases and alone > means.wait:
        raise SearchError(
            f"No worker has asked for a trial for {alone:.0f} s. Start some with: "
            "emoclf tune worker --oracle HOST:PORT. The same command goes on."
        )


def _say_farewell(chief: Chief) -> None:
    """Let idle workers hear that it is over; they ask twice a second."""
    until = time.monotonic() + FAREWELL
    while chief.present and time.monotonic() < until:
        time.sleep(LOOK)


def default_folder(data: str) -> Path:
    """Return where the search on a data file stands if nobody said."""
    stem = Path(data).name.split(".")[0] if data != "-" else ""
    return Path(f"{stem or 'emoclf'}.search")
