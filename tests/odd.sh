#!/usr/bin/env bash
# The tests where little is as usual: tests/odd.sh [what pytest takes]
#
# A locale without letters, files for their owner alone, a home that is not there or cannot be
# written, no /dev/shm, and another user than root. ODD names what is to be so, of
# "locale umask homeless closed-home shm user"; what this machine cannot do is told and left out.
# Without /dev/shm whatever starts workers is refused, so it is not among what is so unless told.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-$PWD/.venv/bin/python}
odd=" ${ODD:-locale umask homeless user} "
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"

is() { [[ "$odd" == *" $1 "* ]]; }
may_mount() { [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; }

within="exec \"\$@\""
run=()
if is user; then
    if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups "$python" -c '' 2>/dev/null; then
        run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    else
        echo "odd: another user cannot be had" >&2
    fi
fi
mkdir "$place/home" "$place/work"
[ ${#run[@]} -eq 0 ] || chown 65534:65534 "$place/home" "$place/work"
home=$HOME
if is homeless; then home=$place/none; fi
if is closed-home; then home=$place/home; chmod 500 "$home"; fi
if is shm || { is closed-home && [ ${#run[@]} -eq 0 ]; }; then
    if may_mount; then
        if is shm; then within="mount -t tmpfs -o ro none /dev/shm; $within"; fi
        if is closed-home; then within="mount -t tmpfs -o ro none '$home'; $within"; fi
        within="exec unshare -m bash -c '${within//\'/\'\\\'\'}' bash \"\$@\""
    else
        echo "odd: nothing can be mounted, so /dev/shm stays as it is" >&2
    fi
fi
while IFS= read -r name; do unset "$name"; done < <(compgen -v | grep -E '^(XDG_|LC_|LANG)' || true)
unset PYTHONUTF8 PYTHONIOENCODING PYTHONCOERCECLOCALE
if is locale; then export LANG=C LC_ALL=C PYTHONCOERCECLOCALE=0; fi
if is umask; then umask 077; fi
export HOME=$home HYPOTHESIS_STORAGE_DIRECTORY=$place/work/examples PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PWD
bash -c "$within" bash "${run[@]}" "$python" -m pytest -p no:cacheprovider "$@"
