"""Ctrl-C during a training, also where a library swallows it."""

from __future__ import annotations

import signal
import threading
from typing import Any

import keras


class Interruption(keras.callbacks.Callback):
    """Raise a ``KeyboardInterrupt`` that was lost again, before the next batch.

    Python raises it in whatever code is running. Where that is a finalizer, or a
    library that catches every exception, as happens while TensorFlow traces a function,
    it is lost, and the training would go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._requested = False
        self._installed = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        # A program's own handler stays.
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
            self._installed = True

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._requested:
            raise KeyboardInterrupt

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._installed = False

    def _interrupt(self, number: int, frame: Any) -> None:
        self._requested = True
        raise KeyboardInterrupt
