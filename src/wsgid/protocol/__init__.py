"""Bytes in, values out: what travels on the wires, with no socket, clock or event loop near it.

A test checks that nothing here imports one.
"""
