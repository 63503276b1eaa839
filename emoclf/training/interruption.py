"""Ctrl-C during a training, also where a library swallows it."""

from __future__ import annotations

import signal
import threading
from typing import Any, Self

import keras


class Interruption(keras.callbacks.Callback):
    """Raise a lost ``KeyboardInterrupt`` again: before the next batch, or at the end.

    Python raises it in whatever code is running. Where that is a finalizer, or a
    library that catches every exception, as happens while TensorFlow traces a function,
    it is lost, or comes out as another error. It is a callback of the training, and a
    context around ``fit``, which traces before the callbacks are called.
    """

    def __init__(self) -> None:
        super().__init__()
        self._requested = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        # A program's own handler stays.
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._requested and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt from error

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._requested:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: Any) -> None:
        self._requested = True
        raise KeyboardInterrupt
