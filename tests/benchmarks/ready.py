"""Hold the ready classifiers against VADER, TextBlob and NRCLex on others' texts.

``EMOCLF_DATA=… python tests/benchmarks/ready.py [FOLDER]`` (needs
``pip install vaderSentiment textblob NRCLex``). FOLDER holds other versions of the
classifiers; default: those of the package. All metrics are macro-F1, with the 95 %
interval of 1,000 bootstrap samples. On sets of two labels neutral is no answer.
"""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from emoclf import load_exported, read_dataset
from emoclf.ready import model_path
from emoclf.text.tokenizer import Tokenizer

sys.path.insert(0, str(Path(__file__).parents[1]))
from make_ready_classifiers import as_sentiment, goemotions, movie_reviews

SENTIMENTS = ("negative", "neutral", "positive")
#: Emotions of ISEAR → labels of GoEmotions.
ISEAR = {
    "anger": ("anger", "annoyance"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "guilt": ("remorse",),
    "joy": ("joy", "excitement", "love", "pride", "gratitude", "relief"),
    "sadness": ("sadness", "grief", "disappointment"),
    "shame": ("embarrassment",),
}
#: Scores of negative, neutral and positive for each text, shape (n_texts, 3).
Scores = Callable[[Sequence[str]], np.ndarray]


def from_polarity(polarity: np.ndarray, bound: float) -> np.ndarray:
    """Return scores for numbers from -1 to 1; those below the bound are neutral."""
    neutral = np.where(np.abs(polarity) < bound, 2.0, -1.0)
    return np.stack([-polarity, neutral, polarity], 1)


def vader(texts: Sequence[str]) -> np.ndarray:
    """Score with VADER; its authors call a compound below 0.05 neutral."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    compound = [analyzer.polarity_scores(text)["compound"] for text in texts]
    return from_polarity(np.array(compound), 0.05)


def textblob(texts: Sequence[str]) -> np.ndarray:
    """Score with TextBlob's lexicon; a polarity of zero is neutral."""
    from textblob import TextBlob

    polarity = [TextBlob(text).sentiment.polarity for text in texts]
    return from_polarity(np.array(polarity), 1e-9)


def nrc(texts: Sequence[str]) -> list[dict[str, int]]:
    """Return the counts of NRC's words for each text."""
    from nrclex import NRCLex

    lexicon, tokenizer, counts = NRCLex(), Tokenizer(), []
    for text in texts:
        lexicon.load_token_list(tokenizer.tokens(text))
        counts.append(lexicon.raw_emotion_scores)
    return counts


def nrclex(texts: Sequence[str]) -> np.ndarray:
    """Score with NRCLex; as many positive as negative words are neutral."""
    counts = nrc(texts)
    difference = [c.get("positive", 0) - c.get("negative", 0) for c in counts]
    return from_polarity(np.array(difference, float), 0.5)


def restaurants(folder: Path) -> tuple[list[str], list[str]]:
    """Return sentences of SemEval-2014 whose terms all have one polarity."""
    texts, labels = [], []
    for path in sorted((folder / "semeval14").glob("*estaurants*.xml")):
        for sentence in ET.parse(path).getroot():
            terms = sentence.iter("aspectTerm")
            polarities = {term.get("polarity", "") for term in terms}
            if len(polarities) == 1 and polarities <= {*SENTIMENTS}:
                texts.append(sentence.findtext("text", ""))
                labels.append(polarities.pop())
    return texts, labels


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> str:
    """Return the macro-F1 and its interval as text."""
    rng, labels = np.random.default_rng(0), np.unique(truth)

    def metric(rows: np.ndarray) -> float:
        return float(
            f1_score(truth[rows], predicted[rows], labels=labels, average="macro")
        )

    rows = np.arange(len(truth))
    samples = [metric(rng.choice(rows, len(rows))) for _ in range(1000)]
    low, high = np.percentile(samples, [2.5, 97.5])
    return f"{metric(rows):.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    if "EMOCLF_DATA" not in os.environ:
        sys.exit("EMOCLF_DATA does not name the folder with the real data")
    folder = Path(os.environ["EMOCLF_DATA"])
    models = Path(sys.argv[1]) if len(sys.argv) > 1 else None

    def load(name: str) -> Any:
        return load_exported(models / name if models else model_path(name))

    dev = goemotions(folder, "dev")
    sentiment = as_sentiment(dev)
    reviews = movie_reviews(folder, "valid")
    sets = {
        "GoEmotions dev, grouped": (sentiment.texts, sentiment.labels),
        "MR, validation set": (reviews.texts, reviews.labels),
        "SemEval-2014 restaurants": restaurants(folder),
    }
    classifier = load("sentiment-en")
    assert classifier.label_names == SENTIMENTS
    tools: dict[str, Scores] = {
        "sentiment-en": lambda texts: classifier.predict_proba(texts),
        "VADER": vader,
        "TextBlob": textblob,
        "NRCLex": nrclex,
    }
    for name, (texts, labels) in sets.items():
        truth = np.array([SENTIMENTS.index(str(label)) for label in labels])
        for tool, scores in tools.items():
            values = scores(list(texts))
            if len(np.unique(truth)) == 2:
                values[:, 1] = -np.inf
            predicted = values.argmax(1)
            print(f"{name} ({len(texts)}): {tool} {macro_f1(truth, predicted)}")
    emotions = load("emotions-en")
    names = list(emotions.label_names)
    isear = read_dataset(folder / "isear" / "valid.csv")
    truth = isear.label_ids
    columns = [[names.index(x) for x in ISEAR[label]] for label in isear.label_names]
    probabilities = emotions.predict_proba(isear.texts)
    # Labels are rarer in GoEmotions than in ISEAR, and not equally so.
    odds = probabilities / emotions.thresholds
    predicted = np.stack([odds[:, c].max(1) for c in columns], 1).argmax(1)
    print(f"ISEAR, 7 emotions: emotions-en {macro_f1(truth, predicted)}")
    # NRC has no guilt and no shame.
    kept = np.flatnonzero([x not in ("guilt", "shame") for x in isear.label_names])
    rows = np.isin(truth, kept)
    texts = [text for text, row in zip(isear.texts, rows, strict=True) if row]
    counts = nrc(texts)
    of_names = [isear.label_names[k] for k in kept]
    values = np.array([[c.get(name, 0) for name in of_names] for c in counts])
    odds = np.stack([odds[:, columns[k]].max(1) for k in kept], 1)[rows]
    for tool, scores in (("emotions-en", odds), ("NRCLex", values)):
        predicted = kept[scores.argmax(1)]
        print(f"ISEAR, 5 emotions: {tool} {macro_f1(truth[rows], predicted)}")


if __name__ == "__main__":
    main()
