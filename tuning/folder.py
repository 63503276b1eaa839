"""The folder of a search: what it was started with, its results, and whose it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emoclf.datasets.contents import describe_changes, rows_of
from emoclf.datasets.dataset import Dataset
from emoclf.errors import SearchError, setting
from emoclf.files import check_writable, write_atomically
from emoclf.fingerprint import RUN_FILE, check_fingerprint, write_fingerprint

from .plan import SearchPlan
from .results.outcome import Outcome

LOCK = ".lock"
INPUTS = ".inputs"
SEARCH = "search.json"
DATA = "data.json"
DEATHS = "deaths.json"
# What files and folders are called while they are written.
_LEFT = re.compile(r"\..+\.\d+(\.part)?|\.part-.+")
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
        self.inputs = self.path / INPUTS
        self.logs = self.path / "logs"
        self.best = self.path / "best.emoclf"
        self.results = self.path / "results.csv"
        self.report = self.path / "report.txt"
        self._lock: FileLock | None = None

    def open(self, *, new: bool) -> None:
        """Take the folder for this process alone.

        Parameters
        ----------
        new : bool
            An older search is moved away, not gone on with.

        Raises
        ------
        SearchError
            If it holds something else, cannot be written, or another process has it.
        """
        try:
            check_writable(self.path)
        except OSError as error:
            raise SearchError(
                f"A search cannot have the folder {self.path} "
                f"({error.strerror or error}). Choose another one: -o on "
                "the command line, folder in Python."
            ) from error
        known = (self.path / RUN_FILE).is_file()
        # What a kill left of the very first steps is nobody's file.
        begun = (LOCK, INPUTS, f".{RUN_FILE}.")
        if not known and self.trials.is_dir() and (self.path / SEARCH).is_file():
            raise SearchError(
                f"{self.path} has trials, but no {RUN_FILE}, which says of what search "
                "they are. Restore it from a copy, or choose another folder."
            )
        if not known and any(not p.name.startswith(begun) for p in self.path.iterdir()):
            raise SearchError(
                f"{self.path} exists and is not a folder of a search. Choose another "
                "one."
            )
        self._take()
        if new and known:
            self._move_away()

    def _take(self) -> None:
        self._lock = FileLock(self.path / LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._lock = None
            raise SearchError(
                f"Another process searches in {self.path}. Wait for it, or choose "
                "another folder; more workers join it with: emoclf tune worker."
            ) from None

    def _move_away(self) -> None:
        """Rename the older search; nothing of it is lost."""
        number = 1
        while (away := self.path.with_name(f"{self.path.name}-{number}")).exists():
            number += 1
        self.close()
        os.replace(self.path, away)
        self.path.mkdir()
        self._take()

    def close(self) -> None:
        """Give the folder free."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def refuse_other(
        self, plan: SearchPlan, texts: dict[str, str], parts: Mapping[str, Dataset]
    ) -> None:
        """Refuse another search before anything is prepared for it.

        Parameters
        ----------
        plan : SearchPlan
        texts : dict of str to str
            What :func:`.contents.contents_of` returned.
        parts : mapping of str to Dataset
            Of which it did.

        Raises
        ------
        ResumeError
            It says what differs, and how many texts.
        """
        path = self.path / RUN_FILE
        if path.is_file():
            # Vectors are compared when their words are known.
            known = {"word vectors": self._read(path).get("word vectors")}
            known = {name: value for name, value in known.items() if value}
            fingerprint = {**plan.fingerprint(), **texts, **known}
            there, cure = self._read(path), _cure()
            if any(there.get(name) != now for name, now in texts.items()):
                cure = f"{self._changed(parts)}{cure}"
            check_fingerprint(self.path, fingerprint, cure=cure)

    def _changed(self, parts: Mapping[str, Dataset]) -> str:
        """Say how the texts differ from those that the search was begun with."""
        try:
            before = self._read(self.path / DATA)["rows"]
        except (SearchError, KeyError):
            # Without them it is known that texts differ, and not which.
            return ""
        return f"{describe_changes(before, parts)} "

    def begin(
        self, plan: SearchPlan, contents: dict[str, str], *, vectors: str = ""
    ) -> bool:
        """Write down what the search is, or check that it is the same.

        Parameters
        ----------
        plan : SearchPlan
        contents : dict of str to str
            Digests of texts and vectors, by names that users know.
        vectors : str
            What inputs made with these vectors are called.

        Returns
        -------
        resumed : bool

        Raises
        ------
        ResumeError
            If the folder holds another search; it says what differs.
        """
        fingerprint = {**plan.fingerprint(), **contents}
        resumed = (self.path / RUN_FILE).is_file()
        if resumed:
            check_fingerprint(self.path, fingerprint, cure=_cure())
        else:
            # First, and whole: from now on the folder is one of a search.
            write_fingerprint(self.path, fingerprint)
        for folder in (self.trials, self.models, self.inputs, self.logs):
            folder.mkdir(exist_ok=True)
        self._sweep()
        about = self.about() if resumed and (self.path / SEARCH).is_file() else {}
        about.setdefault("began", time.time())
        about["plan"] = plan.to_dict()
        about["vectors"] = vectors
        given = plan.settings.embedding.vectors
        if given is not None:
            # For workers in other folders.
            about["plan"]["settings"]["embedding"]["vectors"] = os.path.abspath(given)
        self._write(self.path / SEARCH, about)
        return resumed

    def _sweep(self) -> None:
        """Remove what processes left behind that were killed while they wrote."""
        for path in [p for depth in _DEPTHS for p in self.path.glob(depth)]:
            if _LEFT.fullmatch(path.name):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def count_look(self) -> int:
        """Count that the test part is looked at, and return how often it was."""
        about = self.about()
        about["looks"] = int(about.get("looks", 0)) + 1
        self._write(self.path / SEARCH, about)
        return int(about["looks"])

    def about(self) -> dict[str, Any]:
        """Return the plan as plain values, and when the search began.

        Raises
        ------
        SearchError
            If there is no search.
        """
        if self.path.is_file():
            raise SearchError(
                f"{self.path} is a file, and a search is a folder. Got the data in its "
                f"place? The search on them is {self.path.name.split('.')[0]}.search, "
                "unless another folder was given."
            )
        return self._read(self.path / SEARCH)

    def write_data(self, parts: Mapping[str, Dataset]) -> None:
        """Keep the parts for other processes; the test part is none of theirs.

        Of all parts the rows' digests are kept, to say later how many have changed.
        """
        train = parts["train"]
        values: dict[str, Any] = {
            name: {"texts": parts[name].texts, "labels": parts[name].labels}
            for name in ("train", "valid")
        }
        values["label_names"] = list(train.label_names)
        values["several"] = train.multilabel
        values["rows"] = [row for part in parts.values() for row in rows_of(part)]
        self._write(self.path / DATA, values)

    def read_data(self) -> tuple[Dataset, Dataset]:
        """Return training and validation part."""
        values = self._read(self.path / DATA)
        multilabel = bool(values["several"])
        train, valid = (
            Dataset(
                texts=tuple(values[name]["texts"]),
                labels=tuple(
                    tuple(label) if multilabel else label
                    for label in values[name]["labels"]
                ),
                label_names=tuple(values["label_names"]),
                multilabel=multilabel,
            )
            for name in ("train", "valid")
        )
        return train, valid

    def outcome_path(self, number: int) -> Path:
        """Return where a trial's outcome is kept."""
        return self.trials / f"{number:04}.json"

    def write_outcome(self, outcome: Outcome) -> None:
        """Keep the outcome of a trial, whole or not at all."""
        self._write(self.outcome_path(outcome.number), outcome.to_dict())

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes so far, in order of their numbers."""
        found = sorted(self.trials.glob("[0-9]*.json"))
        outcomes = [Outcome.from_dict(self._read(path)) for path in found]
        return sorted(outcomes, key=lambda outcome: outcome.number)

    def remove_inputs(self) -> None:
        """Remove what can be made again."""
        shutil.rmtree(self.inputs, ignore_errors=True)

    def read_deaths(self) -> dict[str, int]:
        """Return how many workers have ended in each trial."""
        path = self.path / DEATHS
        return dict(self._read(path)) if path.is_file() else {}

    def write_deaths(self, deaths: dict[str, int]) -> None:
        """Keep how many workers have ended in each trial."""
        self._write(self.path / DEATHS, deaths)

    def model_path(self, number: int) -> Path:
        """Return where a trial's classifier is kept while it is among the best."""
        return self.models / f"trial-{number:04}.emoclf"

    def _write(self, path: Path, values: Any) -> None:
        data = (json.dumps(values, ensure_ascii=False) + "\n").encode(
            "utf-8", "surrogatepass"
        )
        try:
            write_atomically(path, data)
        except OSError as error:
            raise SearchError(
                f"Cannot write {path}: {error.strerror or error}. Make room, or let "
                "it be written, and the same command goes on."
            ) from error

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        except FileNotFoundError:
            raise SearchError(f"{self.path} is not a folder of a search.") from None
        except (OSError, ValueError) as error:
            raise SearchError(
                f"{path} is damaged ({error}). Restore it, or remove it if it is of a "
                "trial: that one runs again."
            ) from error
