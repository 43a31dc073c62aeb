# What the scripts here share; sourced, not run.

# missing WHAT: a tool or a right that a suite needs is not there. In CI that
# is an error; on somebody's own machine the suite is skipped, and says so.
missing() {
  if [ "${CI:-}" = true ]; then
    echo "error: $*" >&2
    exit 1
  fi
  echo "skipped: $*" >&2
  exit 0
}

have() { command -v "$1" >/dev/null 2>&1; }
