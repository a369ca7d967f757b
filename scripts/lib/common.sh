# Sourced by the scripts beside this folder: where the project is, how they speak.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCRIPT=$(basename "$0")

say() { printf '\n== %s: %s\n' "$SCRIPT" "$*"; }
die() { printf '%s: %s\n' "$SCRIPT" "$*" >&2; exit "${CODE:-2}"; }

# Prints the comment block at the top of the calling script, without '# '.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }
