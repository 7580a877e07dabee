"""Fuzzing: inputs that are changed at random, and kept where they reach code that none before has reached.

`targets` says what may come of any bytes, `one` runs a target under atheris, `campaign` all of them for a while, for
scripts/fuzz. What is worth keeping lies in ``corpus``.
"""
