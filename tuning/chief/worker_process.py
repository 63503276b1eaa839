"""A worker process: connects to its chief, reads the search's folder, runs trials."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from emoclf.display import printable
from emoclf.embeddings.vector_names import is_vectors_name
from emoclf.embeddings.vector_streams import split_member
from emoclf.errors import SearchError
from emoclf.settings import TextSettings

from ..folder import SearchFolder
from ..plan import versions
from ..trials.trial_runner import TrialRunner
from ..trials.worker_loop import run_trials
from .grpc_service import WORKER_ENDS, RemoteChief

logger = logging.getLogger("emoclf.tuning")


def run_worker(
    address: str,
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    threads: int = 1,
    wait: float = 600.0,
    token: str = "",
) -> None:
    """Run trials of a search until none is left.

    Parameters
    ----------
    address : str
        ``host:port`` of the chief.
    name : str
        Name of this worker, unique in the search.
    folder : path, optional
        Folder of the search; default: its path on the chief's machine.
    threads : int
        Number of threads that this process was started with.
    wait : float
        Seconds to wait for the chief.
    token : str
        Secret of the chief; "": none.

    Raises
    ------
    SearchError
        If no chief answers, the folder does not exist, or versions or threads differ.
    """
    try:
        chief = RemoteChief(address, name, wait=wait, token=token)
        _check_versions(chief.about["versions"], address)
        chief.watch(_end_process)
        runner = _new_runner(folder or chief.about["folder"])
        if runner.plan.threads != threads:
            raise SearchError(
                f"The trials of this search run on {runner.plan.threads} threads; with "
                f"another number their scores are not comparable. Got {threads}. Start "
                f"the worker with --threads {runner.plan.threads}."
            )
    except ConnectionError as error:
        raise SearchError(str(error)) from None
    try:
        n_trials = run_trials(chief, runner, name, own_process=True)
    except ConnectionError as error:
        # The chief may have given it a trial before the connection broke.
        raise SearchError(f"{error} {WORKER_ENDS}") from None
    logger.info("No trial is left; %d ran here.", n_trials)


def _new_runner(path: str | os.PathLike[str]) -> TrialRunner:
    folder = SearchFolder(path)
    if not folder.path.is_dir():
        raise SearchError(
            f"The chief's folder {path} does not exist here. Mount it, or give its "
            "path on this machine with --folder."
        )
    about, plan = folder.about(), folder.plan()
    text_names = sorted({*plan.space.names()} & {*TextSettings.names()})
    for path in plan.settings.embedding.vector_paths if text_names else ():
        if not (is_vectors_name(path) or split_member(Path(path))[0].is_file()):
            raise SearchError(
                f"This search varies {', '.join(text_names)}, so its workers must read "
                f"the word vectors, but there is no file {path} here. Copy it there."
            )
    return TrialRunner(plan, folder, *folder.read_data(), vectors=about["vectors"])


def _check_versions(chief: dict[str, Any], address: str) -> None:
    own_versions = versions()
    differences = [
        f"{name} {chief.get(name)} there and {own_versions.get(name)} here"
        for name in sorted({*chief, *own_versions})
        if chief.get(name) != own_versions.get(name)
    ]
    if differences:
        raise SearchError(
            f"The chief at {address} has other versions of packages, so scores would "
            f"not be comparable: {'; '.join(differences)}. Install the same ones."
        )


def _end_process(reason: str) -> None:
    """End the process at once; the trial runs again in another worker."""
    sys.stderr.write(f"emoclf: {printable(reason)}\n")
    sys.stderr.flush()
    os._exit(1)
