"""The text view beside trafilatura and Playwright's accessibility snapshot: what is kept, how many
tokens it takes, how long it takes. Pages are served here: synthetic ones, of which every cell, line
of code and word of boilerplate is known, and documentation found on the disk. What a page holds is
asked of Chromium: the words it shows, its cells, its code. Run:

    python benchmarks/text_view.py [--peers VENV] [--docs FOLDER ...]

VENV is a virtual environment with trafilatura, lxml_html_clean and playwright, which is given the
same Chromium. `junk` counts words of boilerplate in the first 4 KiB, the part that is read first.
"""

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from doer.computers.browser import chromium
from doer.computers.browser.cdp import Connection
from doer.computers.text.extract import extract
from doer.computers.text.page import Fetched
from doer.computers.text.reader import Reader
from doer.computers.text.view import tokens

SIZES = 4_000, 400_000  # bytes of a page of documentation that is taken
TRUTH_JS = """(() => {
  const clean = (text) => text.replace(/\\s+/g, " ").trim();
  const leaf = (cell) => !cell.querySelector("table, pre") && cell.checkVisibility();
  const all = [...document.querySelectorAll("td, th")];
  const cells = all.filter(leaf).map((cell) => clean(cell.innerText));
  const code = [...document.querySelectorAll("pre")].filter((pre) => pre.checkVisibility());
  const words = document.body.innerText;
  code.forEach((pre) => pre.querySelectorAll("button, input").forEach((one) => one.remove()));
  const parts = (pre) => pre.querySelectorAll(":scope > code + code").length
    ? [...pre.querySelectorAll(":scope > code")] : [pre];
  const lines = code.flatMap(parts).flatMap((one) => one.innerText.split("\\n"));
  return {
    words,
    cells: cells.filter((text) => text.length > 1 && text.length < 200),
    code: lines.map((line) => line.trimEnd()).filter(Boolean),
    fields: [...document.querySelectorAll("[data-truth]")].map((one) => one.dataset.truth),
  };
})()"""
PEERS_PY = """
import json, sys, time
from pathlib import Path
folder, program = Path(sys.argv[1]), sys.argv[2]
pages = json.loads((folder / "pages.json").read_text())
out = {"trafilatura": [], "trafilatura, recall": [], "aria snapshot": []}
def best(make):
    times = []
    for _ in range(3):
        began = time.perf_counter()
        text = make()
        times.append((time.perf_counter() - began) * 1e3)
    return [text or "", min(times)]
import trafilatura
for page in pages:
    html = (folder / page["file"]).read_bytes()
    for name, favour in (("trafilatura", False), ("trafilatura, recall", True)):
        out[name].append(best(lambda: trafilatura.extract(
            html, output_format="markdown", include_tables=True, include_formatting=True,
            favor_recall=favour)))
from playwright.sync_api import sync_playwright
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path=program)
    tab = browser.new_page()
    for page in pages:
        tab.goto(page["url"])
        out["aria snapshot"].append(best(lambda: tab.locator("body").aria_snapshot()))
    browser.close()
(folder / "out.json").write_text(json.dumps(out))
"""
Texts = list[tuple[str, float]]
"""Of each page: the text, and the milliseconds that making it took at best."""


def word(dice: random.Random) -> str:
    return "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(3))


def prose(dice: random.Random, count: int) -> str:
    return " ".join(word(dice) for _ in range(count)).capitalize() + "."


