# Sourced by tests that run what a page documents, so that the two cannot differ.
#
#   page_blocks PAGE SECTION LANGUAGE [N]   prints the fenced blocks of a language below the heading "## SECTION", or the
#                                           Nth of them; fails if there is none
#   set_data FILE BLOCK                     replaces the table [data] of a client.toml
page_blocks() {
  awk -v section="## $2" -v fence='```'"$3" -v wanted="${4:-0}" '
    /^## / { inside = ($0 == section) }
    /^```/ && printing { printing = 0; next }
    inside && $0 == fence { number++; printing = (wanted == 0 || number == wanted); found = found || printing; next }
    printing
    END { exit !found }' "$1" || { echo "FAILED: $1 has no such block: $2, $3 ${4:-}" >&2; return 1; }
}

set_data() {
  awk -v block="$2" '/^\[data\]/ { print block "\n"; skip = 1; next } /^(#|\[)/ { skip = 0 } !skip' "$1" >"$1.changed"
  mv "$1.changed" "$1"
}
