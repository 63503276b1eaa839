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

_HOME = {
    "AspectData": "emoclf.aspects.data.sentences",
    "AspectModel": "emoclf.aspects.aspect_model",
    "AspectSettings": "emoclf.aspects.terms.aspect_settings",
    "AspectTagger": "emoclf.aspects.tagger",
    "Audit": "emoclf.audit.dataset_audit",
    "AuditReport": "emoclf.datasets.audit_report",
    "Bundle": "emoclf.bundle.bundle",
    "BundleError": "emoclf.errors",
    "CorpusExplanation": "emoclf.explain.corpus_explanation",
    "CoverageReport": "emoclf.embeddings.coverage",
    "CrossValidation": "emoclf.workflow.cross_validation",
    "DataError": "emoclf.errors",
    "DataSettings": "emoclf.settings.sections",
    "Dataset": "emoclf.datasets.dataset",
    "DoctorCallback": "emoclf.training.doctor_callback",
    "DistillationSettings": "emoclf.distillation.distillation_settings",
    "Drift": "emoclf.audit.drift",
    "EmbeddingSettings": "emoclf.settings.sections",
    "EmoclfError": "emoclf.errors",
    "EmotionClassifier": "emoclf.estimator",
    "EvaluationReport": "emoclf.evaluation.evaluation_report",
    "Explanation": "emoclf.explain.explanation",
    "ExportError": "emoclf.errors",
    "FineTuneSettings": "emoclf.contextual.fine_tune_settings",
    "Finding": "emoclf.doctor.findings",
    "MissingDependency": "emoclf.errors",
    "ModelError": "emoclf.errors",
    "NetworkComparison": "emoclf.evaluation.network_comparison",
    "PolarityClassifier": "emoclf.aspects.polarities.polarity_classifier",
    "Predictor": "emoclf.predictor",
    "ResumeError": "emoclf.errors",
    "RunSettings": "emoclf.settings",
    "SearchError": "emoclf.errors",
    "SearchResult": "emoclf.tuning.finish",
    "SettingsError": "emoclf.errors",
    "Split": "emoclf.datasets.split",
    "TextSettings": "emoclf.settings.sections",
    "TrainSettings": "emoclf.settings.sections",
    "TrainedClassifier": "emoclf.workflow.trained_classifier",
    "TrainingError": "emoclf.errors",
    "TrainingResult": "emoclf.training.fit",
    "TransformerClassifier": "emoclf.contextual.transformer_classifier",
    "VectorDistillationSettings": "emoclf.contextual.vector_distillation_settings",
    "VectorsError": "emoclf.errors",
    "Word2VecSettings": "emoclf.embeddings.word2vec_settings",
    "WordVectors": "emoclf.embeddings.word_vectors",
    "WorkerError": "emoclf.errors",
    "audit_dataset": "emoclf.audit.dataset_audit",
    "build_model": "emoclf.models.build",
    "check_drift": "emoclf.audit.drift",
    "check_model": "emoclf.doctor.model_checks",
    "compare_networks": "emoclf.workflow.compare",
    "cross_validate": "emoclf.workflow.cross_validation",
    "distil_classifier": "emoclf.distillation.distil",
    "distil_vectors": "emoclf.contextual.vector_distillation",
    "embedding_matrix": "emoclf.embeddings.matrix",
    "evaluate_classifier": "emoclf.evaluation.evaluate",
    "explain_corpus": "emoclf.explain.corpus_explainer",
    "explain_text": "emoclf.explain.text_explainer",
    "export_aspects": "emoclf.aspects.exports.aspect_export",
    "export_classifier": "emoclf.export",
    "export_saved_model": "emoclf.export.saved_model",
    "fine_tune_encoder": "emoclf.contextual.fine_tune",
    "judge": "emoclf.evaluation.evaluate",
    "learning_curve": "emoclf.workflow.learning_curve",
    "load_aspect_sample": "emoclf.aspects.data.sample",
    "load_bundle": "emoclf.bundle.bundle_folder",
    "load_exported": "emoclf.serving",
    "load_exported_aspects": "emoclf.aspects.exports.exported_aspects",
    "load_ready": "emoclf.ready",
    "load_sample": "emoclf.datasets.sample",
    "predict_file": "emoclf.bulk.file_prediction",
    "read_aspects": "emoclf.aspects.data.aspect_formats",
    "read_dataset": "emoclf.datasets.readers",
    "read_vectors": "emoclf.embeddings.word_vectors",
    "save_bundle": "emoclf.bundle.bundle_folder",
    "search_settings": "emoclf.tuning.search",
    "split_dataset": "emoclf.datasets.split",
    "train_classifier": "emoclf.workflow.train",
    "train_word2vec": "emoclf.embeddings.word2vec",
    "write_aspects": "emoclf.aspects.data.aspect_formats",
    "write_report": "emoclf.report.html_report",
}

#: Public names that load TensorFlow.
_NEED_TENSORFLOW = {
    *("DoctorCallback", "EmotionClassifier", "Predictor", "TrainedClassifier"),
    *("build_model", "check_model", "compare_networks", "evaluate_classifier"),
    *("AspectModel", "AspectTagger", "PolarityClassifier", "export_aspects"),
    *("Drift", "check_drift", "distil_classifier"),
    *("CrossValidation", "cross_validate", "learning_curve"),
    *("export_saved_model", "judge", "search_settings", "train_classifier"),
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
        if name in _NEED_TENSORFLOW:
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
