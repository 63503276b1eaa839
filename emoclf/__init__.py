"""Small sentiment and emotion classifiers: honest, fast, explained.

Names are loaded on first use, so that ``import emoclf`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emoclf._version import __version__

if TYPE_CHECKING:
    from emoclf.bulk.run import predict_file
    from emoclf.bundle import Bundle
    from emoclf.bundle_folder import load_bundle, save_bundle
    from emoclf.compare import compare_networks
    from emoclf.datasets.audit import audit_dataset
    from emoclf.datasets.dataset import Dataset
    from emoclf.datasets.sample import load_sample
    from emoclf.datasets.split import split_dataset
    from emoclf.datasets.tables import read_dataset
    from emoclf.embeddings.matrix import embedding_matrix
    from emoclf.embeddings.vectors import read_vectors
    from emoclf.embeddings.word2vec import train_word2vec
    from emoclf.estimator import EmotionClassifier
    from emoclf.evaluation.judge import judge
    from emoclf.export.any_form import export_classifier
    from emoclf.export.saved_model import export_saved_model
    from emoclf.exported import load_exported
    from emoclf.models.build import build_model
    from emoclf.pipeline import train_classifier
    from emoclf.predictor import Predictor
    from emoclf.settings import RunSettings
    from emoclf.training.findings import Finding
    from emoclf.training.model_checks import check_model

_HOME = {
    "Bundle": "emoclf.bundle",
    "Dataset": "emoclf.datasets.dataset",
    "EmotionClassifier": "emoclf.estimator",
    "Finding": "emoclf.training.findings",
    "Predictor": "emoclf.predictor",
    "RunSettings": "emoclf.settings",
    "audit_dataset": "emoclf.datasets.audit",
    "build_model": "emoclf.models.build",
    "check_model": "emoclf.training.model_checks",
    "compare_networks": "emoclf.compare",
    "embedding_matrix": "emoclf.embeddings.matrix",
    "export_classifier": "emoclf.export.any_form",
    "export_saved_model": "emoclf.export.saved_model",
    "judge": "emoclf.evaluation.judge",
    "load_bundle": "emoclf.bundle_folder",
    "load_exported": "emoclf.exported",
    "load_sample": "emoclf.datasets.sample",
    "predict_file": "emoclf.bulk.run",
    "read_dataset": "emoclf.datasets.tables",
    "read_vectors": "emoclf.embeddings.vectors",
    "save_bundle": "emoclf.bundle_folder",
    "split_dataset": "emoclf.datasets.split",
    "train_classifier": "emoclf.pipeline",
    "train_word2vec": "emoclf.embeddings.word2vec",
}

# Spelt out, because type checkers and linters do not run code.
__all__ = [
    "Bundle",
    "Dataset",
    "EmotionClassifier",
    "Finding",
    "Predictor",
    "RunSettings",
    "__version__",
    "audit_dataset",
    "build_model",
    "check_model",
    "compare_networks",
    "embedding_matrix",
    "export_classifier",
    "export_saved_model",
    "judge",
    "load_bundle",
    "load_exported",
    "load_sample",
    "predict_file",
    "read_dataset",
    "read_vectors",
    "save_bundle",
    "split_dataset",
    "train_classifier",
    "train_word2vec",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emoclf' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
