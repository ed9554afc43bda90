#!/bin/sh
# setup.sh: sees to it that the programs which tests and benchmarks run are there. On Debian and Ubuntu what is missing
# is installed by apt (as root or with sudo), without starting or enabling any service of it; elsewhere the list is
# printed.
#
#   tools/setup.sh [PROGRAM:PACKAGE[,PACKAGE]...]...    without arguments: what the tests run
set -eu

need_go="1.26"

fail() {
	echo "setup: $*" >&2
	exit 1
}

command -v go >/dev/null || fail "Go $need_go or newer is missing: https://go.dev/dl/"
have_go=$(go env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
oldest=$(printf '%s\n%s\n' "$need_go" "$have_go" | sort -V | head -n 1)
[ "$oldest" = "$need_go" ] || fail "Go $have_go is too old, $need_go or newer is needed: https://go.dev/dl/"

for pair in "$@"; do
	case "$pair" in
	-* | :* | *: | *[!A-Za-z0-9:,.+_-]*) fail "PROGRAM:PACKAGE is expected, not $pair" ;;
	*:*) ;;
	*) fail "PROGRAM:PACKAGE is expected, not $pair" ;;
	esac
done

# program:package, nginx being the one that the answers are compared with.
wanted=${*:-"nginx:nginx-light wrk:wrk h2load:nghttp2-client curl:curl strace:strace ps:procps gcc:gcc git:git"}

has() {
	command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

missing=""
packages=""
for pair in $wanted; do
	if ! has "${pair%%:*}"; then
		missing="$missing ${pair%%:*}"
		packages="$packages $(echo "${pair##*:}" | tr , ' ')"
	fi
done
# The race detector links against the C library.
if [ $# = 0 ] && [ "$(uname -s)" = Linux ] && ! { has gcc && echo 'int main(void){return 0;}' | gcc -x c -o /dev/null - 2>/dev/null; }; then
	missing="$missing C-library-headers"
	packages="$packages libc6-dev"
fi

[ -n "$missing" ] || exit 0

by_hand() {
	echo "setup: programs are needed that are not here:$missing" >&2
	echo "setup: $1; on Debian or Ubuntu they come with:" >&2
	echo "    sudo apt-get install$packages" >&2
	exit 1
}

command -v apt-get >/dev/null || by_hand "there is no apt-get to install them"
if [ "$(id -u)" = 0 ]; then
	as_root=""
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root="sudo"
else
	by_hand "installing needs root"
fi

# A package's service would be started at once and take port 80: a policy forbids it while we install. Where a policy is
# in force already (containers), it stays as it is, and nothing is started by it either. The service would be enabled as
# well, and start with the machine: what was not enabled before is disabled again. (systemctl disable also takes care
# of /etc/rc?.d.)
policy=/usr/sbin/policy-rc.d
added_policy=""
units_before=""

enabled_units() {
	find /etc/systemd/system -path '*.wants/*' -type l 2>/dev/null | sed 's,.*/,,' | sort -u
}

undo() {
	[ -z "$added_policy" ] || $as_root rm -f "$policy"
	[ -n "$units_before" ] || return 0
	for unit in $(enabled_units); do
		case "$units_before" in
		*" $unit "*) ;;
		*) $as_root systemctl disable "$unit" >/dev/null 2>&1 || echo "setup: cannot disable $unit, which was installed" >&2 ;;
		esac
	done
}
trap undo EXIT
trap 'exit 1' INT TERM

if has systemctl; then
	units_before=" $(enabled_units | tr '\n' ' ') "
fi
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	added_policy=yes
	$as_root chmod 755 "$policy"
fi

echo "setup: installing$packages"
install_packages() {
	# shellcheck disable=SC2086 # a list of names
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages
}
install_packages || { $as_root apt-get update -q && install_packages; } || by_hand "apt-get failed"

for pair in $wanted; do
	has "${pair%%:*}" || fail "$(echo "${pair##*:}" | tr , ' ') is installed, but ${pair%%:*} is still not found"
done
