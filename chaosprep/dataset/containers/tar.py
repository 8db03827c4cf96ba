"""Tar containers: not compressed, sorted, without times or owners."""

from functools import lru_cache

from chaosprep.dataset.containers.container import Container

_BLOCK = 512  # bytes
_LONGEST, _LARGEST = 100, 8**11 - 1
"""A name in bytes, and a size, that one block has room for."""
_SIZE, _SUM = slice(124, 135), slice(148, 155)


def _header(name: str, size: int) -> bytes:
    """What stands before a file: a block, as `tarfile` writes it at some ten times the cost."""
    known = name.encode()
    if len(known) > _LONGEST or size > _LARGEST:
        return _of_tarfile(name, size)
    told = b"%011o" % size
    before, between, behind, rest = _plain()
    check = rest + sum(known) + sum(told)
    return b"%b%b%b%b%06o\0%b" % (known, before[len(known) :], told, between, check, behind)


@lru_cache(maxsize=1)
def _plain() -> tuple[bytes, bytes, bytes, int]:
    """What stands before a block's size, between that and its sum, and behind, and what it sums to.

    The sum takes its own place as eight spaces, and here neither the name nor the size.
    """
    block = _of_tarfile("", 0)
    parts = block[: _SIZE.start], block[_SIZE.stop : _SUM.start], block[_SUM.stop :]
    spaces = 7 * ord(" ")  # the eighth is there
    return (*parts, sum(map(sum, parts)) + spaces)


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
