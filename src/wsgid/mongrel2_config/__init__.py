"""A configuration of Mongrel2 as values: its SQLite file, its text for m2sh, and the one that a site needs."""
