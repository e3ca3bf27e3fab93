#!/bin/sh
# usage: axe.sh FOLDER
# Fetches axe-core (MPL-2.0) from npm into FOLDER: it finds what shuts people out of a page. Where npm is not there or
# reaches nothing, the tests that use it say so and skip.
set -u
version=4.10.3
folder=$1
[ -e "$folder/node_modules/axe-core/axe.min.js" ] && exit 0
command -v npm >/dev/null || { echo "axe.sh: no npm: pages are not tested for access" >&2; exit 0; }
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --silent "axe-core@$version" >/dev/null 2>&1 ||
    echo "axe.sh: npm cannot fetch axe-core $version: pages are not tested for access" >&2
exit 0
