"""Worker processes predict in order, and end with a clear error.

Tests of emoclf.bulk.predict_workers.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import tiny_folded

from emoclf.bulk import predict_workers
from emoclf.bulk.file_prediction import Progress, predict_file
from emoclf.errors import BundleError, DataError, WorkerError

N = 12_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folded(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "in.jsonl"
    words = ("dark", "lovely " * 300, "unfair")
    rows = [{"text": words[i % 3] if i % 2048 < 99 else "x", "i": i} for i in range(N)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.slow
def test_workers_predict_in_order_like_one_process(
    folder: Path, source: Path, tmp_path: Path
) -> None:
    alone, together = tmp_path / "alone.jsonl", tmp_path / "together.jsonl"
    predict_file(folder, source, alone)
    assert predict_file(folder, source, together, workers=3) == (N, 0)
    assert together.read_bytes() == alone.read_bytes()
    assert not multiprocessing.active_children()


def test_a_killed_worker_ends_the_run(
    folder: Path, source: Path, tmp_path: Path
) -> None:
    def kill(state: Progress) -> None:
        for child in multiprocessing.active_children()[:1]:
            os.kill(child.pid or 0, signal.SIGKILL)

    start = time.monotonic()
    with pytest.raises(
        WorkerError, match=r"\(pid \d+\) was killed by SIGKILL .*memory"
    ):
        predict_file(folder, source, tmp_path / "out.csv", workers=2, report=kill)
    assert time.monotonic() - start < 60
    assert not list(tmp_path.iterdir())
    assert not multiprocessing.active_children()


def test_a_model_that_a_worker_cannot_load(
    folder: Path, source: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "vocabulary.json").write_text("[]")
    with pytest.raises(BundleError, match=r"vocabulary.json is damaged"):
        predict_file(broken, source, tmp_path / "out.csv", workers=2)
    assert not (tmp_path / "out.csv").exists()


def test_a_failure_in_a_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise RuntimeError("no such device")

    monkeypatch.setattr(predict_workers, "load_classifier", fail)
    connection, worker_end = multiprocessing.Pipe()
    predict_workers.serve(worker_end, folder, {})
    failure = connection.recv()
    assert failure.message == "RuntimeError: no such device"
    assert failure.traceback.startswith("Traceback")


def test_predictions_before_a_bad_line_are_written(
    folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    lines = ['{"text": "dark"}'] * 5000 + ["no"]
    source.write_text("\n".join(lines))
    stream = io.StringIO()
    with pytest.raises(DataError, match=r"line 5001: .*not JSON"):
        predict_file(folder, source, stream, workers=2)
    assert stream.getvalue().count("\n") == 5000
    summary = predict_file(folder, source, stream, workers=2, on_error="null")
    assert summary == (5000, 1)


def children_of(pid: int) -> list[int]:
    """Return the worker processes of a process."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "stat").read_text()
            command = (place / "cmdline").read_bytes()
        except OSError:
            continue
        parent = int(status.rpartition(")")[2].split()[1])
        if parent == pid and b"spawn_main" in command:
            found.append(int(place.name))
    return found


def alive(pids: list[int]) -> list[int]:
    """Return those that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT", "SIGTERM"])
def test_the_command_ends_on_a_signal(name: str, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    command = subprocess.Popen(
        [
            *(sys.executable, "-m", "emoclf", "predict", str(folder), "-"),
            *("-o", str(target), "--workers", "2"),
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A group of its own: Ctrl-C reaches all its processes, as at a terminal.
        start_new_session=True,
    )
    assert command.stdin
    assert command.stderr
    with command:
        command.stdin.write(b"a lovely gift\n" * 20_000)
        command.stdin.flush()
        # Begun, and waiting for more.
        until = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < until:
            time.sleep(0.05)
        workers = children_of(command.pid)
        assert len(workers) == 2
        if name == "SIGKILL":
            os.kill(workers[0], signal.SIGKILL)
            # It may have ended before it has read all this.
            with contextlib.suppress(BrokenPipeError):
                command.stdin.write(b"a lovely gift\n" * 100_000)
            with contextlib.suppress(BrokenPipeError):
                command.stdin.close()
        elif name == "SIGINT":
            os.killpg(command.pid, signal.SIGINT)
        else:
            command.terminate()
        said = command.stderr.read().decode()
        code = command.wait(60)
        if not command.stdin.closed:
            command.stdin.close()
    expected = {"SIGKILL": 1, "SIGINT": 130, "SIGTERM": 143}
    assert code == expected[name], said
    if name == "SIGKILL":
        assert "was killed by SIGKILL" in said
    if name == "SIGINT":
        assert said == "emoclf: interrupted.\n"
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    assert not alive(workers)
