"""Tar containers: not compressed, sorted, without times or owners."""

from functools import lru_cache

from chaosprep.dataset.containers.container import Container

_BLOCK = 512  # bytes
_LONGEST, _LARGEST = 100, 8**11 - 1
"""A name in bytes, and a size, that one block has room for."""
_SIZE, _SUM = slice(124, 135), slice(148, 156)


def _header(name: str, size: int) -> bytes:
    """What stands before a file: a block, as `tarfile` writes it at six times the cost."""
    known = name.encode()
    if len(known) > _LONGEST or size > _LARGEST:
        return _of_tarfile(name, size)
    block = bytearray(_of_tarfile("", 0))
    block[: len(known)] = known
    block[_SIZE] = b"%011o" % size
    block[_SUM] = b" " * 8  # as what the sum itself counts
    block[_SUM] = b"%06o\0 " % sum(block)
    return bytes(block)


@lru_cache(maxsize=8)
def _of_tarfile(name: str, size: int) -> bytes:
    import tarfile

    told = tarfile.TarInfo(name)  # time, user and group are 0, the mode 0o644
    told.size = size
    return told.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


# POSIX.1-2017, pax, "ustar Interchange Format": two blocks of zeros end an archive.
TAR = Container(".tar", before=_header, after=_padding, end=lambda *of: bytes(2 * _BLOCK))
