"""The servers that are compared: each function makes one contender, of so many workers and threads."""
