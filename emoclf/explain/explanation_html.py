"""An explanation as HTML, for notebooks and pages: no script, no other file.

Words for a label are blue, words against it orange, which colour-blind readers tell
apart (Okabe and Ito, 2008); each word's number is shown when the pointer is over it.
The colours are transparent, so that they suit light and dark pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from emoclf.display import printable
from emoclf.explain.explanation import Explanation
from emoclf.explain.explanation_lines import sums_of, word_rows
from emoclf.explain.shading import shaded_parts
from emoclf.explain.text_tokens import Token

#: Red, green and blue of words for and against a label.
FOR, AGAINST = "0,114,178", "230,140,0"
#: Opacity of the strongest colour; text stays readable on it.
MAX_OPACITY = 0.55
_PAGE = """\
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Explanation</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }}
</style></head>
<body>
{content}
</body></html>
"""


def explanation_html(explanation: Explanation) -> str:
    """Return an explanation as a part of a page."""
    parts = [_label_html(explanation, label) for label in explanation.labels]
    notes = " ".join((explanation.description, *explanation.notes))
    return (
        f'<div class="emoclf-explanation">{"".join(parts)}'
        f'<p style="font-size:85%;opacity:0.8">{_safe(notes)}</p></div>'
    )


def html_page(explanations: Iterable[Explanation]) -> str:
    """Return a page with explanations, one below the other."""
    return _PAGE.format(content="<hr>\n".join(map(explanation_html, explanations)))


def _label_html(explanation: Explanation, label: str) -> str:
    column = explanation.index(label)
    words = []
    for part, number, share in shaded_parts(explanation, column):
        if number is None:
            words.append(_safe(part))
        else:
            title = f"{label} {explanation.contributions[number, column]:+.3f}"
            words.append(_word_html(explanation.tokens[number], part, title, share))
    rows = "".join(map(_row_html, word_rows(explanation, column)))
    return (
        f"<p><b>{_safe(label)}</b> {_safe(sums_of(explanation, column))}</p>"
        f'<p style="line-height:1.9;white-space:pre-wrap">{"".join(words)}</p>'
        f'<table aria-label="{_safe(f"Contributions of the words to {label}")}">'
        f"{rows}</table>"
    )


def _row_html(cells: list[str]) -> str:
    """Return a row of the table of words: word and number, for and against."""
    content = "".join(
        f'<td style="text-align:{side};padding-right:1em">{_safe(cell.strip())}</td>'
        for cell, side in zip(cells, ("left", "right") * 2, strict=True)
    )
    return f"<tr>{content}</tr>"


def _word_html(token: Token, part: str, title: str, share: float) -> str:
    style = ""
    if share:
        colour = FOR if share > 0 else AGAINST
        style = f"background:rgba({colour},{MAX_OPACITY * abs(share):.2f});"
        style += "border-radius:3px;padding:1px 2px;"
    if token.left_out:
        title, style = f"not read: {token.left_out}", "opacity:0.5;"
    elif not token.is_known:
        title += ", unknown word"
        style += "text-decoration:underline dotted;"
    return f'<span title="{_safe(title)}" style="{style}">{_safe(part)}</span>'


def _safe(text: str) -> str:
    """Return a text for HTML, with escapes for its characters and for controls."""
    return escape(printable(text, lines=True))
