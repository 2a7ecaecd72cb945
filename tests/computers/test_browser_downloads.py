"""Files that go down and up, in a real Chromium."""

import asyncio

import msgspec
import pytest

from doer.computers.browser.browser import Browser
from doer.computers.browser.cdp import Command, Connection
from doer.computers.browser.downloads import Downloads
from doer.computers.browser.notes import Notes
from doer.errors import ToolError
from tests.computers.conftest import Site

slow = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
READ = """(async () => { const files = document.querySelector("input[type=file]").files;
return Promise.all([...files].map(async (file) => [file.name, await file.text()])); })()"""


class Wire(Connection):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Command] = []

    def send(self, method: str, params: dict[str, object] | None = None, session: str = ""):
        self.sent.append((method, params or {}))
        return super().send(method, params, session)


def told(downloads: Downloads, method: str, **params: object) -> None:
    downloads.hear(f"Browser.{method}", msgspec.Raw(msgspec.json.encode(params)))


def progress(downloads: Downloads, received: int, total: int, state: str = "inProgress") -> None:
    sizes = {"receivedBytes": received, "totalBytes": total}
    told(downloads, "downloadProgress", guid="g", state=state, **sizes)


async def test_a_huge_download_is_cancelled_as_soon_as_its_size_is_known() -> None:
    wire, notes = Wire(), Notes()
    downloads = Downloads(wire, "/home/agent/Downloads", notes, 1 << 30)
    told(downloads, "downloadWillBegin", guid="g", url="http://x/", suggestedFilename="big.iso")
    size = 10_000_000_000
    told(
        downloads,
        "downloadProgress",
        guid="g",
        totalBytes=size,
        receivedBytes=9,
        state="inProgress",
    )
    assert wire.sent == [("Browser.cancelDownload", {"guid": "g"})]
    told(
        downloads,
        "downloadProgress",
        guid="g",
        totalBytes=size,
        receivedBytes=99,
        state="inProgress",
    )
    assert len(wire.sent) == 1
    told(
        downloads, "downloadProgress", guid="g", totalBytes=size, receivedBytes=99, state="canceled"
    )
    await downloads.settled(1)
    limit = "10,000,000,000 bytes are too many, the limit is 1,073,741,824"
    assert notes.take() == (f"the download of big.iso was cancelled: {limit}",)
    assert [(one.name, one.state, one.refused) for one in downloads.files()] == [
        ("big.iso", "canceled", True)
    ]


