"""The reader of ONNX exports."""

from __future__ import annotations

import numpy as np

from emoclf.optional import require
from emoclf.serving.export_folder import ExportFolder
from emoclf.serving.exported_classifier import TokenClassifier, check_threads

MODEL = "model.onnx"
INPUT, OUTPUT = "token_ids", "probabilities"
# Errors only: its warnings are about the speed of single nodes.
_LOG_ERRORS = 3


class OnnxClassifier(TokenClassifier):
    """Predict with onnxruntime, on the CPU.

    Parameters
    ----------
    folder : ExportFolder
        An export to "onnx"; :func:`emoclf.load_exported` takes its path.
    threads : int >= 1, optional
        Number of threads for one batch; default: one for each core.

    Raises
    ------
    MissingDependency
        If onnxruntime is not installed.
    SettingsError
        If ``threads`` is not a number of threads.
    """

    def __init__(self, folder: ExportFolder, *, threads: int | None = None) -> None:
        check_threads(threads)
        runtime = require("onnxruntime", extra="onnx", needed_by="An ONNX classifier")
        super().__init__(folder, threads=threads)
        options = runtime.SessionOptions()
        options.log_severity_level = _LOG_ERRORS
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = runtime.InferenceSession(
            str(folder.place / MODEL), options, providers=["CPUExecutionProvider"]
        )

    def predict_batch(self, token_ids: np.ndarray) -> np.ndarray:
        """Return the probabilities of a batch of padded texts."""
        return self._session.run([OUTPUT], {INPUT: token_ids})[0]
