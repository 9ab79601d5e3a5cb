#!/usr/bin/env bash
# Prints the figures of docs/performance.md. It takes some minutes; a busy machine
# shows in all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
seconds() { # seconds COMMAND...: how long it took
  local t0 t1
  t0=$(date +%s.%N)
  "$@" >"$tmp/out" 2>&1 || { cat "$tmp/out" >&2; return 1; }
  t1=$(date +%s.%N)
  echo "$t1 $t0" | awk '{printf "%.1f s\n", $1 - $2}'
}
say() { printf '%-46s %s\n' "$1" "$2"; }

say "cores, load" "$(nproc), $(cut -d ' ' -f 1-3 /proc/loadavg)"
scripts/setup.sh >/dev/null
say "set-up, the second time" "$(seconds scripts/setup.sh)"
say "build, empty build cache" "$(GOCACHE=$tmp/cache seconds make -s build)"
say "build, warm cache" "$(seconds make -s build)"
for f in foreshock foreshock-pact shop; do
  say "size of bin/$f" "$(stat -c %s "bin/$f" | awk '{printf "%.1f MB", $1 / 1e6}')"
done
say "demo --exit, start to verdict" "$(seconds bin/foreshock demo --exit --listen 127.0.0.1:0 --json "$tmp/report.json")"

# Resident memory of Foreshock itself after a minute of the demo's checks: the first
# process of the demo's namespaces is the one child of the demo.
bin/foreshock demo --listen 127.0.0.1:0 >"$tmp/demo" 2>&1 &
demo=$!
sleep 60
X
say "resident memory of foreshock, after 60 s" "$(awk '/^(VmRSS|RssAnon)/ {printf "%s %.0f MB  ", $1, $2 / 1024}' "/proc/$inner/status")"
kill -TERM "$demo"
wait "$demo" || true

go test -run '^$' -bench 'HTTP' -benchtime 2000x ./probes | grep ^Benchmark
go test -run '^$' -bench . -benchtime 1s ./breaker/bench | grep ^Benchmark
