#!/bin/sh
# timed.sh TARGET...: makes one target after the other, stops at the first failure, and says how long each took.
set -u
cd "$(dirname "$0")/.."
summary=""
for target in "$@"; do
	echo "== $target"
	began=$(date +%s)
	if ! "${MAKE:-make}" --no-print-directory "$target"; then
		echo "== $target FAILED after $(($(date +%s) - began)) s"
		exit 1
	fi
	summary="$summary $target $(($(date +%s) - began))s"
done
echo "== all passed:$summary"