def synthetic(seed: int) -> str:
    """A page of an article, a table, code and a form between menus, adverts and a footer. All
    words of what is around it begin with `zz`."""
    dice = random.Random(seed)

    def junk(count: int) -> str:
        return " ".join("zz" + word(dice) for _ in range(count))

    menu = "".join(f"<li><a href=/{n}>{junk(2)}</a>" for n in range(40))
    rows = "".join(
        f"<tr><td>{word(dice)} {n}<td>{dice.randint(1, 999)} €<td><a href=/i/{n}>{word(dice)}</a>"
        for n in range(12)
    )
    code = "\n".join(
        "    " * (n % 4) + f"{word(dice)} = {word(dice)}[{n}]  &lt;- {word(dice)}"
        for n in range(20)
    )
    fields = [word(dice) for _ in range(5)]
    form = "".join(
        f"<p><label for=f{n}>{name.capitalize()}</label> <input id=f{n} name={name} value=v{name}"
        f' data-truth="{name.capitalize()}|v{name}">'
        for n, name in enumerate(fields)
    )
    paragraphs = "".join(f"<p>{prose(dice, 60)} <a href=/a>{word(dice)}</a></p>" for _ in range(6))
    footer = "".join(f"<a href=/f{n}>{junk(2)}</a> " for n in range(20))
    return f"""<!doctype html><html lang=en><meta charset=utf-8><title>{word(dice)}</title>
    <header><nav><ul>{menu}</ul></nav>
    <div class=banner>{junk(25)} <button>zzaccept</button></div></header>
    <main><h1>{prose(dice, 4)}</h1>{paragraphs}<h2>{word(dice)}</h2>
    <table><thead><tr><th>Name<th>Price<th>Detail</thead><tbody>{rows}</table>
    <ol><li>{prose(dice, 8)}<ul><li>{prose(dice, 8)}</ul><li>{prose(dice, 8)}</ol>
    <pre><code class=language-x>{code}</code></pre>
    <form action=/send method=post>{form}<button>Send</button></form></main>
    <aside>{junk(60)}</aside><footer>{footer}</footer>"""


@contextmanager
def served(pages: list[bytes]) -> Iterator[str]:
    """The address below which `/N` is page N."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.strip("/")
            body = pages[int(name)] if name.isdigit() and int(name) < len(pages) else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A Chromium that is killed leaves in the middle."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def found(folders: list[Path], count: int) -> list[bytes]:
    """Pages of documentation, evenly from all there are."""
    files = sorted({file for folder in folders for file in folder.rglob("*.html")})
    files = [f for f in files if f.is_file() and SIZES[0] <= f.stat().st_size <= SIZES[1]]
    random.Random(0).shuffle(files)
    return [file.read_bytes() for file in files[:count]]


async def ours(origin: str, pages: list[bytes]) -> tuple[list[Any], Texts, list[float]]:
    """The truth of each page; our text with the time of extraction; the time of whole fetches."""
    running = await chromium.start()
    try:
        context = (await running.connection.call("Target.createBrowserContext"))["browserContextId"]
        truths = await asked(running.connection, context, origin, len(pages))
        texts: Texts = []
        fetches: list[float] = []
        async with Reader(running.connection, context) as reader:
            await reader.fetch(f"{origin}/0")
            for number, content in enumerate(pages):
                url = f"{origin}/{number}"
                began = time.perf_counter()
                document = await reader.fetch(url)
                fetches.append((time.perf_counter() - began) * 1e3)
                page = Fetched(url=url, content=content, content_type="text/html")
                texts.append(("\n".join(document.lines), best(page)))
        return truths, texts, fetches
    finally:
        await running.close()


def best(page: Fetched) -> float:
    """Milliseconds of making text of a page: the best of three."""
    times: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        extract(page)
        times.append((time.perf_counter() - began) * 1e3)
    return min(times)


async def asked(connection: Connection, context: str, origin: str, count: int) -> list[Any]:
    place = {"url": "about:blank", "browserContextId": context}
    target = (await connection.call("Target.createTarget", place))["targetId"]
    attach = {"targetId": target, "flatten": True}
    session = (await connection.call("Target.attachToTarget", attach))["sessionId"]
    loaded = "new Promise(r => document.readyState === 'complete' ? r() : onload = () => r())"
    truths: list[Any] = []
    for number in range(count):
        await connection.call("Page.navigate", {"url": f"{origin}/{number}"}, session)
        for expression in (loaded, TRUTH_JS):
            params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
            answer = await connection.call("Runtime.evaluate", params, session)
        truths.append(answer["result"]["value"])
    return truths


def peers(venv: Path, origin: str, pages: list[bytes]) -> dict[str, Texts]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        index: list[dict[str, str]] = []
        for number, content in enumerate(pages):
            (folder / f"{number}.html").write_bytes(content)
            index.append({"file": f"{number}.html", "url": f"{origin}/{number}"})
        (folder / "pages.json").write_text(json.dumps(index))
        arguments = [venv / "bin/python", "-c", PEERS_PY, folder, chromium.find()]
        subprocess.run(arguments, check=True, stderr=sys.stderr)
        return json.loads((folder / "out.json").read_text())


LINK = re.compile(r"【\d+†([^】†]*)(?:†[^】]*)?】")


def plain(text: str) -> str:
    """Without the marks of links, ours and Markdown's, so that only words are compared."""
    return LINK.sub(r"\1", text).replace("`", "").replace("**", "")


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text.lower()))


