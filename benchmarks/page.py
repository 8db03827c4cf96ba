"""docs/benchmarks.md, made by the command: each section between markers, replaced on its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.section import Part, Section

HEAD = """\
# Benchmarks

This page is written by `python -m benchmarks --write docs/benchmarks.md`; nothing on it is typed
by hand. `make bench` installs the tools that chaosprep is compared with, measures, and prints the
same. Every section names the machine that it was measured on. A figure is the median, with the
smallest and the largest in brackets. "Not installed" marks a tool that the machine did not have.
"""
NOT_MEASURED = "Not measured yet."


def update(page: str | None, sections: Sequence[Section], lines: Mapping[str, list[str]]) -> str:
    """The page with these sections' lines, all others as they stand on `page`.

    Args:
        page: the page as it is; None where there is none.
        sections: all sections, in the order of the page.
        lines: name -> what was measured.
    """
    parts = [HEAD]
    for section in sections:
        found = lines.get(section.name) or standing(page or "", section) or [NOT_MEASURED]
        parts.append(f"{block(section, found)}\n")
    return "\n".join(parts)


def block(section: Part, lines: Sequence[str]) -> str:
    """One section between its markers."""
    begin, end = markers(section)
    return "\n".join([begin, f"## {section.title}", "", section.text, "", *lines, end])


def put(page: str, section: Part, lines: Sequence[str]) -> str:
    """A page that is written by hand, with this section's block brought up to date.

    Raises:
        ValueError: the page has no such block.
    """
    begin, end = markers(section)
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no block {section.name}")
    return f"{before}{block(section, lines)}{after}"


def standing(page: str, section: Part) -> list[str] | None:
    """The lines that a page has for a section, behind its title and text; None for none."""
    begin, end = markers(section)
    _, _, rest = page.partition(f"{begin}\n")
    inside, found, _ = rest.partition(f"{end}\n")
    parts = inside.split("\n\n", 2)  # the title, the text, what was measured
    return parts[2].splitlines() if found and len(parts) == 3 else None


def markers(section: Part) -> tuple[str, str]:
    """The comments that a section stands between."""
    return f"<!-- {section.name}: begin -->", f"<!-- {section.name}: end -->"


def write(path: Path, sections: Sequence[Section], lines: Mapping[str, list[str]]) -> None:
    """Bring a page up to date."""
    page = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(update(page, sections, lines), encoding="utf-8")
