#!/bin/sh
# Gets what `foreshock breaker lab` needs for services that are not in Go:
#
#   scripts/setup-lab.sh [DIR]     DIR is .tools/lab of this checkout by default
#
# Two npm packages by the ordinary npm client; nginx, haproxy and a Python library by apt,
# unpacked into DIR and not installed. Nothing needs root. What cannot be got is named, and its cases in
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

# unpack NAME PACKAGE... unpacks the packages into DIR/NAME.
unpack() {
    name=$1
    shift
    tmp=$(mktemp -d "$dir/.setup.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    if (cd "$tmp" && apt-get download "$@" >apt.log 2>&1 && for deb in *.deb; do dpkg -x "$deb" new; done) &&
        rm -rf "${dir:?}/$name" && mv "$tmp/new" "$dir/$name"; then
        echo "setup-lab: $name is in $dir/$name"
    else
        missing "$name is missing: apt-get install $1"
    fi
    rm -rf "$tmp"
}

# lacking PACKAGE names the libraries that it needs and this machine does not have.
lacking() {
    apt-cache depends "$1" 2>/dev/null | sed -n 's/^  Depends: \(lib[^ ]*\)$/\1/p' | while read -r lib; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$lib" 2>/dev/null)" = installed ] || echo "$lib"
    done
}

if ! have nginx && ! [ -x /usr/sbin/nginx ] && ! [ -x "$dir/nginx/usr/sbin/nginx" ]; then
    unpack nginx nginx
fi
if ! have haproxy && ! [ -x /usr/sbin/haproxy ] && ! [ -x "$dir/haproxy/usr/sbin/haproxy" ]; then
    libs=$(lacking haproxy)
    for lib in $libs; do
        libs="$libs $(lacking "$lib")"
    done
    # shellcheck disable=SC2086 # names of packages
    unpack haproxy haproxy $libs
fi
if have python3 && ! python3 -c 'import circuitbreaker' 2>/dev/null && ! [ -e "$dir/python/usr/lib/python3/dist-packages/circuitbreaker.py" ]; then
    unpack python python3-circuitbreaker
fi
exit $lacks
