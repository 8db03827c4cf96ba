"""Tar containers: not compressed, sorted, without times or owners."""

from chaosprep.dataset.containers.container import Container

_BLOCK = 512  # bytes


def _header(name: str, size: int) -> bytes:
    import tarfile

    told = tarfile.TarInfo(name)  # time, user and group are 0, the mode 0o644
    told.size = size
    return told.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


# POSIX.1-2017, pax, "ustar Interchange Format": two blocks of zeros end an archive.
TAR = Container(".tar", before=_header, after=_padding, end=lambda *of: bytes(2 * _BLOCK))
