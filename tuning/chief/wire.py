"""Chief and workers in different processes: keras-tuner's gRPC service, and our own.

Trials are handed out by keras-tuner's service and its ``OracleClient``. It has no words
for a worker that is still alive, for a reason why a trial failed, or for the scores of
single folds; these travel as JSON by a second service on the same port. Neither asks
who is calling: use them in networks that you trust.
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
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.distribute.oracle_client import OracleClient

from emoclf.errors import SearchError

from ..plan import versions
from ..results.outcome import Outcome, Repeat
from ..trials.watch import PULSE, Reply
from .chief import PATIENCE, Chief

SERVICE = "emoclf.Search"
#: Seconds that one call may take.
CALL = 20.0
#: What a worker adds when the chief that gave it a trial is gone.
LEFT = "This worker ends; a trial that it had runs again."
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
OPTIONS = [("grpc.enable_http_proxy", 0)]


class _Servicer(OracleServicer):
    """keras-tuner's service, asking the chief where that knows more."""

    def __init__(self, chief: Chief) -> None:
        super().__init__(chief.oracle)
        self.chief = chief

    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        trial = self.chief.create_trial(request.tuner_id)
        return protos.get_service().CreateTrialResponse(trial=trial.to_proto())


def serve(chief: Chief, address: str) -> tuple[Any, int]:
    """Serve a chief.

    Parameters
    ----------
    chief : Chief
    address : str
        ``host:port``; port 0 takes any that is free.

    Returns
    -------
    server : grpc.Server
        Call its ``stop`` at the end.
    port : int

    Raises
    ------
    SearchError
        If the address is taken, or is none.
    """
    split_address(address)
    server = grpc.server(
        # Threads come when they are needed; a word from a worker must not wait for
        # others that wait for the chief.
        futures.ThreadPoolExecutor(max_workers=256),
        # Two chiefs on one port would share its callers.
        options=[*OPTIONS, ("grpc.so_reuseport", 0)],
    )
    protos.get_service_grpc().add_OracleServicer_to_server(_Servicer(chief), server)
    methods = {
        name: grpc.unary_unary_rpc_method_handler(_answering(answer))
        for name, answer in _answers(chief).items()
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
            f"Cannot listen on {address}: it is taken, or not an address of this "
            "machine. Choose another with --address HOST:PORT."
        )
    server.start()
    return server, port


def _answers(chief: Chief) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Return what our own service answers, by the names of its methods."""

    def about(said: dict[str, Any]) -> Any:
        return {
            "folder": os.path.abspath(chief.folder.path),
            "versions": versions(),
            "patience": chief.patience,
        }

    def report(said: dict[str, Any]) -> Any:
        repeats = [Repeat.from_dict(values) for values in said["repeats"]]
        reply = chief.report(said["worker"], said["number"], repeats, said["curve"])
        return asdict(reply)

    def finish(said: dict[str, Any]) -> Any:
        return chief.finish(said["worker"], Outcome.from_dict(said["outcome"]))

    return {"About": about, "Report": report, "Finish": finish}


def _answering(answer: Callable[[dict[str, Any]], Any]) -> Callable[..., bytes]:
    def call(request: bytes, context: Any) -> bytes:
        return json.dumps(answer(json.loads(request))).encode()

    return call


def split_address(address: str) -> tuple[str, str]:
    """Return host and port of ``host:port``.

    Raises
    ------
    SearchError
        If it is none.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit() or int(port) >= 2**16:
        raise SearchError(
            f"A chief's address is HOST:PORT. Got {address!r}, not for instance "
            "'10.0.0.5:8000'."
        )
    return host, port


class RemoteChief:
    """A chief behind a wire.

    Parameters
    ----------
    address : str
        ``host:port``.
    worker : str
        The name of this worker.
    wait : float
        Seconds in which the chief may begin: it reads and prepares before it listens.

    Raises
    ------
    SearchError
        If the address is none, or the chief failed.
    ConnectionError
        If nobody answers there.
    """

    def __init__(self, address: str, worker: str, *, wait: float = 600.0) -> None:
        host, port = split_address(address)
        self.address = address
        # keras-tuner finds its chief by these.
        os.environ["KERASTUNER_ORACLE_IP"] = host
        os.environ["KERASTUNER_ORACLE_PORT"] = port
        os.environ["KERASTUNER_TUNER_ID"] = worker
        # A proxy of the environment knows nothing of a chief in this network.
        os.environ["no_grpc_proxy"] = host  # noqa: SIM112 - so gRPC spells it
        self._channel = grpc.insecure_channel(address, OPTIONS)
        self._client = OracleClient(None)
        self.about = self._call("About", {}, timeout=wait)
        self.heard = time.monotonic()

    def _call(self, method: str, said: dict[str, Any], *, timeout: float = CALL) -> Any:
        call = self._channel.unary_unary(f"/{SERVICE}/{method}")
        request = json.dumps(said).encode()
        try:
            answer = call(request, timeout=timeout, wait_for_ready=timeout > CALL)
        except grpc.RpcError as error:
            raise self._as_ours(error) from None
        self.heard = time.monotonic()
        return json.loads(answer)

    def _as_ours(self, error: Any) -> Exception:
        """Tell a chief that is not there from one that has failed."""
        if error.code() in _AWAY:
            return ConnectionError(
                f"The chief at {self.address} does not answer ({error.code().name}). "
                "See whether 'emoclf tune chief' runs there and its port is open to "
                "this machine; --wait gives it more time."
            )
        return SearchError(
            f"The chief at {self.address} has failed ({error.details()}). Start it "
            "again with its own command, and then its workers."
        )

    def create_trial(self, worker: str) -> Any:
        """Return a trial, or say that there is none."""
        try:
            trial = self._client.create_trial(worker)
        except grpc.RpcError as error:
            raise self._as_ours(error) from None
        self.heard = time.monotonic()
        return trial

    def report(
        self,
        worker: str,
        number: int,
        repeats: Sequence[Repeat] = (),
        curve: Sequence[float] = (),
    ) -> Reply:
        """Hear how a trial goes."""
        said = {
            "worker": worker,
            "number": number,
            "repeats": [one.to_dict() for one in repeats],
            "curve": list(curve),
        }
        return Reply(**self._call("Report", said))

    def finish(self, worker: str, outcome: Outcome) -> bool:
        """Tell an outcome, until it is heard or the chief is gone for good."""
        said = {"worker": worker, "outcome": outcome.to_dict()}
        while True:
            try:
                return bool(self._call("Finish", said))
            except ConnectionError:
                # watch_over says when to give up.
                time.sleep(1.0)

    def watch_over(self, gone: Callable[[str], None]) -> None:
        """Call ``gone`` when the chief was not heard of for its own patience.

        A call of keras-tuner waits for an hour, and a training for nobody.
        """

        def pulse() -> None:
            patience = min(float(self.about["patience"]), PATIENCE)
            while True:
                time.sleep(PULSE)
                try:
                    self._call("About", {})
                except (ConnectionError, SearchError) as error:
                    # Also a chief that failed: who stopped looking would wait for ever.
                    if time.monotonic() - self.heard > patience:
                        gone(f"{error} {LEFT}")

        threading.Thread(target=pulse, daemon=True).start()