async def test_a_download_of_unknown_size_is_cancelled_when_it_grows_too_large() -> None:
    wire, notes = Wire(), Notes()
    downloads = Downloads(wire, "/d", notes, 1000)
    told(downloads, "downloadWillBegin", guid="g", url="http://x/", suggestedFilename="endless")
    for received in (500, 999):
        progress(downloads, received, 0)
        assert wire.sent == []
    progress(downloads, 1001, 0)
    assert wire.sent == [("Browser.cancelDownload", {"guid": "g"})]
    await downloads.settled(0)
    assert notes.take() == ("downloading endless: 1,001 bytes so far",)


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
class TestInChromium:
    async def test_a_file_is_downloaded_and_reported(self, profile: Browser, site: Site) -> None:
        site.files["/report.bin"] = ("application/octet-stream", b"x" * 16_000)
        await profile.open(site.page("<a href='/report.bin'>report</a>"))
        await profile.read()
        view = await profile.click(0)
        note = "downloaded report.bin (16,000 bytes) to /tmp/downloads/report.bin"
        assert await until(profile, note, view.notes)
        assert view.elements[0].name == "report"
        await profile.open(f"{site.origin}/report.bin")
        note += " in place of the one before"
        assert await until(profile, note, (await profile.read()).notes)
        await profile.open("file:///tmp/downloads")
        names = [element.name for element in (await profile.read()).elements]
        assert "report.bin" in names

    async def test_a_file_that_is_too_large_is_not_kept(self, profile: Browser, site: Site) -> None:
        site.huge["/big.bin"] = 10_000_000_000
        await profile.open(f"{site.origin}/big.bin")
        cancelled = "the download of big.bin was cancelled: 10,000,000,000 bytes are too many, "
        assert await until(profile, cancelled, (await profile.read()).notes)
        assert profile.alive

    async def test_files_go_into_an_input_by_reference(self, profile: Browser, site: Site) -> None:
        await self.have(profile, site, "one.txt", "two.txt")
        html = "<label>Papers <input type=file multiple></label><p id=out>-</p><script>"
        html += "document.querySelector('input').onchange = (e) => out.textContent = e.isTrusted"
        await profile.open(site.page(html + "</script>"))
        await profile.read()
        view = await profile.upload(0, ["/tmp/downloads/one.txt", "/tmp/downloads/two.txt"])
        assert view.elements[-1].name == "true"
        assert await profile.evaluate(READ) == [["one.txt", "one.txt"], ["two.txt", "two.txt"]]
        for paths, why in (([], "no file is named"), (["one.txt"], "is no absolute path")):
            with pytest.raises(ToolError, match=why):
                await profile.upload(0, paths)
        with pytest.raises(ToolError, match="takes no files"):
            await profile.upload(1, ["/tmp/downloads/one.txt"])
        with pytest.raises(ToolError, match="asks for no file"):
            await profile.upload(None, ["/tmp/downloads/one.txt"])

    async def test_a_page_that_asks_for_a_file_is_answered(
        self, profile: Browser, site: Site
    ) -> None:
        await self.have(profile, site, "one.txt")
        html = "<input type=file hidden><button onclick='this.previousSibling.click()'>Add</button>"
        await profile.open(site.page(html))
        await profile.read()
        view = await profile.click(0)
        asks = "the page asks for a file: upload what it is to get"
        assert await until(profile, asks, view.notes)
        with pytest.raises(ToolError, match="only one file can be given here, not 2"):
            await profile.upload(None, ["/a", "/b"])
        await profile.upload(None, ["/tmp/downloads/one.txt"])
        assert await profile.evaluate(READ) == [["one.txt", "one.txt"]]
        await profile.evaluate("document.querySelector('input').value = ''")
        await profile.upload(0, ["/tmp/downloads/one.txt"])
        assert await profile.evaluate(READ) == [["one.txt", "one.txt"]]

    async def test_files_go_into_an_input_of_a_frame(self, profile: Browser, site: Site) -> None:
        await self.have(profile, site, "one.txt")
        script = "document.querySelector('input').onchange = async (e) => "
        script += "out.textContent = await e.target.files[0].text()"
        site.page(f"<input type=file><p id=out>-</p><script>{script}</script>", "/frame")
        for host in ("b.localhost", "c.a.localhost"):
            site.page(f"<iframe src='{site.at(host, '/frame')}'></iframe>")
            await profile.open(site.at("a.localhost"))
            await profile.read()
            await profile.upload(0, ["/tmp/downloads/one.txt"])
            assert "one.txt" in [element.name for element in (await profile.read()).elements]

    async def have(self, profile: Browser, site: Site, *names: str) -> None:
        """Put files into Chromium's own world, each with its name as content."""
        there = {one.path for one in profile.profile.downloads.files() if one.state == "completed"}
        for name in names:
            if f"/tmp/downloads/{name}" not in there:
                site.files[f"/{name}"] = ("application/octet-stream", name.encode())
                await profile.open(f"{site.origin}/{name}")
                assert await until(profile, f"downloaded {name}", (await profile.read()).notes)


async def until(browser: Browser, note: str, notes: tuple[str, ...]) -> bool:
    """Whether a note comes, now or with a later view."""
    async with asyncio.timeout(20):
        while not any(one.startswith(note) for one in notes):
            notes = (await browser.read()).notes
    return True
