"""The gRPC service by which workers in other processes call the chief.

Requests and replies are JSON. Connections are neither encrypted nor authenticated: use
them in trusted networks only.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import asdict
from typing import Any

import grpc

from emoclf.errors import SearchError

from ..plan import versions
from ..results.outcome import Outcome, Repeat
from ..trials.trial_reporter import REPORT_SECONDS, Reply, TrialOffer
from .chief import PATIENCE_SECONDS, Chief

SERVICE = "emoclf.Search"
#: Longest duration of a call.
CALL_SECONDS = 20.0
#: Longest wait for a trial, whose values may take long to compute.
TRIAL_SECONDS = 3600.0
#: Message of a worker whose chief is gone.
WORKER_ENDS = "This worker ends; its trial, if it has one, runs again later."
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# A proxy of the environment cannot reach a chief in this network.
OPTIONS = [("grpc.enable_http_proxy", 0)]


def serve(chief: Chief, address: str) -> tuple[Any, int]:
    """Start the service of a chief.

    Parameters
    ----------
    chief : Chief
    address : str
        ``host:port``; port 0 takes any free one.

    Returns
    -------
    server : grpc.Server
        Server, whose ``stop`` must be called at the end.
    port : int

    Raises
    ------
    SearchError
        If the address is in use or invalid.
    """
    check_address(address)
    server = grpc.server(
        # A thread starts when it is needed; reports must not wait for calls that wait
        # for the chief.
        futures.ThreadPoolExecutor(max_workers=256),
        # Otherwise two chiefs could share one port, and its calls.
        options=[*OPTIONS, ("grpc.so_reuseport", 0)],
    )
    methods = {
        name: grpc.unary_unary_rpc_method_handler(function, json.loads, _to_json)
        for name, function in _methods(chief).items()
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, methods),)
    )
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise SearchError(
            f"Cannot listen on {address}: it is in use, or not an address of this "
            "machine. Choose another with --address HOST:PORT."
        )
    server.start()
    return server, port


def _methods(chief: Chief) -> dict[str, Callable[[dict[str, Any], Any], Any]]:
    """Return the methods of the service by name."""

    def report(request: dict[str, Any], context: Any) -> Any:
        repeats = map(Repeat.from_dict, request.pop("repeats"))
        return asdict(chief.report(**request, repeats=[*repeats]))

    return {
        "About": lambda request, context: {
            "folder": os.path.abspath(chief.folder.path),
            "versions": versions(),
            "patience": chief.patience,
        },
        "CreateTrial": lambda request, context: asdict(chief.create_trial(**request)),
        "Report": report,
        "Finish": lambda request, context: chief.finish(
            request["worker"], Outcome.from_dict(request["outcome"])
        ),
    }


def _to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def check_address(address: str) -> None:
    """Raise SearchError if an address is not ``host:port``."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit() or int(port) >= 2**16:
        raise SearchError(
            f"The address of a chief must be HOST:PORT, for instance 10.0.0.5:8000. "
            f"Got {address!r} instead."
        )


class RemoteChief:
    """A chief in another process.

    Parameters
    ----------
    address : str
        ``host:port``.
    worker : str
        Name of this worker.
    wait : float
        Seconds to wait for the chief, which prepares the search before it listens.

    Raises
    ------
    SearchError
        If the address is invalid, or the chief failed.
    ConnectionError
        If no chief answers.
    """

    def __init__(self, address: str, worker: str, *, wait: float = 600.0) -> None:
        check_address(address)
        self.address = address
        self.worker = worker
        self._channel = grpc.insecure_channel(address, OPTIONS)
        self.about = self._call("About", timeout=wait)

    def _call(
        self, method: str, *, timeout: float = CALL_SECONDS, **request: Any
    ) -> Any:
        path = f"/{SERVICE}/{method}"
        call = self._channel.unary_unary(path, _to_json, json.loads)
        wait = timeout > CALL_SECONDS
        try:
            reply = call(request, timeout=timeout, wait_for_ready=wait)
        except grpc.RpcError as error:
            if error.code() in _UNREACHABLE:
                raise ConnectionError(
                    f"The chief at {self.address} does not answer "
                    f"({error.code().name}). Check that 'emoclf tune chief' runs there "
                    "and that its port is open to this machine; --wait gives it more "
                    "time."
                ) from None
            raise SearchError(
                f"The chief at {self.address} has failed ({error.details()}). Start it "
                "again with its own command, and then its workers."
            ) from None
        self.heard = time.monotonic()
        return reply

    def create_trial(self, worker: str) -> TrialOffer:
        """Return a trial, or why there is none."""
        reply = self._call("CreateTrial", timeout=TRIAL_SECONDS, worker=worker)
        return TrialOffer(**reply)

    def report(
        self,
        worker: str,
        number: int,
        repeats: Sequence[Repeat] = (),
        curve: Sequence[float] = (),
    ) -> Reply:
        """Report on a trial."""
        values = [repeat.to_dict() for repeat in repeats]
        reply = self._call(
            "Report", worker=worker, number=number, repeats=values, curve=list(curve)
        )
        return Reply(**reply)

    def finish(self, worker: str, outcome: Outcome) -> bool:
        """Report an outcome; retry until the chief answers, or is gone."""
        while True:
            try:
                return bool(
                    self._call("Finish", worker=worker, outcome=outcome.to_dict())
                )
            except ConnectionError:
                # watch() ends the process when the chief is gone.
                time.sleep(1.0)

    def watch(self, gone: Callable[[str], None]) -> None:
        """Start a thread that calls ``gone`` if the chief is silent for too long.

        It is needed because waiting for a trial may take an hour, and because a
        training does not call the chief between two epochs.
        """

        def check_regularly() -> None:
            patience = min(float(self.about["patience"]), PATIENCE_SECONDS)
            while True:
                time.sleep(REPORT_SECONDS)
                try:
                    self._call("About")
                except (ConnectionError, SearchError) as error:
                    # SearchError, too: otherwise a failed chief would never be left.
                    if time.monotonic() - self.heard > patience:
                        gone(f"{error} {WORKER_ENDS}")

        threading.Thread(target=check_regularly, daemon=True).start()
