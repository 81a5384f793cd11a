#!/bin/bash
# Runs scripts/check-test-names on a made-up tree: a name without a test must be found, and the others must pass.
set -euo pipefail
check="$1/scripts/check-test-names"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/tests" "$root/docs"
printf 'TEST(Here, Now) {}\nTEST_F(\n    AdversaryHere, AnAttack) {}\nTEST_P(AdversaryKinds, Another) {}\n' > "$root/tests/a.cpp"
echo 'See `Here.Now`, `AdversaryHere.AnAttack`, `Kinds/AdversaryKinds.Another/http` and `AdversaryKinds`; `file.h` is no test.' > "$root/docs/page.md"
touch "$root/README.md" "$root/SECURITY.md"
"$check" "$root" || { echo "a correct page is refused" >&2; exit 1; }
echo 'See `Here.Then` and `AdversaryGone`.' >> "$root/docs/page.md"
found=$("$check" "$root" 2>&1) && { echo "missing tests are not found" >&2; exit 1; }
for name in docs/page.md:2:Here.Then docs/page.md:2:AdversaryGone; do
  grep -qF "$name" <<< "$found" || { echo "$name is not reported" >&2; exit 1; }
done
