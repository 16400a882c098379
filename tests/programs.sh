#!/bin/sh
# Look for programs that tests run beside ours, and install what is missing where that is possible.
# Each argument is PROGRAM=PACKAGE. What cannot be installed is said aloud, and its tests say so again.
for pair in "$@"; do
	program=${pair%%=*} package=${pair#*=}
	command -v "$program" >/dev/null && continue
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing $package for the tests that run \`$program\`: apt-get install $package"
		[ -n "$updated" ] || { apt-get update -qq && updated=yes; }
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$package" >/dev/null && continue
	fi
	echo "MISSING: \`$program\`; its tests are skipped or fail (Debian, Ubuntu: apt-get install $package)" >&2
done
