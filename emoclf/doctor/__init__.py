"""Pure checks of data, networks and training runs; each returns findings or nothing."""
