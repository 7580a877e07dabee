"""``wsgid top``: what the daemons of a folder are doing, on a screen that is drawn again and again."""
