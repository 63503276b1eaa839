"""A worker process: it finds its chief, reads the search's folder, and runs trials."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from emoclf.errors import SearchError
from emoclf.settings import TextSettings

from ..folder import SearchFolder
from ..plan import SearchPlan, versions
from ..trials.trial import TrialRunner
from ..trials.trial_loop import work
from .wire import LEFT, RemoteChief

logger = logging.getLogger("emoclf.tuning")


def run_worker(
    address: str,
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    threads: int = 1,
    wait: float = 600.0,
) -> None:
    """Run trials of a search until there are none.

    Parameters
    ----------
    address : str
        ``host:port`` of the chief.
    name : str
        No two workers of a search share one.
    folder : path, optional
        The search's folder; else where the chief says it is.
    threads : int
        That this process was started with.
    wait : float
        Seconds in which the chief may begin.

    Raises
    ------
    SearchError
        If nobody answers, the folder is not there, or versions or threads differ.
    """
    try:
        chief = RemoteChief(address, name, wait=wait)
        _check_versions(chief.about["versions"], address)
        chief.watch_over(_end)
        runner = _runner(folder or chief.about["folder"])
        if runner.plan.threads != threads:
            raise SearchError(
                f"The trials of this search run on {runner.plan.threads} threads, or "
                f"scores would not compare. Got {threads}. Start the worker with "
                f"--threads {runner.plan.threads}."
            )
    except ConnectionError as error:
        raise SearchError(str(error)) from None
    try:
        ended = work(chief, runner, name, alone=True)
    except ConnectionError as error:
        # While it asked for a trial: the chief may have written down that it gave one.
        raise SearchError(f"{error} {LEFT}") from None
    logger.info("No trial is left; %d ran here.", ended)


def _runner(folder: str | os.PathLike[str]) -> TrialRunner:
    place = SearchFolder(folder)
    if not place.path.is_dir():
        raise SearchError(
            f"The chief's folder {folder} is not here. Mount it, or say where it is "
            "with --folder."
        )
    about = place.about()
    plan = SearchPlan.from_dict(about["plan"])
    vectors = plan.settings.embedding.vectors
    encodes = sorted({*plan.space.names()} & {*TextSettings.names()})
    if vectors is not None and encodes and not os.path.isfile(vectors):
        raise SearchError(
            f"This search looks for {', '.join(encodes)}, so that its workers read the "
            f"word vectors; there is no file {vectors} here. Put it there."
        )
    return TrialRunner.new(
        plan, place, *place.read_data(), vectors=str(about["vectors"])
    )


def _check_versions(theirs: dict[str, Any], address: str) -> None:
    ours = versions()
    differ = [
        f"{name} {theirs.get(name)} there and {ours.get(name)} here"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]
    if differ:
        raise SearchError(
            f"The chief at {address} has other versions, and scores would not compare: "
            f"{'; '.join(differ)}. Install the same ones."
        )


def _end(reason: str) -> None:
    """End the process at once: a training waits for nobody, and nothing is lost."""
    sys.stderr.write(f"emoclf: {reason}\n")
    sys.stderr.flush()
    os._exit(1)
