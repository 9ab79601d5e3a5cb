#!/bin/sh
# Puts the Pact verifier library, libpact_ffi, into a directory:
#
#   scripts/setup-pact.sh [DIR]     DIR is .tools/pact of this checkout by default
#
# The library comes out of an npm package, by the ordinary npm client, which keeps to
# whatever registry and proxy it is configured with. Nothing of the package is run,
# nothing needs root, and what arrives must have the SHA-256 written here. It does
# nothing, and says nothing, where the right library is already in place.
set -eu

version=0.4.28

fail() {
    echo "setup-pact: $*" >&2
    exit 1
}

case "$(uname -s)-$(uname -m)" in
Linux-x86_64 | Linux-amd64)
    package=@pact-foundation/pact-core-linux-x64-glibc@16.1.1
    file=package/prebuilds/linux-x64/libpact_ffi.so
    sha256=f2e805e6433afa2cabc3ad3c309786a975075319dcb370c737e0041b4bff9887
    ;;
Linux-aarch64 | Linux-arm64)
    package=@pact-foundation/pact-core-linux-arm64-glibc@17.0.0
    file=package/prebuilds/linux-arm64/libpact_ffi.so
    sha256=4ac9db05a655e75d874f3bee73eb43e69bbf1f9eacbaf93c52c2a5ba74fe0ec1
    ;;
*)
    fail "got $(uname -s) on $(uname -m), want Linux on x86_64 or aarch64: there is no libpact_ffi $version for it here"
    ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=${1:-$root/.tools/pact}
lib=$dir/libpact_ffi.so

sum() { sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1; }

if [ "$(sum "$lib")" = "$sha256" ]; then
    exit 0
fi

for tool in npm tar sha256sum; do
    command -v "$tool" >/dev/null 2>&1 ||
        fail "$tool is missing; it comes with: apt-get install npm tar coreutils"
done

mkdir -p "$dir"
# Beside its destination, so that the last step is a rename on one file system.
tmp=$(mktemp -d "$dir/.setup.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

if ! (cd "$tmp" && npm pack --silent --ignore-scripts "$package" >npm.out 2>npm.err); then
    cat "$tmp/npm.out" "$tmp/npm.err" >&2
    fail "npm could not fetch $package; see which registry it asks with: npm config get registry"
fi
tar -xzf "$tmp"/*.tgz -C "$tmp" "$file"

got=$(sum "$tmp/$file")
if [ "$got" != "$sha256" ]; then
    fail "$package: got a library with SHA-256 $got, want $sha256; it was not installed"
fi
chmod 0755 "$tmp/$file"
touch "$tmp/$file" # npm dates everything 1985, which make would take for out of date
mv -f "$tmp/$file" "$lib"
echo "setup-pact: libpact_ffi $version is in $lib"
