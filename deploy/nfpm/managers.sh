# What the maintainer scripts share: scripts/package puts it at the head of each.

# each_manager ARGUMENT...: systemctl, for the system's manager and for that of
# each account that has one now. What one of them refuses keeps no package from
# being installed or removed.
each_manager() {
  systemctl --system --quiet "$@" || true
  for uid in $(systemctl list-units --plain --no-legend 'user@*.service' | sed -n 's/^user@\([0-9]*\)\.service.*/\1/p'); do
    systemctl --user --machine "$uid@" --quiet "$@" || true
  done
}

# each_service VERB: the same for the ocwatch.service that runs this package's
# program. One of another program is not the package's to touch.
each_service() {
  if command -v policy-rc.d >/dev/null; then
    may=0
    policy-rc.d ocwatch "$1" || may=$?
    [ "$may" != 101 ] || return 0
  fi
  one_service "$1" --system
  for uid in $(systemctl list-units --plain --no-legend 'user@*.service' | sed -n 's/^user@\([0-9]*\)\.service.*/\1/p'); do
    one_service "$1" --user --machine "$uid@"
  done
}

one_service() {
  verb=$1
  shift
  case $(systemctl "$@" show -p ExecStart ocwatch.service 2>/dev/null) in
  *path=/usr/bin/ocwatch\ *) systemctl "$@" "$verb" ocwatch.service || echo "ocwatch: systemctl $* $verb ocwatch.service failed; see journalctl -u ocwatch" >&2 ;;
  esac
}

booted() { [ -d /run/systemd/system ]; }
