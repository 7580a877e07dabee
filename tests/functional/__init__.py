"""The real command, the real Mongrel2, real clients."""
