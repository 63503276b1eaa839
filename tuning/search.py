"""A search from beginning to end: begun or gone on with, in one process or several."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emoclf._moved import warn_renamed
from emoclf.datasets.contents import contents_of
from emoclf.datasets.split import Split
from emoclf.errors import SearchError, setting
from emoclf.fingerprint import digest
from emoclf.runtime import hide_retracing
from emoclf.settings import RunSettings
from emoclf.workflow.prepare import check_parts

from .chief.chief import PATIENCE, Chief
from .chief.local_workers import LocalWorkers
from .chief.oracles import new_oracle
from .finish import SearchResult, finish
from .folder import SearchFolder
from .limits import Limits, check_numbers
from .plan import SearchPlan, kind_and_repeats
from .results.objective import Objective
from .space.space import Space
from .trials.repeats import parts_of
from .trials.shared_inputs import identity
from .trials.trial import TrialRunner
from .trials.trial_loop import work
from .trials.watch import PULSE

logger = logging.getLogger("emoclf.tuning")

#: Seconds between two looks at workers.
LOOK = 0.1
#: Seconds that idle workers have to hear that the search is over.
FAREWELL = 5.0


@dataclass(frozen=True)
class Budget:
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
    patience: float = PATIENCE
    wait: float = 3600.0

    def __post_init__(self) -> None:
        check_numbers(
            whole={"trials": self.trials, "workers": self.workers, "keep": self.keep},
            any_number={
                "seconds": self.seconds,
                "patience": self.patience,
                "wait": self.wait,
            },
        )
        if self.trials < 1:
            raise SearchError(
                f"A search needs at least one trial. Got {self.trials!r}."
            )
        count = 0 if self.workers is None else self.workers
        nobody = self.workers == 0 and self.address is None
        if count < 0 or nobody:
            raise SearchError(
                f"A search needs a worker here, or an address at which others find it. "
                f"Got {setting('workers', self.workers)} and no address."
            )
        if self.seconds is not None and not self.seconds > 0:
            raise SearchError(f"A search needs some time. Got {self.seconds!r} s.")
        if self.patience < 3 * PULSE:
            raise SearchError(
                f"Workers report every {PULSE:g} s; they cannot be taken for dead "
                f"before {3 * PULSE:g} s. Got {self.patience!r}."
            )
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


def search_settings(
    split: Split,
    settings: RunSettings | None = None,
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
        Holds everything; ``tuning/README.md`` says what.
    space : Space, mapping or path, optional
        What is searched: of a TOML file, or its tables, as in
        ``{"filters": {"choices": [50, 100]}}``; else what comes with the package for
        the architecture.
    trials : int >= 1, default=20
    strategy : {"random", "grid", "bayesian", "hyperband"}
    objective : {"macro_f1", "accuracy", "micro_f1", "average_precision", "log_loss"}
    folds : int >= 2, optional
        A trial is the mean over so many stratified folds; 3 unless ``seeds`` is given.
    seeds : int >= 1, optional
        A trial is the mean over so many seeds on the split as it is.
    prune : bool, default=True
        End trials early that cannot win (:mod:`emoclf.tuning.results.pruning`).
    workers : int >= 1, optional
        Processes that run trials: the same seed gives the same scores however many
        there are. None runs them in this process, with its own threads.
    threads : int >= 1, default=1
        Of each of these processes; scores depend on it in their last digits.
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
    >>> found = search_settings(split, folder="search", trials=10)  # doctest: +SKIP
    >>> found.choice.chosen.values["learning_rate"]  # doctest: +SKIP
    """
    settings = settings or RunSettings()
    kind, repeats = kind_and_repeats(folds, seeds)
    if isinstance(space, Mapping):
        space = Space.from_dict(settings.architecture, space, name="space")
    elif space is not None and not isinstance(space, Space | str | os.PathLike):
        raise SearchError(
            "space must be a Space, a dictionary of tables, or the path of a TOML "
            f"file. Got {space!r} ({type(space).__name__})."
        )
    elif not isinstance(space, Space):
        space = Space.load(settings.architecture, space)
    plan = SearchPlan(
        settings=settings,
        space=space,
        objective=Objective(objective),
        strategy=strategy,
        kind=kind,
        repeats=repeats,
        prune=prune,
        trial_seconds=trial_seconds,
        limits=limits or Limits(),
        threads=threads,
    )
    means = Budget(trials=trials, workers=workers, seconds=seconds, keep=keep)
    return run_search(plan, split, folder, means, new=new)


