"""Private elements: which are safe to keep (PS3.15 E.3.10), and what of their values."""


def is_safe(creator: str, group: int, element_low_byte: int) -> bool:
    """Whether a private element is known to hold nothing that identifies.

    Args:
        creator: the value of the element that reserves its block.
        group: the group of its tag, an odd number.
        element_low_byte: its number in the block, 0 to 255.
    """
    return False


def cleaned(
    creator: str, group: int, element_low_byte: int, value: bytes, *, big_endian: bool = False
) -> bytes | None:
    """What may stay of the value of a safe element; None where nothing may."""
    return value
