"""``wsgid mongrel2``: makes, runs, examines and shows the Mongrel2 in front of an app folder."""
