"""The table of formats to which aspect models are exported.

It loads nothing: writers and readers are named here, and imported when used.
"""

from __future__ import annotations

from emoclf.export.formats import ExportFormat

#: Here a writer is a function (model, folder) → entries of ``emoclf.json``, and a
#: reader is an :class:`emoclf.aspects.exports.exported_aspects.ExportedAspects`.
ASPECT_EXPORTS = {
    "saved-model": ExportFormat(
        "emoclf.aspects.exports.aspect_signatures:write_saved_model",
        "emoclf.aspects.exports.exported_aspects:SavedModelAspects",
        "TensorFlow or TF Serving, without emoclf: raw strings in, terms out",
        needs_tensorflow=True,
    ),
    "onnx": ExportFormat(
        "emoclf.aspects.exports.aspect_onnx:write_onnx",
        "emoclf.aspects.exports.exported_aspects:OnnxAspects",
        "onnxruntime",
        extra="onnx",
    ),
}
