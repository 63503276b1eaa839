"""Pure checks of data, networks and training runs; each returns findings or nothing.

:data:`emoclf.doctor.catalogue.FINDINGS` lists all findings.
"""

from emoclf.doctor.catalogue import findings_table

__doc__ = f"{__doc__}\n{findings_table()}\n"
