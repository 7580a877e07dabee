"""Random behaviours of applications through the real answer path, judged by h11 and by what PEP 3333 says.

`strategies` makes them up, tests/apps/behaviours plays them, `pep3333` says what must come of each, `judge` reads what
came. They are played in this process (`in_process`) and on a real daemon (`on_daemon`), over both edges.
"""
