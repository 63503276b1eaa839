"""Which form can hold which architecture: what ``tests/export/test_forms.py`` found."""

from __future__ import annotations

from emoclf.exported import FORMS as READERS

FORMS = tuple(READERS)
_NETWORKS = FORMS[:4]

#: The forms of each architecture, with its default settings.
FORMS_OF = {
    "text_cnn": FORMS,
    "bilstm": _NETWORKS,
    "stacked_lstm": _NETWORKS,
    "simple_rnn": _NETWORKS,
    "cnn_lstm": _NETWORKS,
    "res_cnn": _NETWORKS,
    "mean_embedding": (*_NETWORKS, "folded"),
}


def forms_table() -> str:
    """Return the table as Markdown: a row for each architecture.

    Examples
    --------
    >>> print(forms_table().splitlines()[0])
    | architecture | saved-model | onnx | litert | litert-int8 | folded | folded-int8 |
    """
    head = f"| architecture | {' | '.join(FORMS)} |"
    rows = [
        f"| {name} | {' | '.join('yes' if form in has else '–' for form in FORMS)} |"
        for name, has in FORMS_OF.items()
    ]
    return "\n".join([head, "|---" * (len(FORMS) + 1) + "|", *rows])
