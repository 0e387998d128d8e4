"""Every error and warning that gmmseg raises on purpose, under one root."""


class GmmsegError(Exception):
    """Root of all errors that gmmseg raises on purpose."""


class InputError(GmmsegError, ValueError):
    """Report an argument or a file whose content cannot be used."""


class NotFittedError(GmmsegError, ValueError, AttributeError):
    """Report the use of an estimator before it has learned anything."""


class ModelFileError(GmmsegError):
    """Report a model file that is damaged, foreign, hostile or from a newer version."""


class MissingExtraError(GmmsegError, ImportError):
    """Report an optional library that is needed and not installed."""


class GmmsegWarning(UserWarning):
    """Mark a result that may still be used, with a reason to look at it."""
