"""The reader of LiteRT (TensorFlow Lite) exports."""

from __future__ import annotations

from threading import Lock

import numpy as np

from emoclf.optional import require
from emoclf.runtime import native_lines_hidden
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import TokenClassifier, check_threads

MODEL = "model.tflite"


class LiteRTClassifier(TokenClassifier):
    """Predict with the LiteRT interpreter.

    Parameters
    ----------
    folder : ExportFolder
        An export to "litert" or "litert-int8"; :func:`emoclf.load_exported` takes its
        path.
    threads : int >= 1, optional
        Number of threads for one batch; default: one.

    Raises
    ------
    MissingDependency
        If ai-edge-litert is not installed.
    SettingsError
        If ``threads`` is not a number of threads.
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
        # It prints a line about its delegate when it first allocates tensors.
        with native_lines_hidden():
            self._interpreter = runtime.Interpreter(
                model_path=str(folder.place / MODEL), num_threads=threads
            )
            self._input = self._interpreter.get_input_details()[0]["index"]
            self._output = self._interpreter.get_output_details()[0]["index"]
            self._shape: tuple[int, ...] = ()
            self._allocate((1, 1))
        # All threads that predict share the interpreter's one set of tensors.
        self._lock = Lock()

    def predict_batch(self, token_ids: np.ndarray) -> np.ndarray:
        """Return the probabilities of a batch of padded texts."""
        if self._one_by_one:
            return np.concatenate([self._invoke(row[None]) for row in token_ids])
        return self._invoke(token_ids)

    def _allocate(self, shape: tuple[int, ...]) -> None:
        self._interpreter.resize_tensor_input(self._input, shape)
        self._interpreter.allocate_tensors()
        self._shape = shape

    def _invoke(self, token_ids: np.ndarray) -> np.ndarray:
        with self._lock:
            if token_ids.shape != self._shape:
                self._allocate(token_ids.shape)
            self._interpreter.set_tensor(self._input, token_ids)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output)
