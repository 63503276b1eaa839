"""TensorFlow without the lines that it writes past Python's streams."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def load_tensorflow() -> None:
    """Import TensorFlow without the lines that it writes past Python's streams.

    It announces oneDNN and missing graphics cards on file descriptor 2 before it reads
    its own log level. What goes wrong in the import is still raised.
    """
    # 3 also hides "oneDNN supports DT_BOOL only on …", an error that is none.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_lines_hidden():
        import tensorflow as tf

        # The announcements come with the first device, not with the import.
        tf.constant(0)
    hide_retracing()


def hide_retracing() -> None:
    """Hide TensorFlow's advice against tracing the same code again and again.

    Each network is traced once, as it has to be; TensorFlow counts them all together.
    """
    import tensorflow as tf

    tf.get_logger().addFilter(_says_more)


def _says_more(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in record.getMessage()


@contextmanager
def native_lines_hidden() -> Iterator[None]:
    """Hide what compiled code writes to file descriptor 2; errors are still raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
