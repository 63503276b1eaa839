"""Searches of several processes, and what happens when some are killed: for real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emoclf.errors import SearchError
from emoclf.predictor import Predictor
from emoclf.tuning.chief.chief import Chief
from emoclf.tuning.chief.grpc_service import RemoteChief, serve
from emoclf.tuning.chief.strategies import new_oracle
from emoclf.tuning.finish import SearchResult
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.results.outcome import Outcome, Repeat
from emoclf.tuning.search import Budget, Listeners

from .tiny_search import environment, run, scores, tiny_plan, write_corpus

pytestmark = pytest.mark.slow


#: Kills its own process at the n-th file that appears in its place.
SUICIDE = """
import os, signal, sys
from pathlib import Path
from emoclf.runtime import load_tensorflow
load_tensorflow()
from tiny_search import run
real, left = os.replace, [int(sys.argv[2])]

def replace(*args, **kwargs):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*args, **kwargs)

os.replace = replace
run(Path(sys.argv[1]), trials=4)
"""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search of four trials that nobody disturbed."""
    return run(tmp_path_factory.mktemp("calm") / "search", trials=4)


def start(*args: str, **options: Any) -> subprocess.Popen[str]:
    """Start a process that finds the tests' modules."""
    return subprocess.Popen(
        [sys.executable, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        **options,
    )


def wait_until(there: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Wait for something that has to come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = there()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def workers_of(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_search_killed_at_ten_moments_ends_as_if_undisturbed(
    calm: SearchResult, tmp_path: Path
) -> None:
    folder = tmp_path / "s"
    # Between any two files of a trial: drawn, saved, judged, told.
    for moment in range(10):
        assert killed_at(moment, folder) == -signal.SIGKILL
    again = run(folder, trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)
    assert again.choice.chosen.number == calm.choice.chosen.number
    assert Predictor.load(again.path).predict(["it was lovely at home"])
    assert not left_behind(folder)
    # And while the winner is trained, judged and written down.
    (folder / "report.txt").unlink()
    shutil.rmtree(folder / "best.emoclf")
    for moment in (2, 3, 4, 5):
        assert killed_at(moment, folder) == -signal.SIGKILL
    again = run(folder, trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)
    assert Predictor.load(again.path).predict(["it was lovely at home"])
    assert not left_behind(folder)


def killed_at(moment: int, folder: Path) -> int:
    """Return the exit code of a search that ends itself at the n-th file."""
    process = start("-c", SUICIDE, str(folder), str(moment))
    process.communicate(timeout=120)
    return process.returncode


def left_behind(folder: Path) -> list[Path]:
    """Return files that were being written when their process was killed."""
    known = {".lock", ".inputs"}
    return [p for p in folder.rglob(".*") if p.name not in known]


@pytest.fixture(scope="module")
def in_two(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """The same search in two processes."""
    return run(tmp_path_factory.mktemp("two") / "search", trials=4, workers=2)


def test_two_workers_find_what_one_finds(
    calm: SearchResult, in_two: SearchResult, tmp_path: Path
) -> None:
    assert {one.worker for one in in_two.outcomes} <= {"worker-1", "worker-2"}
    one = run(tmp_path / "one", trials=4, workers=1)
    assert scores(one.outcomes) == scores(in_two.outcomes)
    # This process has other threads, and sums in another order.
    for ours, theirs in zip(calm.outcomes, in_two.outcomes, strict=True):
        assert ours.values == theirs.values
        assert ours.score("log_loss") == pytest.approx(
            theirs.score("log_loss"), rel=1e-4
        )


def test_a_grid_in_two_processes_has_the_same_numbers(tmp_path: Path) -> None:
    plan = tiny_plan({"filters": {"choices": [4, 8, 12, 16]}}, strategy="grid")
    found = run(tmp_path / "s", plan, trials=4, workers=2)
    by_number = {one.number: one.values["filters"] for one in found.outcomes}
    assert by_number == {1: 8, 2: 4, 3: 12, 4: 16}
    # What each number has got does not depend on which worker was quicker.
    alone = run(tmp_path / "t", plan, trials=4)
    for ours, theirs in zip(alone.outcomes, found.outcomes, strict=True):
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

    found = run(tmp_path / "s", trials=3, workers=2, listeners=Listeners(begun=begun))
    assert killed
    assert lost == [2]
    assert [one.status for one in found.outcomes] == ["completed"] * 3
    assert scores(found.outcomes) == scores(in_two.outcomes[:3])


def worker(chief: Chief, number: int) -> str:
    return next(name for name, one in chief.running.items() if one.number == number)


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_trial_that_kills_its_workers_has_failed(tmp_path: Path) -> None:
    def begun(chief: Chief) -> None:
        def progressed(running: Any) -> None:
            if running.number == 2:
                for pid in workers_of(os.getpid()):
                    os.kill(pid, signal.SIGKILL)

        chief.listeners.progressed = progressed

    found = run(tmp_path / "s", workers=1, listeners=Listeners(begun=begun))
    assert [one.status for one in found.outcomes] == [
        "completed", "failed", "completed"
    ]  # fmt: skip
    assert "3 workers ended in it" in found.outcomes[1].reason
    assert "SIGKILL" in found.outcomes[1].reason


def test_when_the_chief_is_killed_its_workers_end_and_say_so(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "texts.csv")
    search = tmp_path / "a search"
    chief = start(
        "-m", "emoclf.tuning", "chief", str(data), "-o", str(search), "--workers", "2",
        "--address", "127.0.0.1:0", "--lost-after", "15s", "--seeds", "1", "--quiet",
        "--epochs", "200", "--patience", "200", "--ema", "none",
    )  # fmt: skip
    # Both have a trial, or are about to hear of it.
    wait_until(lambda: len(list(search.glob("oracle/trial_*"))) == 2)
    pids = workers_of(chief.pid)
    assert len(pids) == 2
    chief.kill()
    chief.communicate()
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=90)
    said = (search / "logs" / "worker-1.log").read_text()
    assert "does not answer" in said
    assert "its trial, if it has one, runs again" in said
    # Nobody has the folder any more.
    folder = SearchFolder(search)
    folder.open(new=False)
    folder.close()


def test_a_worker_that_has_just_begun_does_not_wait_for_a_dead_chief(
    tmp_path: Path,
) -> None:
    data = write_corpus(tmp_path / "texts.csv")
    search = tmp_path / "s"
    chief = start(
        "-m", "emoclf.tuning", "chief", str(data), "-o", str(search), "--workers", "1",
        "--address", "127.0.0.1:0", "--seeds", "1", "--quiet",
    )  # fmt: skip
    (pid,) = wait_until(lambda: workers_of(chief.pid))
    chief.kill()
    chief.communicate()
    wait_until(lambda: not alive(pid), seconds=90)
    assert "does not answer" in (search / "logs" / "worker-1.log").read_text()


def test_ctrl_c_ends_a_search_and_its_workers(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "texts.csv")
    search = tmp_path / "s"
    options = ["--seeds", "1", "--workers", "2", "--epochs", "200", "--patience", "200"]
    process = start("-m", "emoclf.tuning", str(data), "-o", str(search), *options)
    wait_until(lambda: list(search.glob("oracle/trial_*")))
    pids = workers_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on with it" in errors
    assert "Traceback" not in errors
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Chief, str]]:
    """A chief behind a wire, whose search has begun."""
    chiefs: list[Chief] = []
    run(tmp_path / "s", trials=1, listeners=Listeners(begun=chiefs.append))
    [chief] = chiefs
    server, port = serve(chief, "127.0.0.1:0")
    try:
        yield chief, f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None)


