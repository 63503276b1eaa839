"""The gRPC service by which workers in other processes call the chief.

Requests and replies are JSON. A secret that the chief and its workers share keeps
strangers out; connections are not encrypted, so that whoever can read the network can
read it too.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import asdict
from functools import partial
from typing import Any, TypeAlias

import grpc

from emoclf.bundle.json_values import JsonObject
from emoclf.errors import SearchError
from emoclf.runtime import TOKEN_VARIABLE

from ..plan import versions
from ..results.outcome import Outcome, Repeat
from ..trials.trial_reporter import REPORT_SECONDS, Reply, TrialOffer
from .chief import PATIENCE_SECONDS, Chief

logger = logging.getLogger("emoclf.tuning")

SERVICE = "emoclf.Search"
#: Key of the secret among the metadata of a call.
TOKEN_KEY = "emoclf-token"
#: Longest name of a worker.
MAX_NAME = 255
#: Longest duration of a call.
CALL_SECONDS = 20.0
#: Longest wait for a trial, whose values may take long to compute.
TRIAL_SECONDS = 3600.0
#: Message of a worker whose chief is gone.
WORKER_ENDS = "This worker ends; its trial, if it has one, runs again later."
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# A proxy of the environment cannot reach a chief in this network.
OPTIONS = [("grpc.enable_http_proxy", 0)]


class _TokenCheck(grpc.ServerInterceptor):
    """Refuse calls to any service of a server that do not have its secret."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        message = "the secrets of this worker and the chief differ"
        self._refusal = grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(
                grpc.StatusCode.UNAUTHENTICATED, message
            )
        )

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        given = dict(details.invocation_metadata).get(TOKEN_KEY, "")
        if hmac.compare_digest(str(given).encode(), self._token):
            return continuation(details)
        return self._refusal


def serve(chief: Chief, address: str, *, token: str = "") -> tuple[Any, int]:
    """Start the service of a chief.

    Parameters
    ----------
    chief : Chief
    address : str
        ``host:port``; port 0 takes any free one.
    token : str
        Secret that each call must have; "": none.

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
        interceptors=[_TokenCheck(token)] if token else [],
        # Otherwise two chiefs could share one port, and its calls.
        options=[*OPTIONS, ("grpc.so_reuseport", 0)],
    )
    methods = {
        name: grpc.unary_unary_rpc_method_handler(_checked(method), None, _to_json)
        for name, method in _methods(chief).items()
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


#: Method of the service: reads a request, and returns what the chief then does.
Method: TypeAlias = Callable[[JsonObject], Callable[[], Any]]


def _methods(chief: Chief) -> dict[str, Method]:
    """Return the methods of the service by name."""

    def about(request: JsonObject) -> Callable[[], Any]:
        return lambda: {
            "folder": os.path.abspath(chief.folder.path),
            "versions": versions(),
            "patience": chief.patience,
        }

    def create_trial(request: JsonObject) -> Callable[[], Any]:
        worker = _worker(request)
        return lambda: asdict(chief.create_trial(worker))

    def report(request: JsonObject) -> Callable[[], Any]:
        worker, number = _worker(request), request.whole("number", 1)
        repeats = [*map(Repeat.from_json, request.objects("repeats"))]
        curve = request.numbers("curve")
        return lambda: asdict(chief.report(worker, number, repeats, curve))

    def finish(request: JsonObject) -> Callable[[], Any]:
        outcome = Outcome.from_json(request.object("outcome"))
        chief.plan.check_outcome(outcome)
        return partial(chief.finish, _worker(request), outcome)

    return {
        "About": about,
        "CreateTrial": create_trial,
        "Report": report,
        "Finish": finish,
    }


def _worker(request: JsonObject) -> str:
    """Return the name of a worker."""
    name = request.text("worker")
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"the name of a worker cannot be {name[:60]!a}")
    return name


def _checked(method: Method) -> Callable[[bytes, Any], Any]:
    """Return a handler that refuses requests with wrong values."""

    def handle(request: bytes, context: Any) -> Any:
        try:
            call = method(JsonObject(json.loads(request), "the request"))
        except (ValueError, RecursionError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        # Outside: an error of the chief is no wrong request, and is logged.
        return call()

    return handle


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
    token : str
        Secret of the chief; "": none.

    Raises
    ------
    SearchError
        If the address is invalid, or the chief failed.
    ConnectionError
        If no chief answers.
    """

    def __init__(
        self, address: str, worker: str, *, wait: float = 600.0, token: str = ""
    ) -> None:
        check_address(address)
        self._metadata = [(TOKEN_KEY, token)] if token else []
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
            reply = call(
                request, timeout=timeout, wait_for_ready=wait, metadata=self._metadata
            )
        except grpc.RpcError as error:
            if error.code() in _UNREACHABLE:
                raise ConnectionError(
                    f"The chief at {self.address} does not answer "
                    f"({error.code().name}). Check that 'emoclf tune chief' runs there "
                    "and that its port is open to this machine; --wait gives it more "
                    "time."
                ) from None
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                raise SearchError(
                    f"The chief at {self.address} refuses this worker: the secrets "
                    "differ. Give both the same --token-file, or the same variable "
                    f"{TOKEN_VARIABLE}."
                ) from None
            raise SearchError(
                f"The chief at {self.address} has failed ({error.details()}). Start it "
                "again with its own command, and then its workers."
            ) from None
        self.heard = time.monotonic()
        return reply

    def create_trial(self, worker: str) -> TrialOffer:
        """Return a trial, or why there is none."""
        late = threading.Timer(PATIENCE_SECONDS, self._report_wait)
        late.daemon = True
        late.start()
        try:
            reply = self._call("CreateTrial", timeout=TRIAL_SECONDS, worker=worker)
        finally:
            late.cancel()
        return TrialOffer(**reply)

    def _report_wait(self) -> None:
        logger.warning(
            "The chief at %s has not handed out a trial for %d s. It may be choosing "
            "its values; this worker waits for %d s.",
            self.address,
            PATIENCE_SECONDS,
            TRIAL_SECONDS,
        )

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

    def watch(self, on_lost: Callable[[str], None]) -> None:
        """Start a thread that calls ``on_lost`` if the chief is silent for too long.

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
                        on_lost(f"{error} {WORKER_ENDS}")

        threading.Thread(target=check_regularly, daemon=True).start()
