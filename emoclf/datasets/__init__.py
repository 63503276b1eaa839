"""From files, data frames and lists to labelled texts, audited and split.

``input_formats`` lists the file formats, ``readers`` reads labelled files, ``dataset``
contains the texts, ``split`` divides them and ``audit`` counts what may harm training.
"""
