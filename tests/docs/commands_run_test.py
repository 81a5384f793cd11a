#!/usr/bin/python3
"""Each block of commands of the pages in docs/ is run by a test, or is marked as not run.

  commands_run_test.py ROOT

A page of PAGES_THAT_RUN has a test that runs all of its blocks. Any other page says why its commands are not run as they are
written, before the first of them, or before one block:

  <!-- commands not run: REASON -->
  <!-- not run: REASON -->

The site shows both to the reader (scripts/lib/site_hooks.py).
"""
import pathlib
import re
import sys

# The test reads the blocks from the page itself.
PAGES_THAT_RUN = {"tutorial.md": "tests/docs/tutorial_test.sh", "coco.md": "tests/tools/coco_page_test.sh",
                  "imagenet.md": "tests/tools/imagenet_page_test.sh"}
# Made from the programs' help: scripts/check-commands checks the examples.
MADE = {"commands.md", "configuration.md"}
COMMAND = re.compile(r"^ *(sudo )?(hansa(-client|-aggregator)? [a-z-]|hansa_export\.py |docker |kubectl |helm |az |apt |"
                     r"systemctl |scripts/|examples/\S+ )", re.MULTILINE)
PAGE_MARK = re.compile(r"^<!-- commands not run: \S.* -->$")
BLOCK_MARK = re.compile(r"^<!-- not run: \S.* -->$")


def unmarked(text):
    """The lines at which blocks of commands without a mark begin."""
    lines = text.split("\n")
    out, page_is_marked, number = [], False, 0
    while number < len(lines):
        begin, line = number, lines[number]
        number += 1
        page_is_marked = page_is_marked or bool(PAGE_MARK.match(line))
        if line.startswith("```"):
            while number < len(lines) and not lines[number].startswith("```"):
                number += 1
            number += 1
        elif line.startswith("    ") and (begin == 0 or not lines[begin - 1].strip()):
            while number < len(lines) and lines[number].startswith("    "):
                number += 1
        else:
            continue
        is_commands = line == "```sh" or COMMAND.search("\n".join(lines[begin:number]))
        marked = page_is_marked or (begin > 0 and BLOCK_MARK.match(lines[begin - 1]))
        if is_commands and not marked:
            out.append(begin + 1)
    return out


def main():
    # The check finds what it is for.
    block = "```sh\nls\n```"
    for text, expected in ((block, [1]), ("x\n\n    hansa runs mine\n", [3]), ("```\nhansa runs\n```", [1]),
                           (f"<!-- not run: why -->\n{block}\n\n{block}", [6]), (f"<!-- not run:  -->\n{block}", [2]),
                           (f"{block}\n<!-- commands not run: why -->\n{block}", [1]), ("```\nhansa (tools/)\n```", []),
                           ("```toml\n[data]\n```", [])):
        if unmarked(text) != expected:
            sys.exit(f"FAILED: {unmarked(text)} instead of {expected} in {text!r}")
    root = pathlib.Path(sys.argv[1])
    for page, test in PAGES_THAT_RUN.items():
        if not (root / test).is_file() or page not in (root / test).read_text(encoding="utf-8"):
            sys.exit(f"FAILED: {test} does not run docs/{page}")
    wrong = [f"docs/{page.name}:{line}" for page in sorted((root / "docs").glob("*.md"))
             if page.name not in MADE and page.name not in PAGES_THAT_RUN
             for line in unmarked(page.read_text(encoding="utf-8"))]
    if wrong:
        sys.exit("FAILED: commands that no test runs and that are not marked: " + ", ".join(wrong) +
                 "\nhint: <!-- not run: REASON --> before the block; for all of a page: <!-- commands not run: REASON -->")
    print("every block of commands is run by a test, or marked as not run")


if __name__ == "__main__":
    main()
