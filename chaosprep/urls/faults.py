"""What a store raises, as errors that say what to do; its own text may hold secrets."""

import errno

from chaosprep.errors import REMEDIES, SHORT, ChaosprepError

# Of botocore, by name: it need not be installed.
_NOBODY = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
_WRONG_NAME = "ParamValidationError"  # of botocore too: no request was made
_FINAL = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    PermissionError,
)


def is_of_disk(error: Exception) -> bool:
    """Whether this machine refuses something, and not the store."""
    return isinstance(error, OSError) and error.errno in {*REMEDIES, *SHORT} - {errno.EIO}


def is_passing(error: Exception) -> bool:
    """Whether the next try may do better."""
    is_final = isinstance(error, _FINAL) or type(error).__name__ in {*_NOBODY, _WRONG_NAME}
    return not (is_final or is_of_disk(error))


def store_fault(error: Exception, shown: str) -> ChaosprepError:
    """The error of a place whose store raised something, at last."""
    if isinstance(error, FileNotFoundError):
        return ChaosprepError(
            f"{shown}: there is no such bucket or file",
            "Check how it is spelled; make the bucket first, chaosprep makes none.",
            code="remote-not-found",
        )
    if type(error).__name__ == _WRONG_NAME:
        return ChaosprepError(
            f"{shown}: no bucket or file can have such a name",
            "Write it as s3://BUCKET/FOLDER; credentials go into ~/.aws or AWS_* variables.",
            code="remote-not-found",
        )
    if isinstance(error, PermissionError) or type(error).__name__ in _NOBODY:
        return ChaosprepError(
            f"{shown}: the store does not let you in",
            "Check the credentials that its library finds, and what they allow there.",
            code="remote-denied",
        )
    if isinstance(error, NotImplementedError):
        return ChaosprepError(
            f"{shown}: its store cannot be written",
            "Give an output elsewhere.",
            code="remote-read-only",
        )
    why = error.strerror if isinstance(error, OSError) and error.errno else type(error).__name__
    return ChaosprepError(
        f"{shown}: the store does not answer as it should ({why})",
        "Check the network and the address of the store, and run the same command again; "
        "it continues from here.",
        code="remote-unreachable",
    )
