"""What a worker process does: load the model once, then answer until nobody asks."""

from __future__ import annotations

import os
import traceback
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from emoclf.bulk.predict_chunks import Labels, answer, load_classifier, needs_tensorflow
from emoclf.errors import EmoclfError


class Failure(NamedTuple):
    """What went wrong in a worker.

    Parameters
    ----------
    error : EmoclfError or None
        What the user can mend.
    what : str
        The error's type and message.
    traceback : str
    """

    error: EmoclfError | None
    what: str
    traceback: str


def serve(
    connection: Connection, path: str | os.PathLike[str], options: dict[str, Any]
) -> None:
    """Send the labels, then the answers to each list of texts that comes.

    Parameters
    ----------
    connection : Connection
        Closed by the other side when there is no more work, or when it died.
    path : path
        Of a bundle or an export.
    options : dict
        Of :func:`load_classifier`.
    """
    try:
        if needs_tensorflow(path):
            from emoclf.runtime import load_tensorflow

            load_tensorflow()
        classifier = load_classifier(path, **options)
        connection.send(Labels(classifier.label_names, classifier.multilabel))
        while True:
            connection.send(answer(classifier, connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:  # noqa: BLE001 - it is raised in the other process
        known = error if isinstance(error, EmoclfError) else None
        what = f"{type(error).__name__}: {error}"
        connection.send(Failure(known, what, traceback.format_exc()))
