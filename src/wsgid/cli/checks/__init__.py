"""What `wsgid check` looks at.

Nothing here changes anything: what a start would do is tried where that leaves no trace, and otherwise asked about.
"""
