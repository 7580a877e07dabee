"""Requests that arrive when they are planned to, whatever becomes of those before them, and what became of each.

A client that sends its next request only when it has its answer asks less of a server that hangs, and so leaves out of
its figures what a hanging server is judged by ("coordinated omission"). Here the arrivals are fixed beforehand, and the
time of an answer counts from the planned arrival. hey and wrk wait for their answers; vegeta and wrk2 do not, but know
one rate for all requests, and do not tell one class of requests from another.
"""
