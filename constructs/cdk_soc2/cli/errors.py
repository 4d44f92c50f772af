"""The error that a command ends with when it could not do what it was asked."""


class CouldNot(Exception):
    """Names the thing, the value given and what to do. Exit status 2."""
