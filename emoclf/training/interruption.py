"""Ctrl-C during a training, also where a library swallows it."""

from __future__ import annotations

import signal
import threading
from typing import Any

import keras


class Interruption(keras.callbacks.Callback):
    """Raise a lost ``KeyboardInterrupt`` again, before the next batch.

    Python raises it in whatever code is running. Where that is a finalizer, or a
    library that catches every exception, as happens while TensorFlow traces a function,
    it is lost, and the training would go on.
    """

    def __init__(self) -> None:
        super().__init__()
        #: Whether there was a Ctrl-C.
        self.requested = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        # A program's own handler stays.
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.requested:
            raise KeyboardInterrupt

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if signal.getsignal(signal.SIGINT) == self._interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, number: int, frame: Any) -> None:
        self.requested = True
        raise KeyboardInterrupt
