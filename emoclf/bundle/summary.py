"""Summaries of bundles, exports and searches, read without their networks."""

from __future__ import annotations

import json
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emoclf.bundle.described_folder import (
    BUNDLE,
    CONFIG,
    FINE_TUNED,
    PART_FILES,
    SEARCH_BEST,
    SEARCH_PLAN,
    kind_of,
    readable_place,
)
from emoclf.bundle.json_values import read_json
from emoclf.errors import BundleError, EmoclfError
from emoclf.files import size_of
from emoclf.fingerprint import RUN_FILE
from emoclf.serving.export_folder import read_export

#: Key of the hashes of the training texts in the metrics of a bundle.
TEXT_HASHES = "train_text_hashes"


def without_hashes(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of a bundle as they are printed."""
    return {name: value for name, value in metrics.items() if name != TEXT_HASHES}


def read_summary(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return labels, settings, metrics, versions and size, as plain values for JSON.

    Parameters
    ----------
    path : path
        Folder of a bundle, of an export of any format, of a fine-tuned encoder, or of a
        search.

    Returns
    -------
    summary : dict
        With the keys ``path``, ``kind`` ("bundle", "export", "transformer" or
        "search"), ``architecture``, ``labels``, ``multilabel``, ``trained``,
        ``versions``, ``bytes``, ``settings`` and ``metrics``; an export also has its
        ``format`` and its ``parity`` with the bundle, a search its ``plan``, its
        ``trials`` by status and the path of its ``best`` classifier.

    Raises
    ------
    BundleError
        If the folder is missing, damaged, or none of these.
    """
    kind = kind_of(path)
    if not kind:
        state = "is something else" if os.path.exists(path) else "does not exist"
        raise BundleError(
            f"{path} {state}. Name a folder that 'emoclf train', 'emoclf export' or "
            "'emoclf tune' has written."
        )
    try:
        folder, values = _READERS[kind](Path(path))
        summary = {
            "path": str(folder),
            "kind": kind,
            **values,
            "bytes": size_of(folder),
        }
        # A description may contain anything: a value of a wrong type fails here.
        "\n".join(summary_lines(summary))
        return summary
    except EmoclfError:
        raise
    except Exception as error:
        raise BundleError(
            f"The description of {path} is damaged ({type(error).__name__}: {error}). "
            "Restore it from a copy, or make it again."
        ) from error


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the result of :func:`read_summary` as text."""
    kind, metrics = summary["kind"], summary["metrics"]
    label_remark = " (a text may have several)" if summary["multilabel"] else ""
    versions = (f"{name} {text}" for name, text in summary["versions"].items())
    format = f" ({summary['format']})" if kind == "export" else ""
    size = summary["bytes"] / 1e3
    rows = {
        kind: summary["path"] + format,
        "size": f"{size:.0f} kB" if size < 1e3 else f"{size / 1e3:.1f} MB",
        "network": summary["architecture"],
        "labels": ", ".join(summary["labels"]) + label_remark,
        "trained": summary["trained"],
        "versions": ", ".join(versions),
    }
    if kind == "search":
        trials = (f"{count} {status}" for status, count in summary["trials"].items())
        rows["trials"] = ", ".join(trials) or "none has ended"
        rows["best"] = summary["best"] or "not trained yet"
    lines = [f"{name + ':':<10}{text}" for name, text in rows.items() if text]
    if parity := summary.get("parity"):
        lines += ["", *parity_lines(parity)]
    if table := metrics.get("table"):
        lines += ["", *table, "", *metrics.get("verdict", ())]
    # As in a settings file; tomli_w is not there where only NumPy is.
    lines += [""] if summary["settings"] else []
    for name, value in summary["settings"].items():
        section = value if isinstance(value, dict) else {}
        lines += ["", f"[{name}]"] if section else []
        for key, item in (section or {name: value}).items():
            lines.append(f"{key} = {json.dumps(item, ensure_ascii=False)}")
    return lines


def parity_lines(parity: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the comparison of an export with its bundle, a sentence per precision."""
    return [
        f"Without {precision}: {check['refused']}"
        if "refused" in check
        else f"Checked against the bundle on {check['n_texts']:,} texts, {precision}: "
        f"{check['equal_labels']:.2%} of the labels are equal, probabilities differ by "
        f"at most {check['largest_difference']:.2g}."
        for precision, check in parity.items()
    ]


def _bundle(path: Path) -> tuple[Path, dict[str, Any]]:
    folder = readable_place(BUNDLE.place(path))
    about = BUNDLE.read_about(folder)
    BUNDLE.check_sums(folder)
    return folder, {
        **_described(about),
        "trained": str(about["created"]),
        "settings": tomllib.loads((folder / PART_FILES["settings"]).read_text("utf-8")),
        "metrics": without_hashes(read_json(folder / PART_FILES["metrics"])),
    }


def _export(path: Path) -> tuple[Path, dict[str, Any]]:
    export = read_export(path)
    about = export.about
    return export.place, {
        "format": export.format,
        **_described(about),
        "trained": str(about["trained"]),
        # Exports of emoclf 0.2.0 and before contain neither.
        "settings": dict(about.get("settings", {})),
        "metrics": dict(about.get("metrics", {})),
        "parity": {k: v for k, v in about["parity"].items() if k != "bytes"},
    }


def _search(path: Path) -> tuple[Path, dict[str, Any]]:
    plan = read_json(path / SEARCH_PLAN)["plan"]
    files = path.glob("trials/[0-9]*.json")
    trials = Counter(read_json(file)["status"] for file in files)
    best = path / SEARCH_BEST
    # The texts of the search are in the same file as its labels.
    described = _bundle(best)[1] if best.is_dir() else read_json(path / "data.json")
    return path, {
        "architecture": str(plan["settings"]["architecture"]),
        "labels": described.get("labels") or list(map(str, described["label_names"])),
        "multilabel": bool(described.get("multilabel", described.get("several"))),
        "trained": described.get("trained", ""),
        "versions": dict(read_json(path / RUN_FILE)["versions"]),
        "trials": dict(trials),
        "best": str(best) if best.is_dir() else None,
        "settings": described.get("settings") or plan["settings"],
        "metrics": described.get("metrics", {}),
        "plan": plan,
    }


def _transformer(path: Path) -> tuple[Path, dict[str, Any]]:
    folder = readable_place(path)
    config = read_json(folder / CONFIG)
    about: dict[str, Any] = {}
    if (folder / FINE_TUNED.about).is_file():
        about = FINE_TUNED.read_about(folder)
        FINE_TUNED.check_sums(folder)
    names = config["id2label"]
    return folder, {
        "architecture": ", ".join(config["architectures"]),
        "labels": [str(names[key]) for key in sorted(names, key=int)],
        "multilabel": config.get("problem_type") == "multi_label_classification",
        "thresholds": about.get("thresholds"),
        "trained": str(about.get("created", "")),
        "versions": dict(about.get("versions", {})),
        "settings": dict(about.get("settings", {})),
        "metrics": without_hashes(about.get("metrics", {})),
    }


_READERS: dict[str, Callable[[Path], tuple[Path, dict[str, Any]]]] = {
    "bundle": _bundle,
    "export": _export,
    "search": _search,
    "transformer": _transformer,
}


def _described(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what bundles and exports describe in the same words."""
    return {
        "architecture": str(about["architecture"]),
        "labels": list(map(str, about["label_names"])),
        "multilabel": bool(about["several"]),
        "thresholds": about["thresholds"],
        "versions": dict(about["versions"]),
    }
