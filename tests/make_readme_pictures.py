"""Make the pictures of the README: mistakes in a report, in both schemes.

Run from the project's root, with the extra ``report`` and with Chromium:
``.venv/bin/python tests/make_readme_pictures.py``. It takes about a minute.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "shared"))

from chromium import Chromium  # noqa: E402

from emoclf import load_sample, train_classifier, write_report  # noqa: E402

FOLDER = ROOT / "notebooks" / "pictures"
WIDTH, HEIGHT = 860, 860
#: Largest picture, in bytes.
MAX_BYTES = 200_000


def main() -> None:
    """Train on the bundled corpus, write a report, and photograph its mistakes."""
    FOLDER.mkdir(exist_ok=True)
    trained = train_classifier(load_sample(), epochs=20, verbose=0)
    with tempfile.TemporaryDirectory() as folder, Chromium() as browser:
        page = write_report(trained, Path(folder) / "report.html")
        for scheme in ("light", "dark"):
            browser.open(page, width=WIDTH, height=HEIGHT, dark=scheme == "dark")
            browser.evaluate("mistakes.scrollIntoView({ behavior: 'instant' }), 0")
            path = FOLDER / f"report-{scheme}.png"
            browser.screenshot(path)
            size = path.stat().st_size
            if size > MAX_BYTES:
                raise SystemExit(
                    f"{path} has {size:,} bytes, and {MAX_BYTES:,} at most."
                )
            print(f"{path.relative_to(ROOT)}: {size:,} bytes")


if __name__ == "__main__":
    main()
