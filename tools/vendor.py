"""Fetch the front-end files that pages use and write their lock: `python tools/vendor.py` (needs Node's npm).

Only a maintainer who changes a version runs this. What it writes is committed, and a test compares the files with the lock.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "src/huangpu/core/web/static/vendor"

# package → version, licence, and which of its files become which of ours
PACKAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "@picocss/pico": ("2.1.1", "MIT", {"css/pico.min.css": "pico.min.css", "LICENSE.md": "licences/pico.txt"}),
    "htmx.org": ("2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "licences/htmx.txt"}),
    "uplot": (
        "1.6.32",
        "MIT",
        {
            "dist/uPlot.iife.min.js": "uplot.min.js",
            "dist/uPlot.min.css": "uplot.min.css",
            "LICENSE": "licences/uplot.txt",
        },
    ),
    "@fontsource-variable/inter": (
        "5.3.0",
        "OFL-1.1",
        {
            "files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
            "files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
            "files/inter-cyrillic-wght-normal.woff2": "inter-cyrillic.woff2",
            "LICENSE": "licences/inter.txt",
        },
    ),
    "lucide-static": ("1.62.0", "ISC", {"LICENSE": "licences/lucide.txt"}),
}

# one sprite of the few icons we use, drawn by `{% icon "name" %}`
ICONS = """
activity arrow-down-up arrow-left arrow-right arrow-up-right badge-check ban banknote bell briefcase-business
building-2 calendar calendar-clock chart-line check chevron-down chevron-left chevron-right circle
circle-check circle-dashed circle-dot circle-help circle-x clock coins copy download ellipsis external-link
credit-card eye factory file-check file-lock file-text file-up filter fingerprint gavel globe handshake hourglass inbox
info key-round landmark layers list lock log-in log-out mail map-pin menu message-circle message-square
monitor moon package package-check pencil plus printer qr-code receipt refresh-cw route scale search send settings
shield-check smartphone sun trash-2 trending-down triangle-alert truck undo-2 upload user users wallet warehouse
waypoints workflow x zap
"""


def main() -> None:
    """Fetch, extract, build the sprite, write vendor.lock.json."""
    lock = []
    for package, (version, licence, files) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            root = fetch(package, version, Path(folder))
            for source, name in files.items():
                write(name, (root / source).read_bytes())
                lock.append(entry(name, package, version, licence, source))
            if package == "lucide-static":
                write("icons.svg", sprite(root / "icons").encode())
                lock.append(entry("icons.svg", package, version, licence, "icons/*.svg, joined by tools/vendor.py"))
    text = json.dumps(sorted(lock, key=lambda row: row["file"]), indent=2, ensure_ascii=False)
    (VENDOR / "vendor.lock.json").write_text(text + "\n")


def fetch(package: str, version: str, folder: Path) -> Path:
    """The extracted npm package."""
    subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def sprite(icons: Path) -> str:
    """One SVG with a symbol for each icon; stroke and size are given by the page's own style sheet."""
    symbols = []
    for name in sorted(set(ICONS.split())):
        source = (icons / f"{name}.svg").read_text()
        inner = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
        assert inner, name
        body = re.sub(r"\s*\n\s*", "", inner[1])
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    head = '<svg xmlns="http://www.w3.org/2000/svg"><!-- lucide-static, ISC -->\n'
    return head + "\n".join(symbols) + "\n</svg>\n"


def write(name: str, content: bytes) -> None:
    path = VENDOR / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def entry(name: str, package: str, version: str, licence: str, source: str) -> dict[str, str]:
    digest = hashlib.sha256((VENDOR / name).read_bytes()).hexdigest()
    return {
        "file": name,
        "package": package,
        "version": version,
        "licence": licence,
        "source": source,
        "sha256": digest,
    }


if __name__ == "__main__":
    main()
