"""The one error of the local stack."""


class StackError(RuntimeError):
    """The local stack cannot do what was asked; the text says why and is meant for a person."""
