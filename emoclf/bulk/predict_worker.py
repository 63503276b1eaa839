"""The worker process: load the model once, then predict every list of texts."""

from __future__ import annotations

import os
import traceback
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from emoclf.bulk.predict_chunks import (
    Labels,
    load_classifier,
    needs_tensorflow,
    predict_texts,
)
from emoclf.errors import EmoclfError


class Failure(NamedTuple):
    """An error in a worker.

    Parameters
    ----------
    error : EmoclfError or None
        Error that the user can correct.
    message : str
        Type and message of the error.
    traceback : str
    """

    error: EmoclfError | None
    message: str
    traceback: str


def serve(
    connection: Connection, path: str | os.PathLike[str], options: dict[str, Any]
) -> None:
    """Send the labels, then the predictions for each list of texts that is received.

    Parameters
    ----------
    connection : Connection
        The other process closes it when there is no more work, or when it dies.
    path : path
        Bundle or export.
    options : dict
        Options of :func:`load_classifier`.
    """
    try:
        if needs_tensorflow(path):
            from emoclf.runtime import load_tensorflow

            load_tensorflow()
        classifier = load_classifier(path, **options)
        connection.send(Labels(classifier.label_names, classifier.multilabel))
        while True:
            connection.send(predict_texts(classifier, connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:  # noqa: BLE001 - raised in the other process
        user_error = error if isinstance(error, EmoclfError) else None
        message = f"{type(error).__name__}: {error}"
        connection.send(Failure(user_error, message, traceback.format_exc()))
