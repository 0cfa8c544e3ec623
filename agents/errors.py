"""The error that ends a command with a message instead of a traceback."""


class UsageError(Exception):
    """Something that the user can mend: an unknown model or environment, an unwritable folder, …"""
