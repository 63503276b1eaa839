"""A LiteRT (TensorFlow Lite) file that an interpreter runs, and its texts."""

from __future__ import annotations

from threading import Lock

import numpy as np

from emoclf.optional import require
from emoclf.runtime import native_lines_hidden
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import TokenClassifier, check_threads

MODEL = "model.tflite"


class LiteRTClassifier(TokenClassifier):
    """Answer raw texts with the LiteRT interpreter.

    Parameters
    ----------
    folder : ExportFolder
        Of the form "litert" or "litert-int8"; :func:`emoclf.load_exported` takes its
        path.
    threads : int >= 1, optional
        Threads for one batch; the interpreter takes one otherwise.

    Raises
    ------
    MissingDependency
        If ai-edge-litert is not installed.
    SettingsError
        If ``threads`` is no number of threads.
    """

    def __init__(self, folder: ExportFolder, *, threads: int | None = None) -> None:
        check_threads(threads)
        runtime = require(
            "ai_edge_litert.interpreter",
            extra="litert",
            needed_by="A LiteRT classifier",
        )
        super().__init__(folder, threads=threads)
        self._one_by_one = folder.about["network"]["batch"] == 1
        # It announces its delegate, when tensors are laid out for the first time.
        with native_lines_hidden():
            self._interpreter = runtime.Interpreter(
                model_path=str(folder.place / MODEL), num_threads=threads
            )
            self._input = self._interpreter.get_input_details()[0]["index"]
            self._output = self._interpreter.get_output_details()[0]["index"]
            self._shape: tuple[int, ...] = ()
            self._lay_out((1, 1))
        # The interpreter has one set of tensors, whoever asks.
        self._lock = Lock()

    def answer(self, token_ids: np.ndarray) -> np.ndarray:
        """Return the probabilities of a batch of padded texts.

        Parameters
        ----------
        token_ids : ndarray of int32, shape (batch, length), length >= 1

        Returns
        -------
        probabilities : ndarray of float32, shape (batch, n_classes)
        """
        if self._one_by_one:
            return np.concatenate([self._invoke(row[None]) for row in token_ids])
        return self._invoke(token_ids)

    def _lay_out(self, shape: tuple[int, ...]) -> None:
        self._interpreter.resize_tensor_input(self._input, shape)
        self._interpreter.allocate_tensors()
        self._shape = shape

    def _invoke(self, token_ids: np.ndarray) -> np.ndarray:
        with self._lock:
            if token_ids.shape != self._shape:
                self._lay_out(token_ids.shape)
            self._interpreter.set_tensor(self._input, token_ids)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output)
