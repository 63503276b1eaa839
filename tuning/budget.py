"""The budget of a search: trials, workers, time, and what stays on disk."""

from __future__ import annotations

from dataclasses import dataclass, field

from emoclf.errors import SearchError, setting
from emoclf.runtime import check_count

from .chief.chief import PATIENCE_SECONDS
from .limits import check_number, check_token
from .trials.trial_reporter import REPORT_SECONDS


@dataclass(frozen=True)
class Budget:
    """Budget of a search; it may change when the search is continued.

    Parameters
    ----------
    trials : int >= 1
        Number of trials in all, including those before a stop.
    workers : int >= 0, optional
        Number of processes on this machine; None runs trials in this process, and 0
        leaves them to workers on other machines.
    seconds : float > 0, optional
        Wall time of this call for trials. Trials that run at its end are stopped, and
        run again when the search is continued.
    keep : int >= 0
        Number of best trials whose classifiers stay on disk.
    address : str, optional
        ``host:port`` to listen on for workers on other machines.
    token : str
        Secret that workers on other machines must have; "": none. The workers of this
        machine get it by themselves.
    patience : float
        Seconds after which a silent worker's trial is given to another worker.
    wait : float
        Seconds after which a search without any worker ends.

    Raises
    ------
    SearchError
    """

    trials: int = 20
    workers: int | None = None
    seconds: float | None = None
    keep: int = 3
    address: str | None = None
    token: str = field(default="", repr=False)
    patience: float = PATIENCE_SECONDS
    wait: float = 3600.0

    def __post_init__(self) -> None:
        for name, low in (("trials", 1), ("workers", 0), ("keep", 0)):
            check_number(name, getattr(self, name), whole=True, low=low)
        check_count("workers", self.workers or 0)
        if self.token:
            check_token(self.token, "token")
        check_number("seconds", self.seconds, above=0)
        # Workers that report on time must not count as lost.
        check_number("patience", self.patience, low=3 * REPORT_SECONDS)
        check_number("wait", self.wait)
        if self.workers == 0 and self.address is None:
            raise SearchError(
                "A search needs a worker here, or an address for workers elsewhere. "
                f"Got {setting('workers', 0)} and no address."
            )
