#!/usr/bin/env bash
# Installs what the demo and the tests need. It may be called any number of times, says
# what it does, and does nothing that is done. Without root it installs nothing: it says
# what is missing, the one command that installs it, and goes on with what is there.
set -euo pipefail
cd "$(dirname "$0")/.."

# A package for each command that must be there.
missing=()
need() { # need PACKAGE COMMAND...: any of the commands will do
  local package=$1 c
  shift
  for c in "$@"; do
    if command -v "$c" >/dev/null 2>&1 || [ -x "/usr/sbin/$c" ]; then return; fi
  done
  missing+=("$package")
}
need iptables iptables
need chromium-headless-shell chromium-headless-shell chromium google-chrome
need gcc gcc
need npm npm
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
# Chromium draws no letter without a font.
compgen -G '/usr/share/fonts/*/*' >/dev/null || missing+=(fonts-dejavu-core)

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: missing: ${missing[*]} (Debian's names); install them with this machine's package manager"
  elif [ "$(id -u)" = 0 ]; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive
    echo "setup: installing ${missing[*]} (a minute or two)"
    apt-get update >"$log" 2>&1 &&
      apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 || {
      tail -n 20 "$log"
      echo "setup: apt-get failed; going on with what is there"
    }
  else
    echo "setup: missing: ${missing[*]}; to install them: sudo apt-get install -y --no-install-recommends ${missing[*]}"
    echo "setup: going on without: what needs them will be reported as unknown, never as an outage"
  fi
fi

if ! scripts/setup-pact.sh; then
  echo "setup: libpact_ffi is missing: contract checks will be unknown"
fi
