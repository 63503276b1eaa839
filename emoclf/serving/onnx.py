"""The reader of ONNX exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
        super().__init__(folder, threads=threads)
        self._session = new_session(folder.place / MODEL, threads, "An ONNX classifier")

    def predict_batch(self, token_ids: np.ndarray) -> np.ndarray:
        """Return the probabilities of a batch of padded texts."""
        return self._session.run([OUTPUT], {INPUT: token_ids})[0]


def new_session(path: Path, threads: int | None, needed_by: str) -> Any:
    """Return a session of onnxruntime on the CPU.

    Parameters
    ----------
    path : Path
        A file of ONNX.
    threads : int >= 1 or None
        None: one for each core.
    needed_by : str
        What needs onnxruntime, for the message if it is not installed.
    """
    runtime = require("onnxruntime", extra="onnx", needed_by=needed_by)
    options = runtime.SessionOptions()
    options.log_severity_level = _LOG_ERRORS
    if threads is not None:
        options.intra_op_num_threads = threads
    providers = ["CPUExecutionProvider"]
    return runtime.InferenceSession(str(path), options, providers=providers)
