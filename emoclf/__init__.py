"""Train, evaluate and export small sentiment and emotion classifiers.

Names are loaded on first use, which keeps ``import emoclf`` fast.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from emoclf._moved import install
from emoclf._version import __version__ as __version__
from emoclf.errors import ModelError
from emoclf.runtime import OTHER_BACKENDS, TENSORFLOW, wrong_backend

if TYPE_CHECKING:  # type checkers do not run __getattr__
    from emoclf.bulk.file_prediction import predict_file as predict_file
    from emoclf.bundle.bundle import Bundle as Bundle
    from emoclf.bundle.bundle_folder import load_bundle as load_bundle
    from emoclf.bundle.bundle_folder import save_bundle as save_bundle
    from emoclf.datasets.audit import audit_dataset as audit_dataset
    from emoclf.datasets.dataset import Dataset as Dataset
    from emoclf.datasets.readers import read_dataset as read_dataset
    from emoclf.datasets.sample import load_sample as load_sample
    from emoclf.datasets.split import split_dataset as split_dataset
    from emoclf.doctor.findings import Finding as Finding
    from emoclf.doctor.model_checks import check_model as check_model
    from emoclf.embeddings.matrix import embedding_matrix as embedding_matrix
    from emoclf.embeddings.word2vec import train_word2vec as train_word2vec
    from emoclf.embeddings.word_vectors import read_vectors as read_vectors
    from emoclf.estimator import EmotionClassifier as EmotionClassifier
    from emoclf.evaluation.evaluate import evaluate_classifier as evaluate_classifier
    from emoclf.export import export_classifier as export_classifier
    from emoclf.export.saved_model import export_saved_model as export_saved_model
    from emoclf.models.build import build_model as build_model
    from emoclf.predictor import Predictor as Predictor
    from emoclf.serving import load_exported as load_exported
    from emoclf.settings import RunSettings as RunSettings
    from emoclf.tuning.search import search_settings as search_settings
    from emoclf.workflow.compare import compare_networks as compare_networks
    from emoclf.workflow.train import train_classifier as train_classifier

_HOME = {
    "Bundle": "emoclf.bundle.bundle",
    "Dataset": "emoclf.datasets.dataset",
    "EmotionClassifier": "emoclf.estimator",
    "Finding": "emoclf.doctor.findings",
    "Predictor": "emoclf.predictor",
    "RunSettings": "emoclf.settings",
    "audit_dataset": "emoclf.datasets.audit",
    "build_model": "emoclf.models.build",
    "check_model": "emoclf.doctor.model_checks",
    "compare_networks": "emoclf.workflow.compare",
    "embedding_matrix": "emoclf.embeddings.matrix",
    "export_classifier": "emoclf.export",
    "export_saved_model": "emoclf.export.saved_model",
    "evaluate_classifier": "emoclf.evaluation.evaluate",
    "judge": "emoclf.evaluation.evaluate",
    "load_bundle": "emoclf.bundle.bundle_folder",
    "load_exported": "emoclf.serving",
    "load_sample": "emoclf.datasets.sample",
    "predict_file": "emoclf.bulk.file_prediction",
    "read_dataset": "emoclf.datasets.readers",
    "read_vectors": "emoclf.embeddings.word_vectors",
    "save_bundle": "emoclf.bundle.bundle_folder",
    "search_settings": "emoclf.tuning.search",
    "split_dataset": "emoclf.datasets.split",
    "train_classifier": "emoclf.workflow.train",
    "train_word2vec": "emoclf.embeddings.word2vec",
}

__all__ = sorted({"__version__", "register_layers", *_HOME} - {"judge"})

install()


def register_layers() -> None:
    """Let Keras load files that contain layers, losses and optimizers of emoclf.

    ``keras.models.load_model`` finds only what has been imported. ``import emoclf``
    after ``import keras`` calls this; in the other order, call it yourself.
    """
    for module in ("emoclf.models.pooling", "emoclf.training.fit"):
        import_module(module)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emoclf' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        # Keras imports the backend that KERAS_BACKEND or keras.json names.
        if error.name not in OTHER_BACKENDS:
            raise
        raise ModelError(wrong_backend(str(error.name))) from None


if "keras" in sys.modules and sys.modules["keras"].config.backend() == TENSORFLOW:
    register_layers()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
