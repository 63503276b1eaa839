"""The folder of a search: its plan, its results, and the lock of its process."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emoclf.bundle.described_folder import SEARCH_BEST, SEARCH_PLAN, other_kind
from emoclf.bundle.json_values import (
    CHECKSUM,
    JsonObject,
    check_checksum,
    read_json,
    with_checksum,
)
from emoclf.datasets.contents import describe_changes, rows_of
from emoclf.datasets.dataset import Dataset
from emoclf.embeddings.vector_names import absolute_vectors
from emoclf.errors import SearchError, setting
from emoclf.files import UNFINISHED, check_writable, write_atomically
from emoclf.fingerprint import RUN_FILE, check_fingerprint, write_fingerprint

from .plan import SearchPlan
from .results.outcome import Outcome

logger = logging.getLogger("emoclf.tuning")

LOCK_FILE = ".lock"
INPUTS_FOLDER = ".inputs"
DATA_FILE = "data.json"
DEATHS_FILE = "deaths.json"
# Names of files and folders while they are written.
_TEMPORARY = re.compile(r"\.emoclf-.+\.part|\..+\.\d+(\.part)?|\.part-.+")
_DEPTHS = ("*", "*/*", "*/*/*")


def _cure() -> str:
    return (
        f"Use what it was started with, another folder, or {setting('new', True)}, "
        "which moves the old search out of the way."
    )


class SearchFolder:
    """The files of one search.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.oracle = self.path / "oracle"
        self.trials = self.path / "trials"
        self.models = self.path / "models"
        self.inputs = self.path / INPUTS_FOLDER
        self.logs = self.path / "logs"
        self.best = self.path / SEARCH_BEST
        self.results = self.path / "results.csv"
        self.report = self.path / "report.txt"
        self._plan_file = self.path / SEARCH_PLAN
        self._lock = FileLock(self.path / LOCK_FILE)

    def open(self, *, new: bool) -> None:
        """Lock the folder for this process.

        Parameters
        ----------
        new : bool
            Whether to move an older search away instead of continuing it.

        Raises
        ------
        SearchError
            If it contains something else, is not writable, or is locked by another
            process.
        """
        try:
            check_writable(self.path)
        except OSError as error:
            raise SearchError(
                f"The folder {self.path} cannot be used for a search "
                f"({error.strerror or error}). Choose another one: -o on "
                "the command line, folder in Python."
            ) from error
        has_search = (self.path / RUN_FILE).is_file()
        if not has_search and self.trials.is_dir() and self._plan_file.is_file():
            raise SearchError(
                f"{self.path} has trials, but no {RUN_FILE}, which describes their "
                "search. Restore it from a copy, or choose another folder."
            )
        # A process that was killed in its first steps leaves only these.
        first_files = (LOCK_FILE, INPUTS_FOLDER, f".{RUN_FILE}.", UNFINISHED)
        if not has_search and any(
            not path.name.startswith(first_files) for path in self.path.iterdir()
        ):
            raise SearchError(
                f"{self.path} exists and is not a folder of a search. Choose another "
                "one."
            )
        self._acquire()
        if new and has_search:
            self._move_away()

    def _acquire(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise SearchError(
                f"Another process searches in {self.path}. Wait for it, or choose "
                "another folder; more workers join it with: emoclf tune worker."
            ) from None

    def _move_away(self) -> None:
        """Rename the folder of the older search, and make an empty one."""
        number = 1
        while (target := self.path.with_name(f"{self.path.name}-{number}")).exists():
            number += 1
        self.close()
        os.replace(self.path, target)
        self.path.mkdir()
        self._acquire()

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.release()

    def refuse_other(
        self, plan: SearchPlan, texts: dict[str, str], parts: Mapping[str, Dataset]
    ) -> None:
        """Refuse another search before anything is prepared for it.

        Parameters
        ----------
        plan : SearchPlan
        texts : dict of str to str
            Result of :func:`.contents.contents_of`.
        parts : mapping of str to Dataset
            Datasets that ``texts`` describes.

        Raises
        ------
        ResumeError
            With the differences, and the number of changed texts.
        """
        path = self.path / RUN_FILE
        if not path.is_file():
            return
        before, cure = self._object(path).values, _cure()
        # Vectors are compared later, when the vocabulary is known.
        vectors = before.get("word vectors")
        vectors_entry = {"word vectors": vectors} if vectors else {}
        if any(before.get(name) != value for name, value in texts.items()):
            rows = None
            # Without the rows it is unknown which texts differ.
            with suppress(SearchError, KeyError):
                rows = self._object(self.path / DATA_FILE).values["rows"]
            if rows is not None:
                cure = f"{describe_changes(rows, parts)} {cure}"
        fingerprint = {**plan.fingerprint(), **texts, **vectors_entry}
        check_fingerprint(self.path, fingerprint, cure=cure)

    def begin(
        self, plan: SearchPlan, contents: dict[str, str], *, vectors: str = ""
    ) -> bool:
        """Write the plan of a new search, or check that the search is the same.

        Parameters
        ----------
        plan : SearchPlan
        contents : dict of str to str
            Digests of texts and vectors, by names that users know.
        vectors : str
            Identity of the vectors, by which their inputs are named.

        Returns
        -------
        resumed : bool

        Raises
        ------
        ResumeError
            If the folder contains another search; with the differences.
        """
        fingerprint = {**plan.fingerprint(), **contents}
        resumed = (self.path / RUN_FILE).is_file()
        if resumed:
            check_fingerprint(self.path, fingerprint, cure=_cure())
        else:
            # Written first: it marks the folder as one of a search.
            write_fingerprint(self.path, fingerprint)
        for folder in (self.trials, self.models, self.inputs, self.logs):
            folder.mkdir(exist_ok=True)
        self._remove_temporary()
        about = self.about() if resumed and self._plan_file.is_file() else {}
        about.setdefault("began", time.time())
        about["plan"] = plan.to_dict()
        about["vectors"] = vectors
        # Workers may run in another working directory.
        embedding = plan.settings.embedding.with_paths(absolute_vectors)
        about["plan"]["settings"]["embedding"] = embedding.to_dict()
        write_json(self._plan_file, about)
        return resumed

    def _remove_temporary(self) -> None:
        """Remove what processes that were killed while writing left behind."""
        for path in [path for depth in _DEPTHS for path in self.path.glob(depth)]:
            if _TEMPORARY.fullmatch(path.name):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def count_test_evaluation(self) -> None:
        """Count one more evaluation on the test set."""
        about = self.about()
        about["looks"] += 1
        write_json(self._plan_file, about)

    def test_evaluations(self) -> int:
        """Return how often winners of this search were evaluated on the test set."""
        return self.about()["looks"]

    def about(self) -> dict[str, Any]:
        """Return the plan as plain values, when the search began, and its "looks".

        Looks are evaluations of winners of this search on the test set.

        Raises
        ------
        SearchError
            If there is no search.
        """
        if self.path.is_file():
            search = f"{self.path.name.split('.')[0]}.search"
            raise SearchError(
                f"{self.path} is a file, but a search is a folder. If it is the data "
                f"file: the folder of its search is {search}, unless another one was "
                "given."
            )
        values = {"looks": 0, **self._object(self._plan_file).values}
        with self._damage(self._plan_file):
            about = JsonObject(values)
            about.number("began")
            about.object("plan")
            about.whole("looks")
        return values

    def plan(self) -> SearchPlan:
        """Return the plan of the search.

        Raises
        ------
        SearchError
            If there is no search, or its plan is damaged.
        """
        about = self.about()
        with self._damage(self._plan_file):
            return SearchPlan.from_dict(about["plan"])

    def write_data(self, parts: Mapping[str, Dataset]) -> None:
        """Write the training and validation set for worker processes.

        Of all parts the digests of the rows are written, so that changes can be counted
        later. The texts of the test set are not written.
        """
        train = parts["train"]
        values: dict[str, Any] = {
            name: {"texts": parts[name].texts, "labels": parts[name].labels}
            for name in ("train", "valid")
        }
        values["label_names"] = list(train.label_names)
        values["several"] = train.multilabel
        values["rows"] = [row for part in parts.values() for row in rows_of(part)]
        write_json(self.path / DATA_FILE, values)

    def read_data(self) -> tuple[Dataset, Dataset]:
        """Return the training and the validation set."""
        path = self.path / DATA_FILE
        values = self._object(path)

        def part(name: str) -> Dataset:
            texts, labels = values.values[name]["texts"], values.values[name]["labels"]
            labels = map(tuple, labels) if multilabel else labels
            return Dataset(tuple(texts), tuple(labels), names, multilabel)

        with self._damage(path):
            multilabel = values.flag("several")
            names = tuple(values.texts("label_names"))
            return part("train"), part("valid")

    def outcome_path(self, number: int) -> Path:
        """Return the file of a trial's outcome."""
        return self.trials / f"{number:04}.json"

    def write_outcome(self, outcome: Outcome) -> None:
        """Write the outcome of a trial atomically."""
        values = with_checksum(outcome.to_dict())
        write_json(self.outcome_path(outcome.number), values)

    def outcomes(self, plan: SearchPlan) -> list[Outcome]:
        """Return the outcomes so far, in order of their numbers.

        A damaged one is reported and left out; its trial runs again when the search is
        continued.
        """
        outcomes = []
        for path in sorted(self.trials.glob("[0-9]*.json")):
            try:
                outcome = _read_outcome(path)
                plan.check_outcome(outcome)
            except FileNotFoundError:  # a trial that runs again
                continue
            except (OSError, ValueError) as error:
                logger.warning(
                    "%s is damaged: %s. Its trial is left out, and runs again when the "
                    "search is continued.",
                    path,
                    error,
                )
            else:
                outcomes.append(outcome)
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def remove_inputs(self) -> None:
        """Remove the shared inputs, which can be made again."""
        shutil.rmtree(self.inputs, ignore_errors=True)

    def read_deaths(self) -> dict[str, int]:
        """Return how many workers have died in each trial."""
        path = self.path / DEATHS_FILE
        if not path.is_file():
            return {}
        deaths = self._object(path)
        with self._damage(path):
            return {trial_id: deaths.whole(trial_id) for trial_id in deaths.values}

    def write_deaths(self, deaths: dict[str, int]) -> None:
        """Write how many workers have died in each trial."""
        write_json(self.path / DEATHS_FILE, deaths)

    def model_path(self, number: int) -> Path:
        """Return the folder of a trial's classifier while it is among the best."""
        return self.models / f"trial-{number:04}.emoclf"

    def _object(self, path: Path) -> JsonObject:
        with self._damage(path):
            return JsonObject(read_json(path))

    @contextmanager
    def _damage(self, path: Path) -> Iterator[None]:
        """Report a missing file, or values that cannot be used, as a SearchError."""
        try:
            yield
        except SearchError:
            raise
        except FileNotFoundError:
            reason = other_kind(self.path, "a search")
            if not reason or path != self._plan_file:
                reason = f"{self.path} is not a folder of a search."
            raise SearchError(reason) from None
        except Exception as error:
            # Values of the wrong type raise almost anything.
            raise SearchError(
                f"{path} is damaged ({error}). Restore it from a copy, or start again "
                f"with {setting('new', True)}."
            ) from error


def _read_outcome(path: Path) -> Outcome:
    """Return a trial's outcome; emoclf 0.2 and before wrote no checksum.

    Raises
    ------
    OSError, ValueError
    """
    values = read_json(path)
    if CHECKSUM in JsonObject(values).values:
        check_checksum(values)
    outcome = Outcome.from_json(JsonObject(values))
    if path.stem != f"{outcome.number:04}":
        raise ValueError(f"it is the outcome of trial {outcome.number}")
    return outcome


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON, atomically.

    Raises
    ------
    SearchError
        If the file cannot be written.
    """
    text = json.dumps(values, ensure_ascii=False) + "\n"
    try:
        write_atomically(path, text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise SearchError(
            f"Cannot write {path}: {error.strerror or error}. Free disk space or fix "
            "the permissions, then run the same command again to continue."
        ) from error
