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
from emoclf.runtime import (
    OTHER_BACKENDS,
    TENSORFLOW,
    import_tensorflow,
    wrong_backend,
)

if TYPE_CHECKING:  # type checkers do not run __getattr__
    from emoclf.aspects.aspect_model import AspectModel as AspectModel
    from emoclf.aspects.data.aspect_formats import read_aspects as read_aspects
    from emoclf.aspects.data.aspect_formats import write_aspects as write_aspects
    from emoclf.aspects.data.sample import load_aspect_sample as load_aspect_sample
    from emoclf.aspects.data.sentences import AspectData as AspectData
    from emoclf.aspects.exports.aspect_export import export_aspects as export_aspects
    from emoclf.aspects.exports.exported_aspects import (
        load_exported_aspects as load_exported_aspects,
    )
    from emoclf.aspects.polarities.polarity_classifier import (
        PolarityClassifier as PolarityClassifier,
    )
    from emoclf.aspects.tagger import AspectTagger as AspectTagger
    from emoclf.aspects.terms.aspect_settings import AspectSettings as AspectSettings
    from emoclf.audit.dataset_audit import Audit as Audit
    from emoclf.audit.dataset_audit import audit_dataset as audit_dataset
    from emoclf.audit.drift import Drift as Drift
    from emoclf.audit.drift import check_drift as check_drift
    from emoclf.bulk.file_prediction import predict_file as predict_file
    from emoclf.bundle.bundle import Bundle as Bundle
    from emoclf.bundle.bundle_folder import load_bundle as load_bundle
    from emoclf.bundle.bundle_folder import save_bundle as save_bundle
    from emoclf.contextual.fine_tune import fine_tune_encoder as fine_tune_encoder
    from emoclf.contextual.fine_tune_settings import (
        FineTuneSettings as FineTuneSettings,
    )
    from emoclf.contextual.transformer_classifier import (
        TransformerClassifier as TransformerClassifier,
    )
    from emoclf.contextual.vector_distillation import distil_vectors as distil_vectors
    from emoclf.contextual.vector_distillation_settings import (
        VectorDistillationSettings as VectorDistillationSettings,
    )
    from emoclf.datasets.audit_report import AuditReport as AuditReport
    from emoclf.datasets.dataset import Dataset as Dataset
    from emoclf.datasets.readers import read_dataset as read_dataset
    from emoclf.datasets.sample import load_sample as load_sample
    from emoclf.datasets.split import Split as Split
    from emoclf.datasets.split import split_dataset as split_dataset
    from emoclf.distillation.distil import distil_classifier as distil_classifier
    from emoclf.distillation.distillation_settings import (
        DistillationSettings as DistillationSettings,
    )
    from emoclf.doctor.findings import Finding as Finding
    from emoclf.doctor.model_checks import check_model as check_model
    from emoclf.embeddings.coverage import CoverageReport as CoverageReport
    from emoclf.embeddings.matrix import embedding_matrix as embedding_matrix
    from emoclf.embeddings.word2vec import train_word2vec as train_word2vec
    from emoclf.embeddings.word2vec_settings import Word2VecSettings as Word2VecSettings
    from emoclf.embeddings.word_vectors import WordVectors as WordVectors
    from emoclf.embeddings.word_vectors import read_vectors as read_vectors
    from emoclf.errors import BundleError as BundleError
    from emoclf.errors import DataError as DataError
    from emoclf.errors import EmoclfError as EmoclfError
    from emoclf.errors import ExportError as ExportError
    from emoclf.errors import MissingDependency as MissingDependency
    from emoclf.errors import ModelError as ModelError
    from emoclf.errors import ResumeError as ResumeError
    from emoclf.errors import SearchError as SearchError
    from emoclf.errors import SettingsError as SettingsError
    from emoclf.errors import TrainingError as TrainingError
    from emoclf.errors import VectorsError as VectorsError
    from emoclf.errors import WorkerError as WorkerError
    from emoclf.estimator import EmotionClassifier as EmotionClassifier
    from emoclf.evaluation.evaluate import evaluate_classifier as evaluate_classifier
    from emoclf.evaluation.evaluation_report import EvaluationReport as EvaluationReport
    from emoclf.evaluation.network_comparison import (
        NetworkComparison as NetworkComparison,
    )
    from emoclf.explain.corpus_explainer import explain_corpus as explain_corpus
    from emoclf.explain.corpus_explanation import CorpusExplanation as CorpusExplanation
    from emoclf.explain.explanation import Explanation as Explanation
    from emoclf.explain.text_explainer import explain_text as explain_text
    from emoclf.export import export_classifier as export_classifier
    from emoclf.export.saved_model import export_saved_model as export_saved_model
    from emoclf.models.build import build_model as build_model
    from emoclf.predictor import Predictor as Predictor
    from emoclf.ready import load_ready as load_ready
    from emoclf.report.html_report import write_report as write_report
    from emoclf.serving import load_exported as load_exported
    from emoclf.settings import RunSettings as RunSettings
    from emoclf.settings.sections import DataSettings as DataSettings
    from emoclf.settings.sections import EmbeddingSettings as EmbeddingSettings
    from emoclf.settings.sections import TextSettings as TextSettings
    from emoclf.settings.sections import TrainSettings as TrainSettings
    from emoclf.training.doctor_callback import DoctorCallback as DoctorCallback
    from emoclf.training.fit import TrainingResult as TrainingResult
    from emoclf.tuning.finish import SearchResult as SearchResult
    from emoclf.tuning.search import search_settings as search_settings
    from emoclf.workflow.compare import compare_networks as compare_networks
    from emoclf.workflow.cross_validation import CrossValidation as CrossValidation
    from emoclf.workflow.cross_validation import cross_validate as cross_validate
    from emoclf.workflow.learning_curve import learning_curve as learning_curve
    from emoclf.workflow.train import train_classifier as train_classifier
    from emoclf.workflow.trained_classifier import (
        TrainedClassifier as TrainedClassifier,
    )

