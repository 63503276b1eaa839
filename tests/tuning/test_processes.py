"""Searches of several processes, and what happens when some are killed: for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_search import run, scores, write_corpus
from warm_process import WarmProcess

from emoclf.errors import SearchError
from emoclf.predictor import Predictor
from emoclf.tuning.chief import local_workers
from emoclf.tuning.chief.chief import Chief
from emoclf.tuning.chief.grpc_service import RemoteChief
from emoclf.tuning.finish import SearchResult
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.search import Listeners

pytestmark = pytest.mark.slow


#: Search in a process that kills itself when it replaces the n-th file.
SUICIDE = """
import os, signal, sys
from pathlib import Path
from tiny_search import run

folder, moment = sys.argv[1:]
real, left = os.replace, [int(moment)]

def replace(*args, **kwargs):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*args, **kwargs)

os.replace = replace
run(Path(folder), trials=4)
"""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search of four trials that nobody disturbed."""
    return run(tmp_path_factory.mktemp("calm") / "search", trials=4)


def wait_until(there: Callable[[], Any], *, seconds: float = 240.0) -> Any:
    """Wait for something that has to come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = there()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


class WarmWorker(WarmProcess):
    """A worker of this machine, without the five seconds of imports."""

    def __init__(self, command: list[str], *, stdout: Any, **options: Any) -> None:
        super().__init__(*command[1:], env=options["env"], log=stdout)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


@pytest.fixture
def warm_workers(monkeypatch: pytest.MonkeyPatch) -> list[WarmWorker]:
    """Workers that searches of this process start, the latest one last."""
    started: list[WarmWorker] = []

    def start(command: list[str], **options: Any) -> WarmWorker:
        started.append(WarmWorker(command, **options))
        return started[-1]

    names = {name: getattr(subprocess, name) for name in ("DEVNULL", "TimeoutExpired")}
    monkeypatch.setattr(
        local_workers, "subprocess", SimpleNamespace(Popen=start, **names)
    )
    return started


def workers_of(parent: int) -> list[int]:
    """Return the worker processes that a process has started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    pids = [int(pid) for pid in path.read_text().split()] if path.exists() else []
    return [pid for pid in pids if "emoclf.tuning\0worker\0" in command(pid)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@dataclass
class Orphans:
    """Workers whose chief was killed."""

    search: Path
    pids: list[int]

    @property
    def log(self) -> Path:
        return self.search / "logs" / "worker-1.log"


@pytest.fixture(scope="module", autouse=True)
def left_in_trials(tmp_path_factory: pytest.TempPathFactory) -> Orphans:
    """Kill a chief whose two workers have a trial, or are about to hear of it.

    They wait for half a minute, while the first tests run: hence autouse.
    """
    folder = tmp_path_factory.mktemp("left in trials")
    data, search = write_corpus(folder / "texts.csv"), folder / "a search"
    chief = WarmProcess(
        "-m", "emoclf.tuning", "chief", data, "-o", search, "--workers", "2",
        "--address", "127.0.0.1:0", "--lost-after", "15s", "--seeds", "1", "--quiet",
        "--epochs", "200", "--patience", "200", "--ema", "none",
    )  # fmt: skip
    wait_until(lambda: len(list(search.glob("oracle/trial_*"))) == 2)
    orphans = Orphans(search, workers_of(chief.pid))
    assert len(orphans.pids) == 2
    chief.kill()
    chief.communicate()
    return orphans


@pytest.fixture(scope="module", autouse=True)
def left_at_once(tmp_path_factory: pytest.TempPathFactory) -> Orphans:
    """Kill a chief whose worker has just begun, which also waits for half a minute."""
    folder = tmp_path_factory.mktemp("left at once")
    data, orphans = write_corpus(folder / "texts.csv"), Orphans(folder / "s", [])
    chief = WarmProcess(
        "-m", "emoclf.tuning", "chief", data, "-o", orphans.search, "--workers", "1",
        "--address", "127.0.0.1:0", "--seeds", "1", "--quiet",
    )  # fmt: skip
    orphans.pids = wait_until(lambda: orphans.log.exists() and workers_of(chief.pid))
    assert len(orphans.pids) == 1
    chief.kill()
    chief.communicate()
    return orphans


def test_a_search_killed_at_ten_moments_ends_as_if_undisturbed(
    calm: SearchResult, tmp_path: Path
) -> None:
    folder = tmp_path / "s"
    # Between any two files of a trial: drawn, saved, stored, told to the oracle.
    kill_at(range(10), folder)
    again = run(folder, trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)
    assert again.choice.chosen.number == calm.choice.chosen.number
    assert Predictor.load(again.path).predict(["it was lovely at home"])
    assert not left_behind(folder)
    # And while the winner is trained, evaluated and written.
    (folder / "report.txt").unlink()
    shutil.rmtree(folder / "best.emoclf")
    kill_at((2, 3, 4, 5), folder)
    again = run(folder, trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)
    assert Predictor.load(again.path).predict(["it was lovely at home"])
    assert not left_behind(folder)


def kill_at(moments: Iterable[int], folder: Path) -> None:
    """Run the search once for each moment, at which it kills itself."""
    for moment in moments:
        process = WarmProcess("-c", SUICIDE, folder, moment)
        _, errors = process.communicate(timeout=240)
        assert process.returncode == -signal.SIGKILL, errors


def left_behind(folder: Path) -> list[Path]:
    """Return files that were being written when their process was killed."""
    known = {".lock", ".inputs"}
    return [p for p in folder.rglob(".*") if p.name not in known]


@pytest.fixture(scope="module")
def in_two(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """The same search in two processes."""
    return run(tmp_path_factory.mktemp("two") / "search", trials=4, workers=2)


def test_two_workers_find_what_one_finds(
    calm: SearchResult, in_two: SearchResult
) -> None:
    """One worker process, and two, are compared by test_a_worker_elsewhere."""
    assert {one.worker for one in in_two.outcomes} <= {"worker-1", "worker-2"}
    # This process has other threads, and sums in another order.
    for ours, theirs in zip(calm.outcomes, in_two.outcomes, strict=True):
        assert ours.values == theirs.values
        assert ours.score("log_loss") == pytest.approx(
            theirs.score("log_loss"), rel=1e-4
        )


def test_the_trial_of_a_killed_worker_is_given_to_another(
    in_two: SearchResult, tmp_path: Path
) -> None:
    lost: list[int] = []
    killed: list[int] = []

    def begun(chief: Chief) -> None:
        def progressed(running: Any) -> None:
            if running.number == 2 and not killed:
                [pid] = [
                    pid
                    for pid in workers_of(os.getpid())
                    if f"--name\0{worker(chief, 2)}\0" in command(pid)
                ]
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)

        chief.listeners.progressed = progressed
        chief.listeners.lost = lambda number, why: lost.append(number)

    found = run(
        tmp_path / "s",
        trials=3,
        workers=2,
        listeners=Listeners(begun=begun),
        train_winner=False,
    )
    assert killed
    assert lost == [2]
    assert [one.status for one in found.outcomes] == ["completed"] * 3
    assert scores(found.outcomes) == scores(in_two.outcomes[:3])


def worker(chief: Chief, number: int) -> str:
    return next(name for name, one in chief.running.items() if one.number == number)


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_trial_that_kills_its_workers_has_failed(
    tmp_path: Path, warm_workers: list[WarmWorker]
) -> None:
    def begun(chief: Chief) -> None:
        def progressed(running: Any) -> None:
            if running.number == 2:
                # A second report may arrive from a process that is dead already.
                with suppress(ProcessLookupError):
                    os.kill(warm_workers[-1].pid, signal.SIGKILL)

        chief.listeners.progressed = progressed

    found = run(
        tmp_path / "s", workers=1, listeners=Listeners(begun=begun), train_winner=False
    )
    assert [one.status for one in found.outcomes] == [
        "completed", "failed", "completed"
    ]  # fmt: skip
    assert len(warm_workers) == 4
    assert "3 workers ended in it" in found.outcomes[1].reason
    assert "SIGKILL" in found.outcomes[1].reason


def test_when_the_chief_is_killed_its_workers_end_and_say_so(
    left_in_trials: Orphans,
) -> None:
    wait_until(lambda: not any(alive(pid) for pid in left_in_trials.pids))
    said = left_in_trials.log.read_text()
    assert "does not answer" in said
    assert "its trial, if it has one, runs again" in said
    # Nobody has the folder any more.
    folder = SearchFolder(left_in_trials.search)
    folder.open(new=False)
    folder.close()


def test_a_worker_that_has_just_begun_does_not_wait_for_a_dead_chief(
    left_at_once: Orphans,
) -> None:
    wait_until(lambda: not alive(left_at_once.pids[0]))
    assert "does not answer" in left_at_once.log.read_text()


def test_ctrl_c_ends_a_search_and_its_workers(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "texts.csv")
    search = tmp_path / "s"
    options = ["--seeds", "1", "--workers", "2", "--epochs", "200", "--patience", "200"]
    process = WarmProcess("-m", "emoclf.tuning", str(data), "-o", str(search), *options)
    wait_until(lambda: list(search.glob("oracle/trial_*")))
    pids = workers_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command continues it" in errors
    assert "Traceback" not in errors
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def test_a_worker_elsewhere(in_two: SearchResult, tmp_path: Path) -> None:
    ports: list[str] = []

    def begun(chief: Chief) -> None:
        ports.append(address)
        workers.append(
            WarmProcess(
                "-m", "emoclf.tuning", "worker", "--oracle", address, "--name", "far"
            )
        )

    address = f"127.0.0.1:{free_port()}"
    workers: list[WarmProcess] = []
    found = run(
        tmp_path / "s",
        workers=0,
        address=address,
        listeners=Listeners(begun=begun),
        train_winner=False,
    )
    _, errors = workers[0].communicate(timeout=180)
    assert workers[0].returncode == 0, errors
    assert "3 ran here" in errors
    assert {one.worker for one in found.outcomes} == {"far"}
    assert scores(found.outcomes) == scores(in_two.outcomes[:3])


def free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_chief_without_workers_does_not_wait_for_ever(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="No worker has asked for a trial"):
        run(tmp_path / "s", workers=0, address="127.0.0.1:0", wait=1.0)
    with pytest.raises(SearchError, match="Cannot listen on"):
        run(tmp_path / "t", workers=0, address="203.0.113.9:1")
    with pytest.raises(SearchError, match=r"HOST:PORT, .* Got 'nonsense'"):
        run(tmp_path / "t", workers=0, address="nonsense")


def test_a_worker_without_a_chief_says_so(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="HOST:PORT"):
        RemoteChief("somewhere", "me")
    for wrong in ("http://127.0.0.1:9", "127.0.0.1:65536", "127.0.0.1:"):
        with pytest.raises(SearchError, match="HOST:PORT"):
            RemoteChief(wrong, "me")
    worker = ["worker", "--oracle", "127.0.0.1:9", "--wait", "3s"]
    process = WarmProcess("-m", "emoclf.tuning", *worker)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    assert "127.0.0.1:9 does not answer" in errors
    assert "--wait gives it more time" in errors
    assert "Traceback" not in errors


def test_a_worker_that_starts_again_and_again_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_workers: list[WarmWorker]
) -> None:
    monkeypatch.setattr(local_workers, "MAX_RESTARTS", 1)

    def begun(chief: Chief) -> None:
        # What workers read is gone: none of them can begin.
        (chief.folder.path / "data.json").unlink()

    with pytest.raises(SearchError, match="end before they can run a trial") as error:
        run(tmp_path / "s", workers=1, listeners=Listeners(begun=begun))
    assert "is not a folder of a search" in str(error.value)
    assert len(warm_workers) == 2


def test_a_full_disk_stops_the_search_and_nothing_is_lost(
    calm: SearchResult, tmp_path: Path
) -> None:
    """From the middle of the second trial on no file may have more than 300 bytes."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from emoclf.runtime import load_tensorflow\n"
        "load_tensorflow()\n"
        "from emoclf.errors import SearchError\n"
        "from tiny_search import run\n"
        "from emoclf.tuning.search import Listeners\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "def begun(chief):\n"
        "    def progressed(lease):\n"
        "        if lease.number == 2:\n"
        "            resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))\n"
        "    chief.listeners.progressed = progressed\n"
        "limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "try:\n"
        "    run(Path(sys.argv[1]), trials=4, listeners=Listeners(begun=begun))\n"
        "except SearchError as error:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, limits)\n"
        "    print('SearchError', error)\n"
    )
    process = WarmProcess("-c", script, str(tmp_path / "s"))
    said, errors = process.communicate(timeout=120)
    assert "SearchError Cannot write" in said, errors
    assert "Free disk space" in said
    again = run(tmp_path / "s", trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)
