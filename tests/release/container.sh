#!/usr/bin/env bash
# The image, built and tried: `bash container.sh docker` (or podman), with arguments for its build.
set -euo pipefail
builder=$1
shift
cd "$(dirname "$0")/../.."
"$builder" build --tag chaosprep-tried "$@" .
bytes=$("$builder" image inspect --format '{{.Size}}' chaosprep-tried)
echo "the image has $((bytes / 1000000)) MB"
[ "$bytes" -lt 700000000 ]
[[ "$("$builder" run --rm --network none chaosprep-tried)" == "Usage: chaosprep"* ]]
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 777 "$place"
try() { "$builder" run --rm --network none --read-only --tmpfs /tmp --volume "$place:/data" chaosprep-tried "$@"; }
[ "$(try id -u)" -ne 0 ]
try python -c "from pathlib import Path; from chaosprep.phantom import write_chaos; write_chaos(Path('root'))"
try chaosprep prepare root -o out --copies 2
try chaosprep verify out/augmented
# What it wrote is of its user; it takes it away itself.
try rm -r root out
