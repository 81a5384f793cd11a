#!/bin/bash
# Tests scripts/install-packages: which packages it reads from its list, and which commands it runs.
#   install_packages_test.sh ROOT
set -euo pipefail
install="$1/scripts/install-packages"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export HANSA_PACKAGES="$work/packages.txt"
cat >"$HANSA_PACKAGES" <<'LIST'
# a comment
[first]
hansa-there      # installed
  hansa-missing

# another comment
[second]
hansa-other
[empty]
LIST

fail() { echo "install_packages_test: $*"; exit 1; }
equal() { [ "$1" = "$2" ] || fail "expected \"$2\", got \"$1\""; }

equal "$("$install" --list first | xargs)" "hansa-there hansa-missing"
equal "$("$install" --list second first | xargs)" "hansa-other hansa-there hansa-missing"
equal "$("$install" --list empty)" ""
"$install" --list third >/dev/null 2>&1 && fail "an unknown section must fail"
"$install" >/dev/null 2>&1 && fail "no section must fail"

# Fake versions of the system's commands that the script calls.
mkdir "$work/bin"
cat >"$work/bin/dpkg-query" <<'FAKE'
#!/bin/bash
[ "${@: -1}" = hansa-there ] && echo -n installed
FAKE
cat >"$work/bin/apt-cache" <<'FAKE'
#!/bin/bash
[ -e "$WORK/updated" ]
FAKE
cat >"$work/bin/apt-get" <<'FAKE'
#!/bin/bash
echo "apt-get $*" >>"$WORK/calls"
if [ -e "$WORK/locked" ]; then
  [ "$(wc -l <"$WORK/calls")" -lt 3 ] || rm "$WORK/locked"
  echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt-get)" >&2
  exit 100
fi
[ "$1" != -o ] || shift 2
if [ "$1" = update ]; then touch "$WORK/updated"; fi
FAKE
cat >"$work/bin/sudo" <<'FAKE'
#!/bin/bash
exec "$@"
FAKE
chmod +x "$work"/bin/*
export WORK="$work" PATH="$work/bin:$PATH"

equal "$("$install" --missing first)" "hansa-missing"
"$install" empty
[ ! -e "$work/calls" ] || fail "with nothing missing it must not call apt-get"
"$install" first >/dev/null
equal "$(head -1 "$work/calls")" "apt-get -o DPkg::Lock::Timeout=60 update -qq"
grep -q "install .* hansa-missing$" "$work/calls" || fail "the missing package must be installed: $(cat "$work/calls")"
grep -q hansa-there "$work/calls" && fail "what is installed must not be asked for"
: >"$work/calls"
"$install" first >/dev/null
grep -q update "$work/calls" && fail "lists that know the package must not be fetched again"

# Another process has apt's lock for a while, also when the lists are updated (issue 22).
echo '#!/bin/bash' >"$work/bin/sleep"
chmod +x "$work/bin/sleep"
for known in yes no; do
  [ "$known" = yes ] || rm "$work/updated"
  touch "$work/locked"
  : >"$work/calls"
  "$install" first >"$work/said" || fail "it must wait for apt's lock: $(cat "$work/said")"
  grep -q "waiting for another process" "$work/said" || fail "it must say that it waits"
  tail -n 1 "$work/calls" | grep -q " install .* hansa-missing$" || fail "it must install in the end: $(cat "$work/calls")"
done
touch "$work/locked"
: >"$work/calls"
if HANSA_APT_WAIT_S=5 "$install" first >/dev/null 2>"$work/said"; then fail "it must not wait for ever"; fi
grep -q "Could not get lock" "$work/said" || fail "it must show apt's message: $(cat "$work/said")"
rm -f "$work/locked"

# Without apt-get the script prints the packages.
mkdir "$work/bare"
for tool in bash dirname readlink grep awk sed xargs id env; do ln -s "$(command -v "$tool")" "$work/bare/$tool"; done
if output="$(PATH="$work/bare" bash "$install" first 2>&1)"; then fail "without apt-get it must fail"; fi
grep -q "no apt-get.*hansa-missing" <<<"$output" || fail "without apt-get it must name the packages: $output"
