"""Colours, marks, axes and legends that all plots share.

The colours are those of Okabe and Ito (2008, "Color Universal Design"), which people
with any kind of colour vision can distinguish; lines and marks also differ in shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emoclf.errors import DataError
from emoclf.files import check_new_file, exists_already, new_file
from emoclf.optional import require

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE = "#56B4E9", "#CC79A7"
#: Colours of text and axes, of what is less important, and of grids.
INK, GREY, PALE = "#262626", "#767676", "#C8C8C8"
#: Colours and lines of several series in one plot.
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
LINES = ("-", "--", "-.", ":")
MARKERS = "os^DvP*Xh<>"
#: Line of a value to compare with.
DOTTED = {"color": GREY, "linewidth": 1, "linestyle": ":"}
#: Height of a row of a horizontal plot, in inches.
ROW_INCHES = 0.32


def matplotlib(module: str) -> Any:
    """Return a module of matplotlib.

    Raises
    ------
    MissingDependency
    """
    return require(f"matplotlib.{module}", extra="plots", needed_by="a plot")


def new_axes(width: float = 6.0, height: float = 4.0) -> Any:
    """Return the axes of a new figure; the size is in inches."""
    return matplotlib("pyplot").subplots(figsize=(width, height))[1]


def name_beside(ax: Any, height: Any, name: str, colour: str) -> None:
    """Write a small text beside the axes, at a height of their data."""
    ax.annotate(
        name,
        (1.0, height),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize="small",
        color=colour,
    )


def line_style(number: int) -> dict[str, Any]:
    """Return colour and line of a series; the first 12 differ in both or in one."""
    turn, index = divmod(number, len(COLOURS))
    # The line changes with the colour too, for prints without colours.
    line = LINES[(index + turn) % len(LINES)]
    return {"color": COLOURS[index], "linestyle": line, "linewidth": 1.6}


def legend_above(ax: Any, columns: int = 4) -> None:
    """Draw the legend above the axes, where it covers no marks."""
    position = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0)}
    _plain(ax.legend(**position, ncols=columns, frameon=False))


def legend_inside(ax: Any, loc: str, title: str) -> None:
    """Draw the legend in a corner of the axes, on a veil that covers lines below it."""
    legend = ax.legend(loc=loc, fontsize="small", title=title, edgecolor="none")
    _plain(legend)
    legend.get_frame().set(facecolor="white", alpha=0.85)
    legend.set_alignment("left")


def _plain(legend: Any) -> None:
    """Show dollar signs of labels as they are: two of them are no formula."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def legend_name(label: str) -> str:
    """Return a label for a legend, which leaves out names that begin with "_"."""
    return f" {label}" if label.startswith("_") else label


def plain_frame(ax: Any) -> None:
    """Remove the upper and the right line of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


def row_axes(n_rows: int) -> Any:
    """Return the axes of a new figure for a horizontal plot of so many rows."""
    return new_axes(5.6, max(2.0, 0.9 + ROW_INCHES * n_rows))


def unit_square(ax: Any) -> None:
    """Show 0 to 1 in both directions, with room for lines at the ends."""
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    plain_frame(ax)


def save_plot(ax: Any, path: Any, *, overwrite: bool = True) -> None:
    """Write the figure of an ``ax`` to a file, whole or not at all, and close it.

    Parameters
    ----------
    ax : matplotlib Axes
    path : path or binary file object
        File whose ending sets the format, such as .svg, .png or .pdf; without an
        ending .png is added. A file object gets PNG.
    overwrite : bool, default=True
        Replace an existing file.

    Raises
    ------
    DataError
        If the file cannot be written, or exists and may not be replaced.
    """
    options = {"dpi": 150, "bbox_inches": "tight"}
    try:
        if hasattr(path, "write"):
            ax.figure.savefig(path, **options)
            return
        path = Path(path)
        if not path.suffix:
            path = path.with_name(f"{path.name}.png")
        check_plot_file(path, overwrite=overwrite)
        form = path.suffix[1:].lower()
        with new_file(path, overwrite=overwrite) as stream:
            ax.figure.savefig(stream, format=form, **options)
    except FileExistsError:
        raise DataError(exists_already(path)) from None
    finally:
        matplotlib("pyplot").close(ax.figure)


def check_plot_file(path: Any, *, overwrite: bool = True) -> None:
    """Raise an error before long work if a plot could not be written after it.

    Raises
    ------
    MissingDependency, DataError
    """
    path = Path(path)
    forms = matplotlib("backend_bases").FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in forms:
        raise DataError(
            f"{path} must end in .svg, .png, .pdf or another format of matplotlib. Got "
            f"{path.suffix or 'no ending'!r}."
        )
    check_new_file(path, overwrite=overwrite)
