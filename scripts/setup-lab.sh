#!/bin/sh
# Gets what `foreshock breaker lab` needs for services that are not in Go:
#
#   scripts/setup-lab.sh [DIR]     DIR is .tools/lab of this checkout by default
#
# Two npm packages by the ordinary npm client, and nginx, unpacked into DIR and not
# installed, by apt. Nothing needs root. What cannot be got is named, and its cases in
# the lab say that they were not looked at. It does nothing, and says nothing, where all
# is in place.
set -eu

opossum=9.0.0
cockatiel=3.2.1

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=${1:-$root/.tools/lab}
mkdir -p "$dir"
lacks=0

have() { command -v "$1" >/dev/null 2>&1; }
missing() {
    echo "setup-lab: $*" >&2
    lacks=1
}
version() { sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$dir/node_modules/$1/package.json" 2>/dev/null; }

have python3 || missing "python3 is missing: apt-get install python3"
have node || missing "node is missing: apt-get install nodejs"

if [ "$(version opossum)" != "$opossum" ] || [ "$(version cockatiel)" != "$cockatiel" ]; then
    if ! have npm; then
        missing "npm is missing: apt-get install npm"
    elif ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$dir" "opossum@$opossum" "cockatiel@$cockatiel"; then
        missing "npm could not fetch opossum and cockatiel; see which registry it asks with: npm config get registry"
    else
        echo "setup-lab: opossum $opossum and cockatiel $cockatiel are in $dir"
    fi
fi

if ! have nginx && ! [ -x /usr/sbin/nginx ] && ! [ -x "$dir/nginx/usr/sbin/nginx" ]; then
    tmp=$(mktemp -d "$dir/.setup.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    if have apt-get && (cd "$tmp" && apt-get download nginx >apt.log 2>&1 && dpkg -x nginx_*.deb "$dir/nginx"); then
        echo "setup-lab: nginx is in $dir/nginx"
    else
        missing "nginx is missing: apt-get install nginx-light"
    fi
fi
exit $lacks
