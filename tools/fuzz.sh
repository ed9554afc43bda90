#!/bin/sh
# fuzz.sh: runs every fuzz target of the module for $FUZZTIME, one after the other. Inputs that break something are left
# by go test under testdata/fuzz: commit them with the mend.
set -eu
cd "$(dirname "$0")/.."
: "${GO:=go}" "${FUZZTIME:=1m}"
found=0
failed=""
for package in $("$GO" list ./...); do
	for target in $("$GO" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		found=$((found + 1))
		echo "== $package $target, $FUZZTIME"
		"$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$package" ||
			failed="$failed $package:$target"
	done
done
echo "== $found fuzz targets ran"
[ -z "$failed" ] || {
	echo "== failed:$failed"
	exit 1
}
