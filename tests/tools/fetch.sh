#!/bin/sh
# Fetches the Debian programs that the tests start, and unpacks them into .cache/debian/<set>/root.
# Needs apt and dpkg and no rights: nothing is installed, and nothing outside .cache is written.
#
#   sh tests/tools/fetch.sh [set]     set: a file of tests/tools/packages without its .txt; default: tests
#
# What is fetched: the packages of the set with all they depend on, computed by apt against a state of its own that
# has no package installed, so the list is the same on every machine of a release. Left out is the base: Essential
# packages and what apt itself needs (libc6 among them), each of them if this machine has it. It has to fit the machine's
# own dynamic linker, so the machine's copy is the right one, and a machine that runs this script has apt.
#
# A stamp file, .cache/debian/<set>/packages, holds what was asked for and the versions unpacked; while it fits the set,
# the script does nothing and needs no network. To fetch newer versions, remove .cache/debian.

set -eu
export LC_ALL=C

set_name=${1:-tests}
tools=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$tools/../.." && pwd)
list=$tools/packages/$set_name.txt
debian=$project/.cache/debian
home=$debian/$set_name
stamp=$home/packages
work=$home/work
apt_state=$debian/apt

# Raise it when the way of unpacking changes, so that old folders are made anew.
layout=1

main() {
  [ -f "$list" ] || fail "There is no set of packages named '$set_name' (looked for $list)." "Name one of: $(set_names)."
  wanted=$(sed -e 's/#.*//' "$list" | tr -s ' \t' '\n' | sed '/^$/d' | sort -u | tr '\n' ' ')
  asked="asked (layout $layout): $wanted"
  is_there && return 0

  need_tools
  mkdir -p "$home"
  # Two test runs may start together: the second one waits, then finds the work done.
  exec 9>"$debian/lock"
  flock 9
  is_there && return 0

  say "fetching the test programs into .cache/debian/$set_name (once): $wanted"
  make_apt_state
  # Lists older than a day may name versions that the archive has already replaced.
  if ! { [ -n "$(find "$apt_state/updated" -mtime -1 2>/dev/null)" ] && compute_closure && download; }; then
    update_lists
    { compute_closure && download; } || fail "$why" \
      "Check that this machine is online and that /etc/apt names a Debian archive of its release, then try again."
  fi
  unpack
  say "ready: $(wc -l <"$work/closure") packages in .cache/debian/$set_name/root"
  rm -rf "$work"
}

is_there() {
  [ -d "$home/root" ] && [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$asked" ]
}

need_tools() {
  for tool in apt-get dpkg dpkg-query flock; do
    command -v "$tool" >/dev/null || fail "This machine has no '$tool': the test programs come as Debian packages." \
      "Run the tests on Debian 12 (a container will do), or run 'npx vitest run': it leaves out what needs these programs."
  done
}

# The machine's sources, keys, proxy and preferences serve; lists, cache, package status and hooks are our own.
make_apt_state() {
  rm -rf "$work"
  mkdir -p "$work/debs" "$apt_state/state/lists/partial" "$apt_state/cache/archives/partial"
  : >"$apt_state/status"
  arch=$(dpkg --print-architecture)
  cat >"$apt_state/apt.conf" <<CONF
Dir::State "$apt_state/state";
Dir::State::status "$apt_state/status";
Dir::Cache "$apt_state/cache";
Dir::Log "$apt_state/log";
#clear APT::Architectures;
APT::Architectures:: "$arch";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
// Files of this folder belong to whoever runs the tests; apt's own download user could not write here.
APT::Sandbox::User "";
// Says so when a list could not be read, instead of going on with none.
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
CONF
}

# Writes work/closure; when it cannot, answers false and leaves the reason in $why.
compute_closure() {
  # shellcheck disable=SC2086 # $wanted is a list of words
  simulate "$work/all" $wanted && simulate "$work/base" '?essential' apt dpkg || {
    why="apt cannot find the packages, or what they need: $(first_errors "$apt_state/update.log" "$out.log")"
    return 1
  }
  dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort -u >"$work/installed"
  cut -d ' ' -f 1 "$work/base" | sort -u | comm -12 - "$work/installed" >"$work/left-out"
  sort "$work/all" | join -v 1 - "$work/left-out" >"$work/closure"
}

update_lists() {
  say 'reading the package lists (apt-get update, into .cache)'
  rm -f "$apt_state/updated"
  # A source of the machine that fails is no matter as long as the packages are found, so that alone decides.
  if apt update >"$apt_state/update.log" 2>&1; then touch "$apt_state/updated"; fi
}

# simulate OUT PACKAGE…: the packages that would be installed on an empty machine, as lines of 'name version'.
simulate() {
  out=$1
  shift
  apt -s install "$@" >"$out.log" 2>&1 || return 1
  sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' "$out.log" >"$out"
}

download() {
  # shellcheck disable=SC2046 # one word for each package
  (cd "$work/debs" && apt download $(tr ' ' '=' <"$work/closure")) >"$work/download.log" 2>&1 || {
    why="Some packages could not be downloaded: $(first_errors "$work/download.log") (all of it: $work/download.log)"
    return 1
  }
}

unpack() {
  mkdir "$work/root"
  for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$work/root" || fail "$deb does not unpack." "Check that the disk has room, and try again."
  done
  { echo "$asked" && cat "$work/closure"; } >"$work/packages"
  # The stamp goes first and comes last: a run that is cut short in between leaves no stamp.
  rm -rf "$stamp" "$home/root"
  mv "$work/root" "$home/root"
  mv "$work/packages" "$stamp"
}

apt() {
  apt-get -c "$apt_state/apt.conf" -q -y "$@" </dev/null
}

# first_errors LOG…: the first error of each, or its first warning.
first_errors() {
  for log in "$@"; do grep -m 1 '^E:' "$log" || grep -m 1 '^W:' "$log" || true; done 2>/dev/null | tr '\n' ' '
}

set_names() {
  (cd "$tools/packages" && ls) | sed -n 's/\.txt$//p' | paste -s -d ' '
}

say() {
  echo "tools: $*"
}

fail() {
  echo "tools: $1" >&2
  echo "tools: $2" >&2
  exit 1
}

main
