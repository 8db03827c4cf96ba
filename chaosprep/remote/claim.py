"""One writer at a time: an object beside the output, made only where there is none."""

import secrets
from contextlib import suppress

from chaosprep.errors import ChaosprepError
from chaosprep.files import write_durably
from chaosprep.remote.copy import Copy

ENDING = ".chaosprep.lock"
"""The object's name is the output's with this."""


def claim(copy: Copy) -> None:
    """Make the object, or find that an earlier run of this working copy has left it.

    It holds random letters, which the working copy knows, and nothing of who made it.

    Raises:
        ChaosprepError: `locked`, it is somebody else's; what `ObjectStore` raises.
    """
    file = copy.kept / "claim"
    if not file.exists():
        write_durably(file, secrets.token_hex(16).encode())
    own = file.read_bytes()
    if copy.store.create(ENDING, own) or copy.store.beside(ENDING) == own:
        return
    raise ChaosprepError(
        f"{copy.place.shown}: another run writes there, or was killed there",
        f"Wait for it to finish. If none runs any more, remove the object {copy.place.shown}"
        f"{ENDING} and run the same command again.",
        code="locked",
    )


def release(copy: Copy) -> None:
    """Remove the object; where the store fails it stays, and the next run takes it over."""
    with suppress(ChaosprepError):
        copy.store.remove_beside(ENDING)
