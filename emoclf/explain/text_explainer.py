"""Explain the prediction of one text, by the best method that a classifier allows."""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakKeyDictionary

from emoclf.bulk.predict_chunks import load_classifier, needs_tensorflow
from emoclf.classifier import Classifier
from emoclf.errors import DataError, wrong_kind
from emoclf.explain.explainer import AUTO, Explainer
from emoclf.explain.explanation import Explanation, check_label
from emoclf.ready import model_path
from emoclf.runtime import import_tensorflow

#: Explainers of the classifiers in use.
_explainers: WeakKeyDictionary[Classifier, Explainer] = WeakKeyDictionary()


def explain_text(
    classifier: Any, text: str, *, label: str | None = None, method: str = AUTO
) -> Explanation:
    """Explain what each word of a text adds to the logits of the classes.

    Parameters
    ----------
    classifier : Classifier, EmotionClassifier, SearchResult, Bundle, path or name
        Trained or exported classifier, the path of one, or the name of a ready one.
    text : str
    label : str, optional
        Label to show. Default: the predicted ones.
    method : {"auto", "exact", "integrated-gradients", "occlusion"}, default="auto"
        "exact" is for networks that are sums over n-grams: a ``text_cnn`` with max or
        average pooling and without a hidden layer, ``mean_embedding`` and
        ``ngram_linear``, as bundles and as folded exports. "integrated-gradients"
        (Sundararajan et al., 2017) needs a bundle; "occlusion" predicts the text
        without each of its words, with any classifier. "auto" is the first of these
        that the classifier allows.

    Returns
    -------
    explanation : Explanation

    Raises
    ------
    DataError
        If the text is not a str, or there is no such label.
    SettingsError
        If there is no such method, or it does not suit the classifier.
    BundleError
        If the classifier cannot be loaded, or is none.

    Examples
    --------
    >>> explanation = explain_text("sentiment-en", "What a lovely day!")
    >>> explanation.labels, explanation.method
    (('positive',), 'exact')
    """
    if not isinstance(text, str):
        cure = "explain the texts of a list one by one"
        raise DataError(wrong_kind("text", "a str", text, cure))
    classifier = as_classifier(classifier)
    if label is not None:
        check_label(label, classifier.label_names)
    return explainer_of(classifier).explain(classifier, text, label, method)


def as_classifier(model: Any) -> Classifier:
    """Return the classifier of what a caller gave; see :func:`explain_text`.

    Raises
    ------
    BundleError
        If it cannot be loaded, or is no classifier.
    """
    if isinstance(model, str | os.PathLike):
        path = model_path(os.fspath(model))
        if needs_tensorflow(path):
            import_tensorflow()
        return load_classifier(path)
    # A TrainedClassifier has a Predictor.
    model = getattr(model, "predictor", model)
    if isinstance(model, Classifier):
        return model
    from emoclf.predictor import as_predictor  # An export needs no TensorFlow.

    return as_predictor(model)


def explainer_of(classifier: Classifier) -> Explainer:
    """Return the explainer of a classifier, which is made once."""
    explainer = _explainers.get(classifier)
    if explainer is None:
        explainer = _explainers[classifier] = Explainer(classifier)
    return explainer
