# ruff: noqa: INP001, the builder loads it by its path
"""What the site's builder is told besides: files that lie outside docs/, and links that lead there."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
MERMAID = ROOT / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
UPWARDS = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+)[^)]*\)")
SCRIPT = re.compile(r'<script src="[^"]*assets/mermaid\.js"></script>')
LINK = re.compile(r"\]\(([^)#]+)")
ORDER = ["Tutorials", "How to", "Reference", "Explanation"]


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Serve the drawing program from our own host: the theme would ask another one for it."""
    files.append(File.generated(config, "assets/mermaid.js", content=MERMAID.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Leave of a link into the sources its words: the site holds the pages alone."""
    depth = page.file.src_uri.count("/")
    return UPWARDS.sub(lambda link: link[1] if link[2].count("../") > depth else link[0], markdown)


def on_nav(nav: Any, **_: Any) -> Any:
    """Put the start first, then the four kinds of pages in the order in which they are needed, as the start lists them."""
    listed = LINK.findall((ROOT / "docs/index.md").read_text(encoding="utf-8"))

    def place(item: Any) -> int:
        if item.is_page:
            return -1 if item.file.src_uri == "index.md" else len(ORDER)
        return ORDER.index(item.title)

    nav.items.sort(key=place)
    for section in nav.items:
        if section.is_section:
            section.children.sort(
                key=lambda child: (
                    listed.index(child.file.src_uri)
                    if child.is_page and child.file.src_uri in listed
                    else len(listed)
                )
            )
    return nav


def on_post_page(output: str, **_: Any) -> str:
    """Spare pages without a drawing the drawing program: it is large."""
    return output if 'class="mermaid"' in output else SCRIPT.sub("", output)
