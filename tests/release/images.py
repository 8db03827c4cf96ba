"""What can be said of Dockerfile and chaosprep.def without building an image."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

PINNED = re.compile(r"[\w./:-]+:[\w.-]+@sha256:[0-9a-f]{64}")
Step = tuple[str, str]  # an instruction of a Dockerfile, and the rest of its line


def steps(text: str) -> list[Step]:
    """The instructions of a Dockerfile, lines that go on made one."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    split = (line.strip().partition(" ") for line in lines if line.strip())
    return [(word.upper(), " ".join(rest.split())) for word, _, rest in split]


def dockerfile_faults(text: str, house: Path) -> list[str]:
    """What is wrong with a Dockerfile whose context is `house`."""
    found = steps(text)
    return [
        *_bases(found),
        *_user(found),
        *_copies(found, house),
        *_extras(text, house),
        *(f"ADD {rest}: it may fetch or unpack: use COPY" for word, rest in found if word == "ADD"),
        *([] if any(word == "CMD" for word, _ in found) else ["there is no CMD"]),
    ]


def _bases(found: list[Step]) -> list[str]:
    named: set[str] = set()
    faults = []
    for word, rest in found:
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            if base not in named and not PINNED.fullmatch(base):
                faults.append(f"FROM {base}: it has no tag and digest")
            named.add(name)
    return faults


def _user(found: list[Step]) -> list[str]:
    last = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    users = [rest for word, rest in found[last:] if word == "USER"]
    if users and re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        return []
    return ["the last stage does not end as a user by number who is not root"]


def _copies(found: list[Step], house: Path) -> list[str]:
    ignored = (house / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let = {line[1:] for line in ignored if line.startswith("!")}
    faults = []
    for word, rest in found:
        if word == "COPY" and "--from=" not in rest:
            for name in rest.split()[:-1]:
                if not (house / name).exists():
                    faults.append(f"COPY {name}: there is none")
                elif not any(fnmatch(name, pattern) for pattern in let):
                    faults.append(f"COPY {name}: .dockerignore keeps it out")
    return faults


def _extras(text: str, house: Path) -> list[str]:
    project = tomllib.loads((house / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = set(project["optional-dependencies"])
    return [f"there is no extra {one!r}" for one in sorted(set(extras(text)) - known)]


def extras(text: str) -> list[str]:
    """The extras that are installed where nobody asks for others."""
    (named,) = re.findall(r"^(?:ARG EXTRAS|    extras)=(.*)$", text, flags=re.M)
    return str(named).split(",")


def sections(text: str) -> dict[str, list[str]]:
    """The sections of an Apptainer definition: its header under '', the lines of each other."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in text.splitlines():
        if line.startswith("%"):
            name = line[1:].split()[0]
            found[name] = []
        elif line.strip():
            found[name].append(line.strip())
    return found


def definition_faults(text: str, house: Path) -> list[str]:
    """What is wrong with an Apptainer definition that is built in `house`."""
    found = sections(text)
    header = dict(line.split(": ", 1) for line in found[""])
    base = header.get("From", "")
    lacking = [name for name in ("post", "runscript", "test", "help") if not found.get(name)]
    copied = [line.split()[0] for line in found.get("files", [])]
    return [
        *([] if PINNED.fullmatch(base) else [f"From: {base}: it has no tag and digest"]),
        *(f"there is no %{name}" for name in lacking),
        *(f"%files {name}: there is none" for name in copied if not (house / name).exists()),
        *_extras(text, house),
    ]
