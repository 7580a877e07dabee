"""The process that starts, watches and ends the others. It loads no ZeroMQ, no event loop and no application."""
