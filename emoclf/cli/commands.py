"""The commands, in the order in which help lists them."""

from emoclf.cli import (
    aspects,
    audit,
    compare,
    crossval,
    demo,
    drift,
    evaluate,
    explain,
    export,
    predict,
    show,
    train,
    tune,
    vectors,
)

COMMANDS = (
    demo,
    audit,
    train,
    evaluate,
    predict,
    explain,
    drift,
    show,
    compare,
    crossval,
    export,
    vectors,
    tune,
    aspects,
)
