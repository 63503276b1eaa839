"""Render sections as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from emoclf._version import __version__
from emoclf.display import printable
from emoclf.optional import require
from emoclf.report.blocks import MAX_TEXT_CHARACTERS, Section

TEMPLATE, STYLE, SCRIPT = "page.html.jinja", "page.css", "page.js"


def render_page(
    title: str, sections: Sequence[Section], *, subtitle: str = ""
) -> bytes:
    """Return a page as UTF-8.

    Parameters
    ----------
    title : str
        Heading of the page.
    sections : sequence of Section
    subtitle : str
        Line below the heading.

    Raises
    ------
    MissingDependency
        If jinja2 is not installed.
    """
    jinja2 = require("jinja2", extra="report", needed_by="An HTML report")
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
    )
    script = _resource(SCRIPT)
    # No other script runs, wherever it came from.
    digest = hashlib.sha256(script.encode()).digest()
    template = environment.from_string(_resource(TEMPLATE))
    page = template.render(
        title=title,
        subtitle=subtitle,
        sections=sections,
        style=_resource(STYLE),
        script=script,
        script_hash=f"sha256-{base64.b64encode(digest).decode()}",
        version=__version__,
        max_characters=MAX_TEXT_CHARACTERS,
    )
    # A text may contain half of a surrogate pair, which no encoding has.
    return page.lstrip().encode("utf-8", "replace")


def _finalized(value: Any) -> Any:
    """Escape controls, which a browser drops or obeys, in everything but markup."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return printable(value, lines=True)
    return value


def _resource(name: str) -> str:
    return (files("emoclf.report") / name).read_text(encoding="utf-8")
