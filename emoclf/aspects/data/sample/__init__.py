"""Reviews of laptops and restaurants, written for this project, with marked terms."""

from __future__ import annotations

from pathlib import Path

from emoclf.aspects.data.aspect_formats import read_aspects
from emoclf.aspects.data.sentences import AspectData


def aspect_sample_path() -> Path:
    """Return the path of the bundled JSON Lines."""
    return Path(__file__).with_name("reviews.jsonl")


def load_aspect_sample() -> AspectData:
    """Return the bundled sentences; the ids begin with "laptop" or "restaurant"."""
    return read_aspects(aspect_sample_path())
