#!/usr/bin/python3
"""Runs a page: its commands in their order, in one shell, in a folder.

  run_page.py PAGE FOLDER [--seconds N] [OLD=NEW]...

What a code block is, the line before it says, which the page does not show:

  ```sh without a line before it            commands, which run
  <!-- not run: REASON -->                  commands or a file that the reader sees only
  <!-- file: NAME -->, <!-- append: NAME --> a file, or more lines of one, which the reader is asked to write

Any other block is a mistake of the page, so that none is forgotten. The first command that fails ends the run; OLD=NEW
replaces text in blocks, for ports. What the page left running is ended, and after N seconds (300) everything is.
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:^<!-- (not run|file|append): (.*?) -->\n)?^( *)```([^\n]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^\n {4,}\S", re.MULTILINE)


def fail(text):
    sys.exit(f"FAILED: {text}")


class Block:
    """A code block of the page: where it is, its mark ("" for commands that run) with its value, and its text."""

    def __init__(self, page, text, match):
        self.line = text.count("\n", 0, match.start(5))
        self.mark, self.value, self.language, self.text = match[1] or "", match[2], match[4], match[5]
        if not self.mark and self.language != "sh":
            fail(f"{page.name}:{self.line}: a block of \"{self.language}\" is neither commands, nor a file, nor marked as not run")
        if match[3]:
            fail(f"{page.name}:{self.line}: the block is indented, so that its file would be")


def blocks_of(page):
    text = page.read_text(encoding="utf-8")
    blocks = [Block(page, text, match) for match in BLOCK.finditer(text)]
    if len(blocks) * 2 != len(re.findall(r"^ *```", text, re.MULTILINE)):
        fail(f"{page.name}: a block has no end")
    if INDENTED.search(BLOCK.sub("", text)):
        fail(f"{page.name}: a block is indented instead of fenced, so that it would not run")
    if not any(block.mark == "" for block in blocks):
        fail(f"{page.name} has no commands")
    return blocks


def script_of(page, blocks, folder, replaced):
    """The commands of the page, and of what writes its files."""
    lines = ["set -eEuo pipefail", "trap 'echo \"FAILED: $at: $BASH_COMMAND\" >&2' ERR"]
    for number, block in enumerate(blocks):
        if block.mark == "not run":
            continue
        text = block.text
        for old, new in replaced:
            text = text.replace(old, new)
        lines.append(f"at={shlex.quote(f'{page.name}:{block.line}')}")
        if block.mark == "":
            lines += ["echo \"--- $at\"", text]
        else:
            file = folder / str(number)
            file.write_text(text, encoding="utf-8")
            lines.append(f"cat {file} {'>>' if block.mark == 'append' else '>'}{shlex.quote(block.value)}")
    return "\n".join(lines) + "\n"


def main():
    arguments, seconds = sys.argv[1:], 300
    if "--seconds" in arguments:
        at = arguments.index("--seconds")
        seconds = int(arguments[at + 1])
        del arguments[at:at + 2]
    if len(arguments) < 2:
        print(__doc__)
        return 2
    page, folder = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    replaced = [text.split("=", 1) for text in arguments[2:]]
    blocks = blocks_of(page)
    for old, _ in replaced:
        if not any(old in block.text for block in blocks):
            fail(f"no block of {page.name} has the text {old}")
    with tempfile.TemporaryDirectory() as work:
        script = pathlib.Path(work) / "script"
        script.write_text(script_of(page, blocks, pathlib.Path(work), replaced), encoding="utf-8")
        # A session of its own, so that what the page starts in the background can be ended.
        process = subprocess.Popen(["bash", str(script)], cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            print(f"FAILED: {page.name} still runs after {seconds} s", file=sys.stderr)
            code = 1
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    run = sum(block.mark == "" for block in blocks)
    hidden = sum(block.mark == "not run" for block in blocks)
    print(f"run_page: {page.name}: {run} blocks of commands run, {hidden} marked as not run, exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())
