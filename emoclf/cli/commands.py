"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    aspects,
    audit,
    compare,
    crossval,
    demo,
    distil,
    drift,
    evaluate,
    explain,
    export,
    predict,
    show,
    teach,
    train,
    tune,
    vectors,
)

COMMANDS = (
    demo,
    audit,
    train,
    distil,
    evaluate,
    predict,
    explain,
    drift,
    show,
    compare,
    crossval,
    export,
    vectors,
    teach,
    tune,
    aspects,
)