def test_a_worker_elsewhere(in_two: SearchResult, tmp_path: Path) -> None:
    ports: list[str] = []

    def begun(chief: Chief) -> None:
        ports.append(address)
        workers.append(
            start("-m", "emoclf.tuning", "worker", "--oracle", address, "--name", "far")
        )

    address = f"127.0.0.1:{free_port()}"
    workers: list[subprocess.Popen[str]] = []
    found = run(
        tmp_path / "s", workers=0, address=address, listeners=Listeners(begun=begun)
    )
    _, errors = workers[0].communicate(timeout=60)
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
    process = start("-m", "emoclf.tuning", *worker)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "127.0.0.1:9 does not answer" in errors
    assert "--wait gives it more time" in errors
    assert "Traceback" not in errors


def test_a_worker_that_starts_again_and_again_ends_the_search(tmp_path: Path) -> None:
    def begun(chief: Chief) -> None:
        # What workers read is gone: none of them can begin.
        (chief.folder.path / "data.json").unlink()

    with pytest.raises(SearchError, match="end before they can run a trial") as error:
        run(tmp_path / "s", workers=1, listeners=Listeners(begun=begun))
    assert "is not a folder of a search" in str(error.value)


def test_who_was_taken_for_dead_is_not_waited_for(served: tuple[Chief, str]) -> None:
    chief, address = served
    chief.exhausted = False
    chief.oracle.max_trials = 3
    worker = RemoteChief(address, "slow")
    trial = worker.create_trial("slow")
    number = trial.number
    assert worker.report("slow", number).stop == ""
    chief.patience = 0.05
    time.sleep(0.1)
    chief.expire()
    assert not chief.running
    assert worker.report("slow", number).stop == "abandon"
    # Another one gets the same trial.
    again = RemoteChief(address, "quick").create_trial("quick")
    assert again == trial


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
        "            resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "    chief.listeners.progressed = progressed\n"
        "try:\n"
        "    run(Path(sys.argv[1]), trials=4, listeners=Listeners(begun=begun))\n"
        "except SearchError as error:\n"
        "    print('SearchError', error)\n"
    )
    process = start("-c", script, str(tmp_path / "s"))
    said, errors = process.communicate(timeout=120)
    assert "SearchError Cannot write" in said, errors
    assert "Free disk space" in said
    again = run(tmp_path / "s", trials=4)
    assert scores(again.outcomes) == scores(calm.outcomes)


