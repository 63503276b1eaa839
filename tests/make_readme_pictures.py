"""Make the pictures of the README, in both schemes: reports, and an explained sentence.

Run from the project's root, with the extra ``report`` and with Chromium:
``.venv/bin/python tests/make_readme_pictures.py``. It takes some minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "shared"))

from chromium import Chromium  # noqa: E402

from emoclf import (  # noqa: E402
    AspectModel,
    explain_text,
    load_aspect_sample,
    load_sample,
    train_classifier,
    write_report,
)
from emoclf.aspects.aspect_evaluation import AspectEvaluation  # noqa: E402
from emoclf.aspects.data.aspect_split import divide  # noqa: E402
from emoclf.explain.explanation_html import html_page  # noqa: E402

FOLDER = ROOT / "notebooks" / "pictures"
WIDTH, HEIGHT = 860, 860
SENTENCE, SENTENCE_HEIGHT = "I can't believe she left", 430
ASPECTS_HEIGHT = 700
#: Settings of a polarity classifier for a hundred terms.
FEW_TERMS = {
    "batch_size": 4,
    "learning_rate": 3e-3,
    "ema": 0.9,
    "dropout": 0.3,
    "input_dropout": 0.3,
    "epochs": 16,
    "patience": 16,
    "valid_fraction": 0.2,
}
#: Largest picture, in bytes.
MAX_BYTES = 200_000


def main() -> None:
    """Write reports and an explanation, and photograph them."""
    FOLDER.mkdir(exist_ok=True)
    trained = train_classifier(load_sample(), epochs=20, verbose=0)
    with tempfile.TemporaryDirectory() as folder, Chromium() as browser:
        report = write_report(trained, Path(folder) / "report.html")
        aspects = write_report(evaluated_aspects(), Path(folder) / "aspects.html")
        explained = Path(folder) / "explained.html"
        explained.write_text(html_page([explain_text("emotions-en", SENTENCE)]))
        for scheme in ("light", "dark"):
            dark = scheme == "dark"
            browser.open(report, width=WIDTH, height=HEIGHT, dark=dark)
            browser.evaluate("mistakes.scrollIntoView({ behavior: 'instant' }), 0")
            keep(browser, f"report-{scheme}.png")
            browser.open(aspects, width=WIDTH, height=ASPECTS_HEIGHT, dark=dark)
            browser.evaluate("texts.scrollIntoView({ behavior: 'instant' }), 0")
            keep(browser, f"aspects-{scheme}.png")
            browser.open(explained, width=WIDTH, height=SENTENCE_HEIGHT, dark=dark)
            keep(browser, f"explained-{scheme}.png")


def evaluated_aspects() -> AspectEvaluation:
    """Return an evaluation of aspect terms on the bundled reviews."""
    reviews = load_aspect_sample()
    train, test = map(reviews.take, divide(reviews, (0.7, 0.3)))
    model = AspectModel.train(train, polarity=FEW_TERMS)
    return model.evaluate(test, train=train)


def keep(browser: Chromium, name: str) -> None:
    """Write what the browser shows into the folder of pictures."""
    path = FOLDER / name
    browser.screenshot(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{path} has {size:,} bytes, and {MAX_BYTES:,} at most.")
    print(f"{path.relative_to(ROOT)}: {size:,} bytes")


if __name__ == "__main__":
    main()