def search(*args: Any, **arguments: Any) -> SearchResult:
    """Search settings; the name used in 0.1 of :func:`search_settings`."""
    warn_renamed("emoclf.tuning.search.search", "emoclf.search_settings")
    return search_settings(*args, **arguments)


def run_search(
    plan: SearchPlan,
    split: Split,
    folder: str | os.PathLike[str],
    means: Budget,
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
    if means.workers is None:
        plan = replace(plan, threads=threads_in_use())
    check_parts(split.train, split.valid)
    _check_objective(plan, split)
    # Before there is a folder, which would hold on to a space that is wrong.
    plan.space.for_settings(plan.settings)
    deadline = None if means.seconds is None else time.monotonic() + means.seconds
    vectors = identity(plan.settings.embedding.vectors)
    if new:
        # A search that cannot begin shall not move another one away.
        parts_of(plan, split.train, split.valid)
    place = SearchFolder(folder)
    place.open(new=new)
    try:
        runner = _begin(plan, split, place, vectors)
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
        found = finish(plan, place, outcomes, split, callbacks=listeners.callbacks)
        place.remove_inputs()
        return found
    finally:
        place.close()


def _check_objective(plan: SearchPlan, split: Split) -> None:
    if plan.objective.name == "average_precision" and not split.train.multilabel:
        raise SearchError(
            "The objective 'average_precision' needs several labels per text. Got one "
            "label for each; choose 'macro_f1', 'accuracy' or 'log_loss'."
        )


def _begin(
    plan: SearchPlan, split: Split, place: SearchFolder, vectors: str
) -> TrialRunner:
    """Write down what the search is, and prepare what its trials share."""
    runner = TrialRunner.new(plan, place, split.train, split.valid, vectors=vectors)
    inputs = runner.inputs
    contents = contents_of(split.parts())
    place.refuse_other(plan, contents, split.parts())
    if plan.settings.embedding.vectors is not None:
        # What they say of the first repeat stands for their whole file, also where only
        # some trials use them.
        used = plan.settings.override(embedding="static")
        known = inputs.encoded(0, used).pretrained
        if known is not None:
            contents["word vectors"] = digest(known.ids, known.rows)
    resumed = place.begin(plan, contents, vectors=inputs.vectors)
    place.write_data(split.parts())
    for repeat in range(plan.repeats):
        encoded = inputs.encoded(repeat, plan.settings)
        if not repeat and not resumed:
            for finding in encoded.findings:
                logger.warning("%s", finding)
    return runner


def _run_trials(chief: Chief, runner: TrialRunner, means: Budget) -> None:
    if means.workers is None and means.address is None:
        work(chief, runner, "here")
        return
    # gRPC loads here: most searches have one process.
    from .chief.wire import serve

    server, port = serve(chief, means.address or "127.0.0.1:0")
    if means.address is not None:
        logger.info("Workers find this search at port %d.", port)
    try:
        count, threads = means.workers or 0, chief.plan.threads
        logs = chief.folder.logs
        with LocalWorkers(count, port, logs, threads=threads) as processes:
            stopped: float | None = None
            while not chief.over:
                for name in chief.expire():
                    processes.kill(name)
                if count:
                    processes.tend(chief)
                _check_company(chief, means)
                time.sleep(LOOK)
                if chief.stopping:
                    stopped = stopped or time.monotonic()
                    if time.monotonic() - stopped > means.patience:
                        # Who has not left its trial by now is stuck in it.
                        break
            _say_farewell(chief)
    finally:
        server.stop(grace=1.0).wait()


def _check_company(chief: Chief, means: Budget) -> None:
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


def threads_in_use() -> int:
    """Return the threads with which TensorFlow works in this process."""
    import tensorflow as tf

    asked = tf.config.threading.get_intra_op_parallelism_threads()
    said = int(os.environ.get("TF_NUM_INTRAOP_THREADS", "0") or 0)
    return asked or said or os.cpu_count() or 1


def default_folder(data: str) -> Path:
    """Return where the search on a data file stands if nobody said."""
    stem = Path(data).name.split(".")[0] if data != "-" else ""
    return Path(f"{stem or 'emoclf'}.search")
