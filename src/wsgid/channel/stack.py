"""How much is told of a stack, and what is left out of one that is longer."""

from typing import Final

MAX_STACK: Final = 64 * 1024
"""Characters, and bytes of UTF-8: some five hundred calls with their lines, and half of what a packet holds
(`orders.MAX_ORDER`)."""

LEFT_OUT: Final = "  ({} characters are left out here)\n"


def shortened(text: str) -> str:
    """Cut in the middle, at the ends of lines where they are not longer than that: where the thread is now, and how it
    came there, are at the ends. What is no Unicode, as names of files can be, is escaped."""
    text = text.encode(errors="backslashreplace").decode()
    if len(text.encode()) <= MAX_STACK:
        return text
    text = text.encode("ascii", "backslashreplace").decode()
    half = (MAX_STACK - len(LEFT_OUT.format(len(text)))) // 2
    head, tail = text[:half], text[-half:]
    head = head[: head.rfind("\n") + 1 or half]
    tail = tail[tail.find("\n") + 1 :] or tail
    return head + LEFT_OUT.format(len(text) - len(head) - len(tail)) + tail
