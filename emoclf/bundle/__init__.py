"""A trained classifier on disk: a described folder, checksummed, without pickle."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # In 0.1 this package was a module; estimators pickled then refer to it.
    if name not in ("Bundle", "BundleParts"):
        raise AttributeError(f"module 'emoclf.bundle' has no attribute {name!r}")
    from emoclf._moved import warn_renamed
    from emoclf.bundle import bundle

    warn_renamed(f"emoclf.bundle.{name}", f"emoclf.bundle.bundle.{name}")
    return getattr(bundle, name)
