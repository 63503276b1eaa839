"""Strangers at the port of a search, and damage in its folder.

Covers emoclf.tuning.chief.grpc_service, folder, results.outcome and bundle.json_values.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tiny_search import run, tiny_plan

from emoclf.cli import main
from emoclf.cli.tune_worker import read_token
from emoclf.errors import EmoclfError, SearchError
from emoclf.tuning.chief.chief import Chief
from emoclf.tuning.chief.grpc_service import SERVICE, RemoteChief, serve
from emoclf.tuning.chief.strategies import new_oracle
from emoclf.tuning.finish import SearchResult
from emoclf.tuning.folder import SearchFolder
from emoclf.tuning.results.outcome import Outcome, Repeat

SEED = 0
REPEAT = Repeat({"macro_f1": 0.5}, 1, 1, (0.5,), 1.0)


@pytest.fixture
def chief(tmp_path: Path) -> Iterator[Chief]:
    plan, place = tiny_plan(), SearchFolder(tmp_path / "s")
    place.open(new=False)
    place.begin(plan, {})
    yield Chief(plan, place, new_oracle(plan, place, trials=3))
    place.close()


@pytest.fixture
def address(chief: Chief) -> Iterator[str]:
    server, port = serve(chief, "127.0.0.1:0")
    yield f"127.0.0.1:{port}"
    server.stop(grace=0).wait()


def call(address: str, method: str, request: bytes) -> grpc.StatusCode:
    """Return the status of a call with any bytes."""
    with grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(f"/{SERVICE}/{method}")(request, timeout=10)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def finished(number: int, **changes: Any) -> dict[str, Any]:
    """Return the request of a worker whose trial is complete, with other values."""
    outcome = Outcome(number, {}, "completed", (REPEAT,)).to_dict()
    return {"worker": "real", "outcome": {**outcome, **changes}}


def scored(**changes: Any) -> dict[str, Any]:
    return {"repeats": [{**REPEAT.to_dict(), **changes}]}


WRONG: dict[str, tuple[str, Any]] = {
    "no JSON": ("CreateTrial", b"{"),
    "deep JSON": ("CreateTrial", b"[" * 100_000),
    "a list": ("CreateTrial", []),
    "no worker": ("CreateTrial", {}),
    "a worker that is a list": ("CreateTrial", {"worker": ["a"]}),
    "a worker that writes to the terminal": ("CreateTrial", {"worker": "a\x1b[2J"}),
    "a long name": ("CreateTrial", {"worker": "a" * 10_000}),
    "a trial that is a text": (
        "Report", {"worker": "real", "number": "1", "repeats": [], "curve": []}
    ),
    "a curve of texts": (
        "Report", {"worker": "real", "number": 1, "repeats": [], "curve": ["x"]}
    ),
    "no outcome": ("Finish", {"worker": "real"}),
    "NaN": ("Finish", finished(1, **scored(figures={"macro_f1": float("nan")}))),
    "1e308": ("Finish", finished(1, **scored(figures={"macro_f1": 1e308}))),
    "another metric": ("Finish", finished(1, **scored(figures={"macro_f2": 0.5}))),
    "no metric": ("Finish", finished(1, **scored(figures={}))),
    "no repeats": ("Finish", finished(1, repeats=[])),
    "a status": ("Finish", finished(1, status="won")),
    "an unknown key": ("Finish", finished(1, more=1)),
    "other settings": ("Finish", finished(1, values={"epochs": 1})),
    "absurd settings": ("Finish", finished(1, values={"filters": -1})),
    "a huge number": ("Finish", finished(10**400)),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_refused_and_the_search_goes_on(
    case: str, chief: Chief, address: str
) -> None:
    real = RemoteChief(address, "real")
    offer = real.create_trial("real")
    method, request = WRONG[case]
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    assert call(address, method, data) == grpc.StatusCode.INVALID_ARGUMENT
    assert chief.failure is None
    outcome = Outcome(offer.number, {}, "completed", (REPEAT,))
    assert real.finish("real", outcome)
    assert chief.outcomes[1].values == chief.plan.space.decode(offer.values)
    assert real.create_trial("real").number == 2


@pytest.mark.parametrize("number", [1, 7])
def test_an_outcome_of_a_stranger_is_left(
    chief: Chief, address: str, number: int
) -> None:
    offer = chief.create_trial("real")
    request = {**finished(number), "worker": "stranger"}
    assert call(address, "Finish", json.dumps(request).encode()) == grpc.StatusCode.OK
    assert not chief.outcomes
    assert chief.running["real"].number == offer.number


def test_a_secret_keeps_strangers_out(chief: Chief) -> None:
    server, port = serve(chief, "127.0.0.1:0", token="the secret")
    address = f"127.0.0.1:{port}"
    try:
        for token in ("", "another"):
            with pytest.raises(SearchError, match=r"secrets differ\. Give both"):
                RemoteChief(address, "a", token=token)
        for method in ("CreateTrial", "Finish", "Nothing"):
            denied = grpc.StatusCode.UNAUTHENTICATED
            assert call(address, method, b'{"worker": "a"}') == denied
        real = RemoteChief(address, "real", token="the secret")
        assert real.create_trial("real").number == 1
    finally:
        server.stop(grace=0).wait()


@pytest.mark.slow
def test_a_search_says_who_can_reach_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    means: dict[str, Any] = {"workers": 0, "address": "127.0.0.1:0", "wait": 0.5}
    with caplog.at_level("INFO"), pytest.raises(SearchError):
        run(tmp_path / "s", **means)
    assert "listens on 127.0.0.1:" in caplog.text
    assert "without a secret: whoever reaches this address can take part" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO"), pytest.raises(SearchError):
        run(tmp_path / "s", token="secret", **means)
    assert "for workers with its secret" in caplog.text
    assert "without a secret" not in caplog.text


def test_a_secret_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMOCLF_TOKEN", raising=False)
    assert read_token(None) == ""
    monkeypatch.setenv("EMOCLF_TOKEN", "of the environment")
    assert read_token(None) == "of the environment"
    path = tmp_path / "token"
    path.write_text("of a file\n")
    assert read_token(str(path)) == "of a file"
    for content in ("", "\n", "two\nlines", "é"):
        path.write_text(content)
        with pytest.raises(SearchError, match="must contain a secret"):
            read_token(str(path))
    with pytest.raises(SearchError, match="cannot be read"):
        read_token(str(tmp_path / "none"))


ODD_VALUES: list[Any] = [
    *(None, True, -1, 0, 10**400, 0.5, 1e308, float("nan"), "", "a", "\x1b[2J"),
    *([], [1], [[]], {}, {"a": 1}),
]


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return a file with a changed byte, without its end, or with an odd value."""
    kind = rng.randrange(3)
    if kind == 0:
        content = bytearray(data)
        content[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(content)
    if kind == 1:
        return data[: rng.randrange(len(data))]
    document = {"root": json.loads(data)}
    owner: Any = document
    key: Any = "root"
    while isinstance(owner[key], dict | list) and owner[key] and rng.random() < 0.8:
        owner = owner[key]
        keys = list(owner) if isinstance(owner, dict) else range(len(owner))
        key = rng.choice(list(keys))
    owner[key] = rng.choice(ODD_VALUES)
    return json.dumps(document["root"]).encode()


@pytest.fixture(scope="module")
def of_two_trials(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    """A search of two trials; tests change copies of it."""
    folder = tmp_path_factory.mktemp("two trials") / "search"
    return run(folder, trials=2, train_winner=False)


@pytest.mark.slow
def test_a_damaged_folder_is_an_error_or_the_rest_of_the_search(
    of_two_trials: SearchResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(of_two_trials.folder, tmp_path / "search")
    files = [*folder.glob("*.json"), *folder.rglob("trials/*.json")]
    files += [folder / "best.emoclf" / "figures.json"]
    rng = random.Random(SEED)
    refused = 0
    for _ in range(120):
        path = rng.choice(files)
        original = path.read_bytes()
        path.write_bytes(damaged(original, rng))
        for command in (["tune", "show"], ["show"]):
            code = main([*command, str(folder)])
            shown = capsys.readouterr()
            assert code in (0, 1), path
            assert "Traceback" not in shown.err
            assert "nan" not in shown.out.lower().split()
            refused += code
        path.write_bytes(original)
    assert refused > 40


@pytest.mark.slow
def test_a_search_continues_from_a_damaged_folder_or_says_why_not(
    of_two_trials: SearchResult, tmp_path: Path
) -> None:
    found = of_two_trials
    rng = random.Random(SEED)
    ended = 0
    for number in range(12):
        folder = shutil.copytree(found.folder, tmp_path / f"copy {number}")
        path = rng.choice([*folder.rglob("*.json")])
        path.write_bytes(damaged(path.read_bytes(), rng))
        try:
            again = run(folder, trials=2, train_winner=False)
        except EmoclfError:
            continue
        ended += 1
        assert again.choice.chosen.number == found.choice.chosen.number
    assert ended >= 3
