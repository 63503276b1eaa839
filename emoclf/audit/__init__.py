"""Audit of labelled texts, and drift of new ones.

:func:`emoclf.audit_dataset` returns findings of the kinds in
:data:`emoclf.doctor.catalogue.FINDINGS`, from ``leaks`` on. These are errors, which a
pipeline should stop at:

- ``leaks``, in more than 0.1 % of the texts of a later set; else a warning;
- ``conflicting-labels``, in more than 1 % of all texts; else a warning;
- ``unusable-rows``: empty texts, missing labels and the like;
- ``one-class``, ``single-labels``, and ``classes-differ`` where the training set lacks
  a label;
- ``similar-labels`` that differ in nothing but case, space and punctuation.
"""
