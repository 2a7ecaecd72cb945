"""A real Chromium behind the proxy: a routed site over HTTP and HTTPS, with its WebSockets."""

import asyncio
import contextlib
import hashlib
import os
import signal
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from proxy_rig import Rig, careless, door, page

from doer.computers.browser import chromium
from doer.records.computer import NetworkRules, Route

PATIENCE_S = 50
PAGE = """<!doctype html><title>Shop</title><script>
const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
socket.onmessage = async (event) => {
  const answer = await fetch("/data?heard=" + event.data);
  await fetch("//evil.test/").catch(() => {});
  location = "/done?" + location.protocol + await answer.text();
};
</script>"""


class Shop:
    """Serves `PAGE`, greets a WebSocket, and waits to be told that it is done."""

    def __init__(self) -> None:
        self.done: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                if path == "/ws":
                    await self._greet(reader, writer, head)
                    break
                if path.startswith("/done"):
                    self.done.put_nowait(path)
                html = "Content-Type: text/html\r\nAccess-Control-Allow-Origin: *\r\n"
                writer.write(page(PAGE if path == "/" else "42", html))
        writer.close()

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str
    ) -> None:
        key = head.lower().split("sec-websocket-key: ")[1].split("\r")[0]
        given = head[head.lower().index(key) :][: len(key)]
        digest = hashlib.sha1((given + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = b64encode(digest).decode()
        writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
            + b"\x81\x05hello"
        )
        await reader.read()


async def leaf_pin(rig: Rig) -> str:
    """What lets Chromium trust the certificate that the proxy shows for shop.test."""
    _, writer = await rig.tunnel("shop.test", 443)
    await writer.start_tls(careless(), server_hostname="shop.test")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    key = x509.load_der_x509_certificate(shown).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    spki = key.public_bytes(serialization.Encoding.DER, form)
    return b64encode(hashlib.sha256(spki).digest()).decode()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_page_its_requests_and_its_websocket(tmp_path, scheme):
    shop = Shop()
    async with await asyncio.start_server(shop.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),))
        async with door(tmp_path, rules) as rig:
            browser = await asyncio.create_subprocess_exec(
                chromium.find(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--proxy-server=http://127.0.0.1:{rig.port}",
                f"--ignore-certificate-errors-spki-list={await leaf_pin(rig)}",
                f"{scheme}://shop.test/",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(PATIENCE_S):
                    done = await shop.done.get()
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(browser.pid, signal.SIGKILL)
                await browser.wait()
            assert done == f"/done?{scheme}:42"
            lines = await rig.lines(5)
            assert any(one.path == "/ws" and one.status == 101 for one in lines)
            assert any(one.host == "evil.test" and one.verdict == "denied" for one in lines)
            assert all(one.verdict != "denied" for one in lines if one.host == "shop.test")
