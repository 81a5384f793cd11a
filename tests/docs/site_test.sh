#!/bin/bash
# Tests scripts/docs: the site builds, and a broken link, a missing anchor, a page outside the navigation, and a page that
# would load something from another host fail the build. Chromium then opens the site.
#   site_test.sh ROOT
set -euo pipefail
root="$1"
/usr/bin/python3 -c 'import mkdocs, material' 2>/dev/null || [ -d /usr/share/mkdocs/themes/material ] ||
  { echo "skipped: scripts/install-packages docs"; exit 77; }
git -C "$root" rev-parse >/dev/null 2>&1 || { echo "skipped: the sources are not in a git repository"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

"$root/scripts/docs" --out "$work/site" >"$work/said" 2>&1 || fail "the site does not build: $(cat "$work/said")"

# A copy of what the site is made of, and the files to which its pages link.
mkdir "$work/copy"
git -C "$root" ls-files -z --cached --others --exclude-standard | (cd "$root" && xargs -0 cp --parents -t "$work/copy")
# The mistakes are found by two parts, one after the other: mkdocs with its hooks, and the check of the built pages.
expected=()
# with FILE TEXT MESSAGE: adds the text at the end of a page of the copy, which must be refused with the message.
with() {
  [ -e "$work/before/$1" ] || (cd "$work/copy" && cp --parents "$1" "$work/before/")
  printf '\n%s\n' "$2" >>"$work/copy/$1"
  expected+=("$3")
}
all_are_found() {
  if "$work/copy/scripts/docs" --out "$work/other" >"$work/said" 2>&1; then fail "not noticed: ${expected[*]}"; fi
  for message in "${expected[@]}"; do
    grep -qF -e "$message" "$work/said" || fail "expected \"$message\", got $(cat "$work/said")"
  done
  expected=()
  cp -r "$work/before/." "$work/copy/"
}
mkdir "$work/before"
with docs/runs.md '[x](nowhere.md)' 'docs/runs.md: the link to "nowhere.md" leads nowhere'
with docs/runs.md '[x](../server/nowhere.h)' 'docs/runs.md: the link to "../server/nowhere.h" leads nowhere'
with examples/medical/README.md '[x](docs/runs.md)' 'examples/medical/README.md: the link to "docs/runs.md" leads nowhere'
echo "# New" >"$work/copy/docs/new.md"
expected+=('new.md is not in the navigation')
all_are_found
rm "$work/copy/docs/new.md"

with docs/runs.md '[x](round.md#no-such-section)' \
  'runs.html: the link "round.html#no-such-section" names an anchor that round.html does not have'
with docs/runs.md '[x](#no-such-section)' 'runs.html: the link "#no-such-section" names an anchor'
with docs/runs.md '![x](https://example.org/a.png)' 'runs.html: loads "https://example.org/a.png" from another host'
with docs/runs.md '<script src="//example.org/a.js"></script>' 'runs.html: loads "//example.org/a.js" from another host'
with docs/runs.md '<p style="background: url(https://example.org/b.png)">x</p>' 'runs.html: loads "https://example.org/b.png"'
sed -i 's/  font: false.*/  font: {text: Roboto, code: Roboto Mono}/' "$work/copy/mkdocs.yml"
expected+=('https://fonts.g')
all_are_found

# A link is shown as on the page of a repository: to a page of the site, or as the path of a file.
grep -qF '<a href="../security.html">' "$work/site/examples/dicom_plugin.html" || fail "an example does not link to docs/security.md"
grep -qF '<code>learning/data/plugin.h</code>' "$work/site/coco.html" || fail "a file of the repository has no path"
/usr/bin/python3 "$(dirname "$0")/site_browser_test.py" "$work/site" || { rc=$?; [ $rc -eq 77 ] || exit $rc; }
echo "the site builds, and every mistake is found"
