#!/usr/bin/env bash
# Installs what the demo and the tests need. It may be called any number of times, says
# what it does, and does nothing, silently, where nothing is missing. Without root it
# installs nothing on the machine: it says what is missing, the one command that
# installs it, and goes on with what is there.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS

if ! command -v go >/dev/null 2>&1; then
  echo "setup: Go is missing; $(grep '^go ' go.mod | tr -d '\n') or newer is at https://go.dev/dl" >&2
  exit 1
fi

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# A package for whatever must be there.
missing=()
need() { # need PACKAGE COMMAND...: any of the commands will do
  local package=$1 c
  shift
  for c in "$@"; do
    if have "$c"; then return; fi
  done
  missing+=("$package")
}
need iptables iptables
need chromium-headless-shell chromium-headless-shell chrome-headless-shell headless-shell \
  chromium chromium-browser google-chrome google-chrome-stable
need gcc gcc
need npm npm
need python3 python3 # a language of the breaker lab
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
# Chromium draws no letter without a font.
compgen -G '/usr/share/fonts/*/*' >/dev/null || missing+=(fonts-dejavu-core)

# Ubuntu and older Debians have no package of the headless shell alone.
known() { apt-cache show "$1" >/dev/null 2>&1; }
whole_browser() {
  if known chromium && ! known chromium-headless-shell; then
    missing=("${missing[@]/#chromium-headless-shell/chromium}")
  fi
}

install() {
  local log
  log=$(mktemp)
  # shellcheck disable=SC2064 # the name as it is now
  trap "rm -f '$log'" RETURN
  export DEBIAN_FRONTEND=noninteractive
  echo "setup: fetching the lists of packages"
  apt-get update >"$log" 2>&1 || { tail -n 5 "$log"; }
  whole_browser
  echo "setup: installing ${missing[*]} (a minute or two)"
  if ! apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    tail -n 20 "$log"
    echo "setup: apt-get failed, see above; going on with what is there"
  fi
}

if [ ${#missing[@]} -gt 0 ]; then
  if ! have apt-get; then
    echo "setup: missing: ${missing[*]} (Debian's names); install them with this machine's package manager"
  elif [ "$(id -u)" = 0 ]; then
    install
  else
    whole_browser
    echo "setup: missing: ${missing[*]}; to install them:"
    echo "setup:   sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${missing[*]}'"
    echo "setup: going on without: what needs them is reported as unknown, never as an outage"
  fi
fi

if have npm; then
  [ -e .tools/pact/libpact_ffi.so ] || echo "setup: fetching the contract verifier's library into .tools (20 MB)"
  scripts/setup-pact.sh || echo "setup: libpact_ffi is missing: contract checks will be unknown"
elif ! [ -e .tools/pact/libpact_ffi.so ]; then
  echo "setup: without npm there is no libpact_ffi: contract checks will be unknown"
fi

took=$((SECONDS - start))
if [ $took -ge 5 ]; then echo "setup: done in $took s"; fi
