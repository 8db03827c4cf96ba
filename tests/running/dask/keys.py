"""The keys of a cluster of this process, for another one: as files, named by the environment."""

from pathlib import Path

from distributed.security import Security

NAME = "DASK_DISTRIBUTED__COMM__TLS__"


def written_keys(folder: Path, keys: Security | None = None) -> dict[str, str]:
    """Write the keys that Dask is configured with here, or others; the variables that name them."""
    found = keys or Security()
    files = {"CA_FILE": found.tls_ca_file}
    for role in ("client", "scheduler", "worker"):
        made = found.get_tls_config_for_role(role)
        files |= {f"{role.upper()}__{name.upper()}": made[name] for name in ("cert", "key")}
    for name, text in files.items():
        file = folder / f"{name.lower()}.pem"
        file.touch(0o600)
        file.write_text(text)
    return {f"{NAME}{name}": str(folder / f"{name.lower()}.pem") for name in files}
