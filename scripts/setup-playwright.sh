#!/bin/sh
# Puts playwright-core into .tools/playwright, for the benchmark of journeys alone. It
# comes by the ordinary npm client; nothing of it is run at installation, and the
# browser is the one that journeys use.
set -eu
cd "$(dirname "$0")/.."
version=1.65.1

if grep -qs "\"version\": \"$version\"" .tools/playwright/node_modules/playwright-core/package.json; then
    exit 0
fi
for tool in npm node; do
    command -v "$tool" >/dev/null 2>&1 || {
        echo "setup-playwright: $tool is missing; it comes with: apt-get install nodejs npm" >&2
        exit 1
    }
done
mkdir -p .tools/playwright
echo "setup-playwright: fetching playwright-core $version into .tools/playwright"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix .tools/playwright "playwright-core@$version"