#: Module → its public names.
_NAMES = {
    "emoclf.aspects.data.aspect_formats": "read_aspects write_aspects",
    "emoclf.aspects.data.sample": "load_aspect_sample",
    "emoclf.aspects.data.sentences": "AspectData",
    "emoclf.aspects.exports.exported_aspects": "load_exported_aspects",
    "emoclf.aspects.terms.aspect_settings": "AspectSettings",
    "emoclf.audit.dataset_audit": "Audit audit_dataset",
    "emoclf.bulk.file_prediction": "predict_file",
    "emoclf.bundle.bundle": "Bundle",
    "emoclf.bundle.bundle_folder": "load_bundle save_bundle",
    "emoclf.contextual.fine_tune": "fine_tune_encoder",
    "emoclf.contextual.fine_tune_settings": "FineTuneSettings",
    "emoclf.contextual.transformer_classifier": "TransformerClassifier",
    "emoclf.contextual.vector_distillation": "distil_vectors",
    "emoclf.contextual.vector_distillation_settings": "VectorDistillationSettings",
    "emoclf.datasets.audit_report": "AuditReport",
    "emoclf.datasets.dataset": "Dataset",
    "emoclf.datasets.readers": "read_dataset",
    "emoclf.datasets.sample": "load_sample",
    "emoclf.datasets.split": "Split split_dataset",
    "emoclf.distillation.distillation_settings": "DistillationSettings",
    "emoclf.doctor.findings": "Finding",
    "emoclf.embeddings.coverage": "CoverageReport",
    "emoclf.embeddings.matrix": "embedding_matrix",
    "emoclf.embeddings.word2vec": "train_word2vec",
    "emoclf.embeddings.word2vec_settings": "Word2VecSettings",
    "emoclf.embeddings.word_vectors": "WordVectors read_vectors",
    "emoclf.errors": (
        "BundleError DataError EmoclfError ExportError MissingDependency ModelError "
        "ResumeError SearchError SettingsError TrainingError VectorsError "
        "WorkerError"
    ),
    "emoclf.evaluation.evaluation_report": "EvaluationReport",
    "emoclf.evaluation.network_comparison": "NetworkComparison",
    "emoclf.explain.corpus_explainer": "explain_corpus",
    "emoclf.explain.corpus_explanation": "CorpusExplanation",
    "emoclf.explain.explanation": "Explanation",
    "emoclf.explain.text_explainer": "explain_text",
    "emoclf.export": "export_classifier",
    "emoclf.ready": "load_ready",
    "emoclf.report.html_report": "write_report",
    "emoclf.serving": "load_exported",
    "emoclf.settings": "RunSettings",
    "emoclf.settings.sections": (
        "DataSettings EmbeddingSettings TextSettings TrainSettings"
    ),
    "emoclf.training.fit": "TrainingResult",
    "emoclf.tuning.finish": "SearchResult",
}
#: The same of modules that load TensorFlow.
_TENSORFLOW_NAMES = {
    "emoclf.aspects.aspect_model": "AspectModel",
    "emoclf.aspects.exports.aspect_export": "export_aspects",
    "emoclf.aspects.polarities.polarity_classifier": "PolarityClassifier",
    "emoclf.aspects.tagger": "AspectTagger",
    "emoclf.audit.drift": "Drift check_drift",
    "emoclf.distillation.distil": "distil_classifier",
    "emoclf.doctor.model_checks": "check_model",
    "emoclf.estimator": "EmotionClassifier",
    "emoclf.evaluation.evaluate": "evaluate_classifier judge",
    "emoclf.export.saved_model": "export_saved_model",
    "emoclf.models.build": "build_model",
    "emoclf.predictor": "Predictor",
    "emoclf.training.doctor_callback": "DoctorCallback",
    "emoclf.tuning.search": "search_settings",
    "emoclf.workflow.compare": "compare_networks",
    "emoclf.workflow.cross_validation": "CrossValidation cross_validate",
    "emoclf.workflow.learning_curve": "learning_curve",
    "emoclf.workflow.train": "train_classifier",
    "emoclf.workflow.trained_classifier": "TrainedClassifier",
}
_HOME = {
    name: home
    for home, names in {**_NAMES, **_TENSORFLOW_NAMES}.items()
    for name in names.split()
}

#: Names of earlier versions, which work and warn.
_RENAMED = {"judge"}

__all__ = sorted({"__version__", "register_layers", *_HOME} - _RENAMED)

install()


def register_layers() -> None:
    """Let Keras load files that contain layers, losses and optimizers of emoclf.

    ``keras.models.load_model`` finds only what has been imported. ``import emoclf``
    after ``import keras`` calls this; in the other order, call it yourself.
    """
    for module in (
        "emoclf.models.crf",
        "emoclf.models.pooling",
        "emoclf.training.fit",
    ):
        import_module(module)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emoclf' has no attribute {name!r}")
    try:
        if _HOME[name] in _TENSORFLOW_NAMES:
            import_tensorflow()
        return getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        # Keras imports the backend that KERAS_BACKEND or keras.json names.
        if error.name not in OTHER_BACKENDS:
            raise
        raise ModelError(wrong_backend(str(error.name))) from None


# None stands for a module whose import is forbidden.
_keras = sys.modules.get("keras")
if _keras is not None and _keras.config.backend() == TENSORFLOW:
    register_layers()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
