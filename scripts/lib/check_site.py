#!/usr/bin/python3
"""Checks a built site: links, anchors, and that no page loads anything from another host.

  check_site.py FOLDER

Prints each mistake with its page, and exits with 1 if there is one. A link to another host is no mistake, because nobody
follows it but the reader; a script, style, font, image or frame of another host is one.
"""
import html.parser
import pathlib
import re
import sys
import urllib.parse

# Elements whose attribute makes the browser load something. Other <link>s (canonical, prev) are not loaded.
LOADED = {("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("source", "src"), ("source", "srcset"),
          ("video", "src"), ("video", "poster"), ("audio", "src"), ("object", "data"), ("embed", "src"), ("form", "action"),
          ("input", "src"), ("image", "href"), ("use", "href")}
LOADED_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
URL_OF_STYLE = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


class Page(html.parser.HTMLParser):
    """The anchors of a page, its links, and what the browser loads with it."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.in_style = tag == "style"
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href") is not None:
            self.links.append(values["href"])
        if tag == "link" and LOADED_RELATIONS & set((values.get("rel") or "").split()):
            self.loaded.append(values.get("href") or "")
        self.loaded += [value for name, value in attrs if (tag, name) in LOADED and value]
        self.loaded += urls_of_style(values.get("style") or "")

    def handle_data(self, data):
        if self.in_style:
            self.loaded += urls_of_style(data)


def urls_of_style(text):
    return [a or b for a, b in URL_OF_STYLE.findall(text)]


class Site:
    def __init__(self, folder):
        self.folder = folder
        self.pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.html"))}
        self.mistakes = []

    def target(self, file, url):
        """The file that a URL of the page names, and its fragment; None: of another host."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme or parts.netloc:
            return None, ""
        path = urllib.parse.unquote(parts.path)
        found = file if not path else self.folder / path[1:] if path.startswith("/") else file.parent / path
        return (found / "index.html" if found.is_dir() else found).resolve(), urllib.parse.unquote(parts.fragment)

    def mistake(self, file, text):
        self.mistakes.append(f"{file.relative_to(self.folder)}: {text}")

    def check_link(self, file, url):
        found, fragment = self.target(file, url)
        if found is None:
            return
        if not found.is_file() or self.folder not in found.parents:
            self.mistake(file, f'the link "{url}" leads nowhere')
        elif fragment and found in self.pages and fragment not in self.pages[found].anchors:
            self.mistake(file, f'the link "{url}" names an anchor that {found.relative_to(self.folder)} does not have')

    def check_loaded(self, file, url):
        if url.startswith("data:"):
            return
        found, _ = self.target(file, url.split(" ")[0])
        if found is None:
            self.mistake(file, f'loads "{url}" from another host')
        elif not found.is_file():
            self.mistake(file, f'loads "{url}", which does not exist')

    def check(self):
        for file, page in self.pages.items():
            for url in page.links:
                self.check_link(file, url)
            for url in page.loaded:
                self.check_loaded(file, url)
        for file in sorted(self.folder.rglob("*.css")):
            for url in urls_of_style(file.read_text(encoding="utf-8")):
                if not url.startswith("#"):
                    self.check_loaded(file, url)
        return self.mistakes


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    site = Site(pathlib.Path(sys.argv[1]).resolve())
    if not site.pages:
        print(f"check_site: {site.folder} has no pages")
        return 2
    mistakes = site.check()
    for text in mistakes:
        print(text)
    links = sum(len(page.links) for page in site.pages.values())
    print(f"check_site: {len(site.pages)} pages, {links} links, {len(mistakes)} mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