def folded(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+|€", text.lower()))


class Score:
    """Sums over pages."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.all: Counter[str] = Counter()
        self.tokens: list[int] = []
        self.junk: list[int] = []
        self.ms: list[float] = []

    def add(self, truth: Any, text: str, ms: float) -> None:
        self._count("words", words(truth["words"]), words(plain(text)))
        lines = Counter(line.rstrip() for line in text.splitlines())
        self._count("code", Counter(truth["code"]), lines)
        flat = f" {folded(plain(text))} "
        cells = [folded(cell) for cell in truth["cells"]]
        self.all["cells"] += len(cells)
        self.kept["cells"] += sum(f" {cell} " in flat for cell in cells)
        self.all["fields"] += len(truth["fields"])
        for field in truth["fields"]:
            name, value = field.split("|")
            self.kept["fields"] += any(name in line and value in line for line in lines)
        self.tokens.append(tokens(text))
        head = text[: 4 * 1024]
        self.junk.append(len(re.findall(r"\bzz\w+", head)))
        self.ms.append(ms)

    def _count(self, what: str, truth: Counter[str], got: Counter[str]) -> None:
        self.all[what] += truth.total()
        self.kept[what] += (truth & got).total()

    def row(self) -> str:
        shares = (
            f"{self.kept[what] / self.all[what]:7.1%}" if self.all[what] else "      -"
            for what in ("words", "cells", "code", "fields")
        )
        rest = f"{statistics.median(self.tokens):8.0f} {statistics.median(self.junk):6.0f}"
        return f"{' '.join(shares)} {rest} {statistics.median(self.ms):9.1f} {max(self.ms):8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="a venv with trafilatura and playwright")
    parser.add_argument("--docs", type=Path, nargs="*", default=[Path("/usr/share/doc")])
    parser.add_argument("--count", type=int, default=40, help="pages of documentation")
    parser.add_argument("--synthetic", type=int, default=10, help="synthetic pages")
    options = parser.parse_args()
    sets = {
        "synthetic": [synthetic(seed).encode() for seed in range(options.synthetic)],
        "documentation": found(options.docs, options.count),
    }
    for name, pages in sets.items():
        if not pages:
            continue
        with served(pages) as origin:
            truths, texts, fetches = asyncio.run(ours(origin, pages))
            rows = {"doer": texts}
            if options.peers:
                rows |= peers(options.peers, origin, pages)
        size = statistics.median(map(len, pages)) / 1000
        print(f"\n{name}: {len(pages)} pages, median {size:.0f} kB; fetched in {fetched(fetches)}")
        print(f"{'':20} {'words':>7} {'cells':>7} {'code':>7} {'fields':>7} {'tokens':>8}", end=" ")
        print(f"{'junk':>6} {'ms':>9} {'max ms':>8}")
        scores = {row: scored(truths, texts) for row, texts in rows.items()}
        for row, score in scores.items():
            print(f"{row:20} {score.row()}")
        first = scores.pop("doer")
        for row, score in scores.items():
            slower = statistics.median(b / a for a, b in zip(first.ms, score.ms, strict=True))
            more = sum(score.tokens) / sum(first.tokens)
            print(f"{row} to doer: {slower:.1f} x the time, {more:.2f} x the tokens")


def scored(truths: list[Any], texts: Texts) -> Score:
    score = Score()
    for truth, (text, ms) in zip(truths, texts, strict=True):
        score.add(truth, text, ms)
    return score


def fetched(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} ms (median; {max(times):.0f} at most)"


if __name__ == "__main__":
    main()