def test_the_last_trial_is_not_lost_with_its_worker(
    served: tuple[Chief, str],
) -> None:
    chief, _ = served
    chief.oracle.max_trials = 2
    last = chief.create_trial("first")
    assert chief.create_trial("second").status == "IDLE"
    chief.lost("first", "it was killed")
    assert not chief.over
    again = chief.create_trial("second")
    assert (again.status, again.number) == ("RUNNING", last.number)


def test_after_a_failure_nobody_waits(
    served: tuple[Chief, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """keras-tuner's locks stay locked when an error passes through them."""
    chief, _ = served
    chief.oracle.max_trials = 9
    trial = chief.create_trial("first")

    def full(*args: Any) -> None:
        raise SearchError("Cannot write: No space left on device")

    monkeypatch.setattr(chief.oracle, "_write", full)
    with (
        ThreadPoolExecutor(1, "a") as pool,
        pytest.raises(SearchError, match="No space"),
    ):
        pool.submit(chief.create_trial, "second").result(timeout=20)
    number = trial.number
    outcome = Outcome(number, {}, "failed", reason="whatever")
    with ThreadPoolExecutor(1, "b") as pool:
        assert pool.submit(chief.finish, "first", outcome).result(timeout=20) is False
        assert pool.submit(chief.create_trial, "first").result(timeout=20).status == (
            "STOPPED"
        )
    assert chief.over


def test_a_trial_that_hangs_is_given_up(served: tuple[Chief, str]) -> None:
    chief, _ = served
    chief.oracle.max_trials = 2
    chief.plan = replace(chief.plan, trial_seconds=0.01)
    chief.patience = 0.2
    trial = chief.create_trial("first")
    number = trial.number
    time.sleep(0.25)
    # It still talks.
    assert chief.report("first", number).stop == ""
    assert chief.expire() == ["first"]
    assert chief.outcomes[number].status == "failed"
    assert "and hung" in chief.outcomes[number].reason


def test_the_defaults_are_never_ended_early(tmp_path: Path) -> None:
    """Also where four others were complete before them."""
    plan = tiny_plan(prune=True, repeats=2)
    place = SearchFolder(tmp_path / "s")
    place.open(new=False)
    place.begin(plan, {})
    chief = Chief(plan, place, new_oracle(plan, place, trials=9))
    workers = [f"w{number}" for number in range(7)]
    trials = {name: chief.create_trial(name) for name in workers}
    for name in workers[1:6]:
        number = trials[name].number
        good = tuple(repeat(0.9 + number / 1000 + i / 100) for i in range(2))
        assert chief.finish(name, Outcome(number, {}, "completed", good))
    assert chief.report("w6", 7, [repeat(0.1)]).stop == "prune"
    assert chief.report("w0", 1, [repeat(0.1)]).stop == ""
    # Only the first training is compared while it runs.
    other = chief.create_trial("w7")
    assert other.status == "RUNNING"
    assert chief.report("w7", 8, [repeat(0.91)], [0.0] * 5).stop == ""
    chief.create_trial("w8")
    assert chief.report("w8", 9, [], [0.0] * 5).stop == "prune"
    place.close()


def repeat(score: float) -> Repeat:
    return Repeat({"macro_f1": score}, 1, 1, (score,), 1.0)


def test_a_budget_is_checked() -> None:
    with pytest.raises(SearchError, match="an address for workers elsewhere"):
        Budget(workers=0)
