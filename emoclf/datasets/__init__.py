"""From files, tables and lists to labelled texts, checked and split.

``dataset`` holds the texts, ``tables`` reads files, ``split`` parts them and
``audit`` says what is in them.
"""
