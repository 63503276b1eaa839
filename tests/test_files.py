"""Files and folders are complete or absent, whoever else writes or dies."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emoclf import files
from emoclf.errors import DataError
from emoclf.files import check_new_file, new_file, new_folder, recover_folder

WRITE = """
import sys
from pathlib import Path
from emoclf.files import new_file, new_folder
kind, target, overwrite = sys.argv[1:]
writer = {"file": new_file, "folder": new_folder}[kind]
try:
    with writer(Path(target), overwrite=overwrite == "yes") as new:
        if kind == "file":
            new.write(b"new")
            new.flush()
        else:
            (new / "content").write_text("new")
        print("writing", flush=True)
        sys.stdin.readline()
except FileExistsError:
    print("taken")
else:
    print("written")
"""


def writer(kind: str, target: Path, overwrite: str = "no") -> subprocess.Popen[str]:
    """Return a process that has begun to write and waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, kind, str(target), overwrite],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def end(process: subprocess.Popen[str]) -> str:
    return process.communicate("\n", timeout=60)[0].strip()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_next_writer_removes_what_a_killed_one_left(
    kind: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    other = writer(kind, tmp_path / "another")
    killed, alive = writer(kind, target), writer(kind, target, "yes")
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 3
    with (new_folder if kind == "folder" else new_file)(target):
        # Those of living processes stay: of the other target, theirs and ours.
        assert len(list(tmp_path.iterdir())) == 3
    assert end(alive) == end(other) == "written"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_of_two_writers_of_a_new_target_exactly_one_wins(
    kind: str, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    both = [writer(kind, target), writer(kind, target)]
    assert sorted(map(end, both)) == ["taken", "written"]
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_replacing_keeps_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "private.csv"
    target.write_text("old")
    target.chmod(0o600)
    with new_file(target) as stream:
        stream.write(b"new")
        assert {stat.S_IMODE(x.stat().st_mode) for x in tmp_path.iterdir()} == {0o600}
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_through_a_link_its_target_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "a.csv", tmp_path / "link.csv"
    real.parent.mkdir()
    link.symlink_to(real)
    for text in (b"first", b"second"):
        check_new_file(link, overwrite=True)
        with new_file(link) as stream:
            stream.write(text)
        assert link.is_symlink()
        assert real.read_bytes() == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "real"]


def test_pipes_and_devices_are_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    # Nothing is replaced, so nobody has to ask for it.
    check_new_file(pipe, overwrite=False)
    with new_file(pipe, overwrite=False) as stream:
        stream.write(b"a line\n")
    reader.join(10)
    assert received == [b"a line\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    check_new_file(Path(os.devnull), overwrite=False)
    with new_file(Path(os.devnull), overwrite=False) as stream:
        stream.write(b"nothing")


def test_long_names_work(tmp_path: Path) -> None:
    for name in ("a" * 249 + ".csv", "é" * 125 + ".csv"):
        for text in (b"first", b"second"):
            with new_file(tmp_path / name) as stream:
                stream.write(text)
            with new_folder(tmp_path / f"{name[:-4]}x") as folder:
                (folder / "content").write_bytes(text)
        assert (tmp_path / name).read_bytes() == b"second"
        assert (tmp_path / f"{name[:-4]}x" / "content").read_bytes() == b"second"
    assert len(list(tmp_path.iterdir())) == 4


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")

    def fail() -> None:
        with new_file(target) as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    with pytest.raises(DataError, match=r"a.csv exists already.*overwrite=True"):
        check_new_file(target, overwrite=False)


def test_a_file_system_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "a.csv"
    with new_file(target, overwrite=False) as stream:
        stream.write(b"new")
    assert target.read_bytes() == b"new"
    with pytest.raises(FileExistsError), new_file(target, overwrite=False) as stream:
        stream.write(b"newer")
    assert target.read_bytes() == b"new"


HANG_UP = """
import sys, time
from emoclf.cli import main
import emoclf.bulk.predict_chunks as chunks
whole = chunks.ChunkPredictor.predict
def slow(self, entries):
    for chunk in whole(self, entries):
        yield chunk
        print("writing", flush=True)
        time.sleep(60)
chunks.ChunkPredictor.predict = slow
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_leaves_nothing(number: int, tmp_path: Path) -> None:
    from tiny import tiny_folded

    model, source = tiny_folded(tmp_path), tmp_path / "lines.txt"
    source.write_text("a lovely gift\n" * 5000)
    (tmp_path / "out").mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", HANG_UP, "predict", str(model), str(source)),
            *("-o", str(tmp_path / "out" / "a.csv"), "--quiet"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert len(list((tmp_path / "out").iterdir())) == 1
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_behind_a_link_is_replaced_each_time(tmp_path: Path) -> None:
    (tmp_path / "versions" / "1").mkdir(parents=True)
    link = tmp_path / "newest"
    link.symlink_to(tmp_path / "versions" / "1")
    for content in ("a", "b"):
        with new_folder(link) as folder:
            (folder / "content").write_text(content)
        assert link.is_symlink()
        assert (tmp_path / "versions" / "1" / "content").read_text() == content
    assert os.listdir(tmp_path / "versions") == ["1"]


@pytest.mark.parametrize("make", [new_file, new_folder])
def test_a_new_name_that_is_taken_for_a_leftover_is_left(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def locked_by_another(path: Any, *arguments: Any) -> int:
        if not taken:
            taken.append(path)
            Path(path).touch()
            other = os.open(path, os.O_RDONLY)
            fcntl.flock(other, fcntl.LOCK_EX)
            return os.open(path, os.O_RDONLY)
        return os.open(path, *arguments)

    fake = SimpleNamespace(**{**vars(os), "open": locked_by_another})
    monkeypatch.setattr(files, "os", fake)
    with make(tmp_path / "target") as new:
        name = new if isinstance(new, Path) else Path(taken[0])
    assert (tmp_path / "target").exists()
    assert taken
    assert (make is new_file) or name != Path(taken[0])


def test_a_folder_behind_a_link_is_recovered(tmp_path: Path) -> None:
    (tmp_path / ".real.before").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    recover_folder(link)
    assert link.is_dir()
    assert os.listdir(tmp_path / "real") == []
