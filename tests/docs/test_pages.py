"""The pages of the documentation: examples run, links lead somewhere, and the reader that says so can tell a lie."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import Answer, Block, Reader, Request, blocks, matches

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
SOURCE = re.compile(r"""(?:src|href|srcset)="([^"]+)\"""")
TUTORIALS = {"a-trade-by-api.md"}  # run by test_tutorial.py


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def of_language(language: str) -> list[Path]:
    return [page for page in PAGES if any(block.language == language for block in blocks(page))]


@pytest.mark.parametrize("page", of_language("python"), ids=names(of_language("python")))
def test_python_examples_run(page: Path) -> None:
    """Every `python` block, in the order of the page and in one module. What it claims, it asserts itself."""
    module: dict[str, object] = {"__name__": f"docs.{page.stem}"}
    for block in blocks(page):
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), module)


def shown_commands() -> list[tuple[Path, Block]]:
    found = [(page, block) for page in PAGES for block in blocks(page) if block.language == "console"]
    return [(page, block) for page, block in found if page.name not in TUTORIALS]


@pytest.mark.parametrize(("page", "block"), shown_commands(), ids=lambda value: getattr(value, "name", ""))
def test_console_examples_print_what_they_show(page: Path, block: Block) -> None:
    """A `console` block is one command of the installation and what it prints."""
    command, _, shown = block.text.partition("\n")
    words = command.removeprefix("$ ").split()
    assert words[0] == ".venv/bin/huangpu", f"{page.name}:{block.line}: the test cannot run “{command}”"
    ran = subprocess.run([sys.executable, "-m", "huangpu", *words[1:]], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    matches(shown.rstrip().split("\n"), ran.stdout.rstrip().split("\n"), {}, f"{page.name}:{block.line}")


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is there."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`", "", text)
    for target in [*LINK.findall(text), *SOURCE.findall(text)]:
        if not re.match(r"[a-z]+:|#|/", target):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target} is not there"


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    linked = {(ROOT / "docs" / target.split("#")[0]).resolve() for target in LINK.findall(index)}
    for page in (ROOT / "docs").rglob("*.md"):
        decision = page.parent.name == "decisions" and page.name != "README.md"
        if page != ROOT / "docs" / "README.md" and not decision:
            assert page.resolve() in linked, f"docs/README.md does not name {page.relative_to(ROOT)}"


def test_decisions_are_numbered_once_and_indexed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = [page for page in folder.glob("*.md") if page.name != "README.md"]
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers), sorted(numbers)
    for page in pages:
        assert f"({page.name})" in index, f"docs/decisions/README.md does not name {page.name}"
        assert page.read_text().startswith(f"# {int(page.name[:4])}. "), f"{page.name} does not begin with its number"


# ── the reader itself ────────────────────────────────────────────────────────────────────────────────────────────────

ANSWER = '{"id": "17", "state": "open", "lines": [{"n": 1}, {"n": 2}, {"n": 3}]}'


def read(shown: str, tmp_path: Path, answer: str = ANSWER, status: int = 200) -> Reader:
    from huangpu.core import clock

    def send(request: Request) -> Answer:
        assert (request.method, request.url) == ("POST", "http://here/things")
        assert (request.headers["X-Name"], request.body) == ("a b", '{"lot": "L"}')
        return Answer(status, {"content-type": "application/json"}, answer)

    page = tmp_path / "page.md"
    page.write_text(
        '```bash\nSITE=http://here\nLOT=L\ncurl -i "$SITE/things" \\\n  -H "X-Name: a b" --json @- <<EOF\n'
        f'{{"lot": "$LOT"}}\nEOF\n```\n```http\n{shown}\n```\n'
    )
    reader = Reader(send, str, lambda _seconds: None, clock.now, str)
    reader.run(page)
    return reader


@pytest.mark.parametrize(
    "shown",
    [
        'HTTP/1.1 200 OK\nContent-Type: application/json\n\n{"state": "open"}',
        'HTTP/1.1 200 OK\n\n{"id": "…", "state": "o…n", "lines": ["…", {"n": 2}, "…"]}',
        'HTTP/1.1 200 OK\n\n{"id": "$THING", "lines": [{"n": 1}, {}, {"n": 3}]}',
    ],
)
def test_a_page_that_tells_the_truth_passes(shown: str, tmp_path: Path) -> None:
    reader = read(shown, tmp_path)
    assert (reader.requests, reader.compared) == (1, 1)
    if "$THING" in shown:
        assert reader.names["THING"] == "17"


@pytest.mark.parametrize(
    "shown",
    [
        "HTTP/1.1 201 Created",
        "HTTP/1.1 200 OK\nContent-Type: text/html",
        'HTTP/1.1 200 OK\n\n{"state": "closed"}',
        'HTTP/1.1 200 OK\n\n{"name": "…"}',
        'HTTP/1.1 200 OK\n\n{"lines": [{"n": 1}]}',
        'HTTP/1.1 200 OK\n\n{"lines": ["…", {"n": 3}, {"n": 2}]}',
        'HTTP/1.1 200 OK\n\n{"lines": ["…", {"n": 4}, "…"]}',
        'HTTP/1.1 200 OK\n\n{"id": "$LOT"}',
    ],
)
def test_a_page_that_lies_is_caught(shown: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md"):
        read(shown, tmp_path)
