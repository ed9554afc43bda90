#!/usr/bin/env bash
# Makes cmd/seawall/default.pgo, the profile by which `go build` lays the binary out: what the request path does under
# load, hits and proxied requests alike. Run it after a change of the request path that matters. Linux; needs wrk and cc.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
listen=127.0.0.1:18473 backend=127.0.0.1:18474 seconds=${SECONDS_EACH:-4}

echo "building"
go build -pgo=off -tags profile -o "$dir/seawall" ./cmd/seawall
cc -O2 -o "$dir/answer" bench/floor/answer.c
mkdir "$dir/logs"
sed "s/{{.Workers}}/1/; s/{{.Listen}}/$listen/; s/{{.Backend}}/$backend/; s/{{.Generation}}/1/" \
	bench/internal/peer/conf/nginx.conf >"$dir/nginx.conf"
"$dir/answer" "${backend#*:}" &
SEAWALL_CPUPROFILE="$dir/cpu" "$dir/seawall" -p "$dir" -c "$dir/nginx.conf" &
server=$!
until curl -s -o /dev/null "http://$listen/return"; do sleep 0.1; done

kill -USR2 $server
for path in /long/1k /proxied/1k /1k /long/100k /proxied/100k /return; do
	echo "load: $path"
	wrk -t1 -c48 -d"${seconds}s" -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36' \
		-H 'Accept: text/html,application/xhtml+xml,*/*;q=0.8' -H 'Accept-Encoding: gzip, deflate, br' -H 'Cookie: session=0123456789abcdef' \
		"http://$listen$path" >/dev/null
	wrk -t1 -c48 -d"${seconds}s" "http://$listen$path" >/dev/null
done
kill -USR2 $server
sleep 0.5
kill -TERM $server
wait $server || true
test -s "$dir/cpu"
cp "$dir/cpu" cmd/seawall/default.pgo
ls -l cmd/seawall/default.pgo
