"""The licences of what chaosprep depends on: `python -m tests.release.licences` lists them."""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.release.state import HOUSE, read

# Extras for those who work on chaosprep, and the one that is only ever installed by name.
APART = frozenset({"bench", "browser", "codecs-gpl", "dev", "peers", "test"})
# Copyleft libraries by the names of their files in wheels: a package's licence may not tell.
LIBRARIES = {
    r"lib(av(codec|device|filter|format|util)|sw(resample|scale))\b": "FFmpeg (LGPL-2.1)",
    r"libquadmath\b": "libquadmath (LGPL-2.1)",
    r"libfribidi\b": "FriBidi (LGPL-2.1)",
    r"lib(x264|x265|gmp|gnutls|Qt\d?\w*)\b": "others (GPL or LGPL)",
}
Installed = dict[str, metadata.Distribution]


def wanted() -> dict[str, list[str]]:
    """The requirements of the core, under "", and of each extra that anybody may install."""
    project = tomllib.loads(read(HOUSE, "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    return {"": project["dependencies"]} | {
        name: [one for one in extras[name] if not one.startswith("chaosprep[")]
        for name in sorted(extras.keys() - APART)
    }


def closure(requirements: Iterable[str]) -> Installed:
    """Every package that these bring along, as far as it is installed here, by its name."""
    found: Installed = {}
    seen: set[tuple[str, str]] = set()
    todo = [Requirement(text) for text in requirements]
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *one.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                found[name] = metadata.distribution(one.name)
            except metadata.PackageNotFoundError:
                continue
            for text in found[name].requires or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    todo.append(needed)
    return found


def licence(package: metadata.Distribution) -> str:
    """What a package says of its licence: an SPDX expression, else classifiers, else a line."""

    def every(field: str) -> list[str]:
        return package.metadata.get_all(field) or []

    classified = [text for text in every("Classifier") if text.startswith("License ::")]
    titles = "; ".join(text.split(" :: ")[-1] for text in classified)
    first = "".join(every("License")).strip().partition("\n")[0]
    return "".join(every("License-Expression")) or titles or first


def is_refused(text: str) -> bool:
    """Whether a licence is GPL or LGPL with no other to choose, or none at all."""
    parts = re.split(r"\s+AND\s+|\s*[;,]\s*", text.replace("(", " ").replace(")", " "))
    return not text or all_copyleft(parts)


def all_copyleft(parts: list[str]) -> bool:
    """Whether some part, each of which holds, has only copyleft licences to choose from."""
    copyleft = re.compile(r"GPL|General Public License|\bCeCILL\b", re.IGNORECASE)
    spared = re.compile(r"exception", re.IGNORECASE)
    return any(
        all(copyleft.search(one) and not spared.search(one) for one in re.split(r"\s+OR\s+", part))
        for part in parts
    )


def carried(package: metadata.Distribution) -> set[str]:
    """The copyleft libraries that stand as files of their own in a package."""
    names = [file.name for file in package.files or ()]
    return {
        title
        for pattern, title in LIBRARIES.items()
        if any(re.match(pattern, name.replace("-", ".")) for name in names)
    }


def lacking() -> list[str]:
    """Extras that are not installed here as a whole, and the core where it is not."""
    found = []
    for extra, requirements in wanted().items():
        names = {canonicalize_name(Requirement(text).name) for text in requirements}
        if absent := sorted(names - closure(requirements).keys()):
            found.append(f"{extra or 'the core'}: not installed here: {', '.join(absent)}")
    return found


def everything() -> Installed:
    """Every package of the core and of the extras, as far as it is installed here."""
    return closure(text for requirements in wanted().values() for text in requirements)


def refused() -> list[str]:
    """Every package whose licence is not wanted, with what it says."""
    found = {name: licence(package) for name, package in everything().items()}
    return [f"{name}: {text or 'no licence'}" for name, text in found.items() if is_refused(text)]


def check(_: object) -> list[str]:
    """What is refused, and a core that nobody has looked at."""
    return refused() + [line for line in lacking() if line.startswith("the core")]


def main() -> int:
    """List every package; 1 where one is refused."""
    for name, package in sorted(everything().items()):
        notes = "".join(f"; carries {title}" for title in sorted(carried(package)))
        sys.stdout.write(f"{name} {package.version}: {licence(package) or 'no licence'}{notes}\n")
    sys.stdout.writelines(f"not looked at: {line}\n" for line in lacking())
    sys.stdout.writelines(f"refused: {line}\n" for line in refused())
    return int(bool(refused()))


if __name__ == "__main__":
    sys.exit(main())
