"""Plots as SVG that fits into a page: its fonts, its colours, ids of its own."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

from emoclf.display import printable
from emoclf.plots import plot_style
from emoclf.plots.plot_style import INK, matplotlib
from emoclf.report.blocks import Figure

#: Colours of plots, and what the style sheet calls them in light and dark.
_COLOURS = {
    plot_style.BLUE: "var(--blue)",
    plot_style.ORANGE: "var(--orange)",
    plot_style.GREEN: "var(--green)",
    plot_style.RED: "var(--red)",
    plot_style.SKY: "var(--sky)",
    plot_style.PURPLE: "var(--purple)",
    plot_style.GREY: "var(--muted)",
    plot_style.PALE: "var(--line)",
    INK: "currentColor",
    "#000000": "currentColor",
    "#ffffff": "var(--page)",
}
_VARIABLES = {colour.lower(): name for colour, name in _COLOURS.items()}
_STYLE = {
    "svg.fonttype": "none",
    # A label with two dollar signs is no formula.
    "text.parse_math": False,
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.handlelength": 2.2,
}


def svg_figure(
    draw: Callable[[Any], Any],
    *,
    name: str,
    title: str,
    alt: str,
    caption: str = "",
    size: tuple[float, float],
    paper: bool = False,
    wide: bool = False,
) -> Figure:
    """Draw a plot, and return it as a figure of a page.

    Parameters
    ----------
    draw : callable
        Function that draws into the matplotlib axes which it gets.
    name : str
        Name that is unique on the page; ids in the SVG begin with it.
    title, alt, caption : str
        Heading, description for those who do not see the plot, and remark below it.
    size : (float, float)
        Width and height in inches.
    paper : bool, default=False
        Keep a light background in dark pages, for plots with a scale of colours.
    wide : bool, default=False
        Use the whole width of the page.

    Raises
    ------
    MissingDependency
        If matplotlib is not installed.
    """
    stream = io.StringIO()
    settings = {**_STYLE, "svg.hashsalt": name}
    with matplotlib("pyplot").rc_context(settings), warnings.catch_warnings():
        # The browser draws the letters, and has fonts for more scripts.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")
        figure = matplotlib("figure").Figure(figsize=size)
        draw(figure.subplots())
        figure.savefig(stream, format="svg", bbox_inches="tight", transparent=True)
    return Figure(title, _inline(stream.getvalue(), name, alt), caption, paper, wide)


def _inline(svg: str, name: str, alt: str) -> str:
    """Return the SVG element alone, without ids that other figures have too."""
    # Labels may contain controls, which a page must not obey.
    svg = printable(svg[svg.index("<svg") :], lines=True)
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.S)
    # A style element would hold for the whole page.
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.S)
    head, body = svg.split(">", 1)
    view = re.search(r'viewBox="([^"]*)"', head)
    assert view is not None
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', body))
    names = {one or other for one, other in used}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in names else ""

    body = re.sub(r' id="([^"]*)"', renamed, body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r'style="[^"]*"', _themed, body)
    label = alt.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<svg viewBox="{view[1]}" role="img" aria-label="{label}">{body}'


def _themed(match: re.Match[str]) -> str:
    style = re.sub(r"font-family: [^;\"]*;?", "", match[0])
    return re.sub(
        r"#[0-9a-f]{6}", lambda colour: _VARIABLES.get(colour[0], colour[0]), style
    )
