"""Hooks of mkdocs for the documentation's site (mkdocs.yml): pages that lie outside docs/, and checks.

A page links to files as they lie in the repository, so that its links also work where the repository is browsed. Here a
link to a page becomes a link to the page of the site, and a link to another file of the repository its path, because the
site does not contain that file. A link to a file that does not exist, and a page outside the navigation, are warnings,
which fail the build (--strict).
"""
import logging
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parents[2]
log = logging.getLogger("mkdocs.hansa")

# Pages outside docs/: file of the repository -> file of the site. SECURITY.md has another name, because docs/security.md
# would be the same file where case is ignored.
OUTSIDE = {
    "README.md": "overview.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    **{file.relative_to(ROOT).as_posix(): f"examples/{file.parent.name}.md" for file in ROOT.glob("examples/*/README.md")},
}
FILE_OF_PAGE = {page: file for file, page in OUTSIDE.items()}
# The target of a link may be in the next line of the page, its text may contain `code`. A picture has a "!" before it.
LINK = re.compile(r"(!?)\[((?:`[^`]*`|[^\[\]`])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```\s*?$", re.DOTALL | re.MULTILINE)
# Headings have the anchors that they have in a repository's browser.
IGNORED_IN_ANCHOR = re.compile(r"[^\w\- ]")


def anchor(text, separator):
    del separator
    return IGNORED_IN_ANCHOR.sub("", text.strip().lower()).replace(" ", "-")


def on_config(config):
    config["mdx_configs"].setdefault("toc", {})["slugify"] = anchor
    return config


def on_files(files, config):
    for file, page in OUTSIDE.items():
        added = File(page, config["docs_dir"], config["site_dir"], config["use_directory_urls"])
        added.abs_src_path = str(ROOT / file)
        files.append(added)
    return files


def on_nav(nav, config, files):
    del config
    listed = {page.file.src_uri for page in nav.pages}
    for file in files.documentation_pages():
        if file.src_uri not in listed:
            log.warning("%s is not in the navigation: add it to nav in mkdocs.yml", file.src_uri)
    return nav


def link_of_site(text, target, page_uri):
    """The Markdown of a link on the page of the site."""
    if re.match(r"[a-z]+:|#", target):
        return None
    of_page = FILE_OF_PAGE.get(page_uri, "docs/" + page_uri)
    path, _, fragment = target.partition("#")
    file = posixpath.normpath(posixpath.join(posixpath.dirname(of_page), path))
    if not (ROOT / file).exists() or file.startswith("../"):
        log.warning('%s: the link to "%s" leads nowhere: there is no %s', of_page, target, file)
        return None
    uri = OUTSIDE.get(file) or (file[5:] if file.startswith("docs/") else None)
    if uri is None:
        shown = text.strip("`")
        return text if shown == file or file.endswith("/" + shown) else f"{text} (`{file}`)"
    relative = posixpath.relpath(uri, posixpath.dirname(page_uri) or ".")
    return f"[{text}]({relative}{'#' + fragment if fragment else ''})"


def with_links_of_site(markdown, page_uri):
    def replace(match):
        link = link_of_site(" ".join(match[2].split()), match[3], page_uri)
        return match[1] + link if link else match[0]

    out, end = [], 0
    for fence in FENCE.finditer(markdown):
        out += [LINK.sub(replace, markdown[end:fence.start()]), fence[0]]
        end = fence.end()
    return "".join(out) + LINK.sub(replace, markdown[end:])


# Marks of tests/docs, which a repository's browser hides.
PAGE_MARK = re.compile(r"^<!-- commands not run: (.*) -->$", re.MULTILINE)
BLOCK_MARK = re.compile(r"^<!-- not run: (.*) -->$", re.MULTILINE)


def on_page_markdown(markdown, page, config, files):
    del config, files
    markdown = PAGE_MARK.sub(r"*Commands of this page are not run by a test as they are written: \1.*\n", markdown)
    markdown = BLOCK_MARK.sub(r"*Not run by a test: \1.*\n", markdown)
    return with_links_of_site(markdown, page.file.src_uri)


# Browsers enforce that the pages load nothing from another host. The theme needs inline scripts and styles.
POLICY = ("default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'")


def on_post_page(output, page, config):
    del page, config
    return output.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1)
