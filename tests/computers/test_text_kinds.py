"""What a fetched thing is: its type, its characters, and what is made of each kind."""

import pytest

from doer.computers.text.charset import decode
from doer.computers.text.extract import extract
from doer.computers.text.page import Fetched
from doer.computers.text.picture import size_of
from doer.errors import ToolError
from doer.records.document import Document

pytestmark = pytest.mark.slow  # real processes and sockets

URL = "http://a.test/thing"
FONT = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"


def made(content: bytes, kind: str = "", **more: str) -> Document:
    return extract(Fetched(url=URL, content=content, content_type=kind, **more)).document


def pdf(*pages: str) -> bytes:
    """A PDF of a line of text a page."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    out = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    out += f"2 0 obj<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>endobj\n".encode()
    for n, text in enumerate(pages):
        draw = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
        out += f"{3 + 2 * n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]".encode()
        out += f"/Contents {4 + 2 * n} 0 R/Resources".encode() + FONT + b">>endobj\n"
        out += f"{4 + 2 * n} 0 obj<</Length {len(draw)}>>stream\n".encode() + draw
        out += b"\nendstream endobj\n"
    return out + b"trailer<</Root 1 0 R>>\n"


@pytest.mark.parametrize(
    ("content", "header", "expected"),
    [
        ("Łódź".encode("iso8859-2"), "ISO-8859-2", "Łódź"),
        ("é“".encode("cp1252"), "latin1", "é“"),
        (b"\xef\xbb\xbf\xc3\xa9", "iso-8859-1", "é"),  # the mark wins over the header
        ("é".encode("utf-16"), "", "é"),
        ("<meta charset=windows-1251>Привет".encode("cp1251"), "", None),
        ('<?xml version="1.0" encoding="euc-jp"?>日本'.encode("euc-jp"), "", None),
        ('<html lang="ru">Привет'.encode("cp1251"), "", None),
        ("<meta charset=utf-16>é".encode(), "", None),
        ("naïve".encode(), "", "naïve"),
        ("naïve".encode("cp1252"), "", "naïve"),
        ("naïve".encode(), "no-such-charset", "naïve"),
        (b"cevy", "rot13", "cevy"),
        (b"\xff\xfe", "zlib", ""),
        ("日本".encode()[:-1], "", "日"),  # cut off in the middle of a character
    ],
)
def test_characters_are_read_as_a_browser_reads_them(
    content: bytes, header: str, expected: str | None
):
    text = decode(content, header)
    assert "�" not in text
    if expected is not None:
        assert text == expected
    else:
        assert text.endswith(("Привет", "日本", "é"))


def test_a_pdf_is_read_page_by_page():
    document = made(pdf("First of all", "Then"), "application/pdf")
    assert document.lines == ("[page 1]", "First of all", "[page 2]", "Then")
    assert document.pages == (1, 3)
    assert document.kind == "pdf"


def test_a_pdf_is_known_by_its_bytes():
    assert made(pdf("x"), "application/octet-stream").kind == "pdf"


def test_a_pdf_without_text_says_so():
    assert "pictures" in made(pdf(""), "application/pdf").notes[0]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nrubbish", b"\0" * 5000])
def test_a_broken_pdf_is_refused(content: bytes):
    with pytest.raises(ToolError, match="this PDF is broken"):
        made(content, "application/pdf")


def test_an_encrypted_pdf_is_refused():
    content = pdf("secret").replace(
        b"trailer<<",
        b"9 0 obj<</Filter/Standard/V 1/R 2/P -4/O("
        + b"o" * 32
        + b")/U("
        + b"u" * 32
        + b")>>endobj\n"
        b"trailer<</Encrypt 9 0 R/ID[(a)(a)]",
    )
    with pytest.raises(ToolError, match="encrypted"):
        made(content, "application/pdf")


def test_text_keeps_its_lines_and_json_on_one_line_is_indented():
    assert made(b"a\r\n  b\n\nc", "text/plain").lines == ("a", "  b", "", "c")
    assert made(b'{"a":1}', "application/json").lines == ('{"a":1}',)
    long = b'{"a": [' + b"1," * 300 + b"1]}"
    assert made(long, "application/ld+json").lines[:3] == ("{", ' "a": [', "  1,")
    assert made(b"[" * 5000, "application/json").lines[0].startswith("[[[")


def test_a_line_without_end_is_divided():
    document = made(b"x" * 2500, "text/plain")
    assert [len(line) for line in document.lines] == [1001, 1001, 500]


def test_an_unknown_type_is_known_by_its_bytes():
    assert made(b" <!DOCTYPE html><p>x").lines == ("x",)
    assert made(b"just words").lines == ("just words",)
    assert made(b"\0\1\2").kind == "file"


def test_files_and_pictures_say_what_they_are():
    zipped = made(b"PK", "application/zip", disposition='attachment; filename="a b.zip"')
    assert zipped.lines[0].startswith("[a b.zip: application/zip, 2 bytes")
    gif = made(b"GIF89a\x10\0\x20\0", "image/gif")
    assert "16 x 32 pixels" in gif.lines[0]
    assert "image/gif, 3 bytes" in made(b"GIF", "image/gif").lines[0]


def test_sizes_of_pictures():
    assert size_of(b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x11\x08\0\x10\0\x20\3") == (32, 16)
    assert size_of(b"\xff\xd8\xff\xe0\0") is None
    webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x1f\0\0"
    assert size_of(webp) == (16, 32)
    assert size_of(b"") is None
