"""Bytes to characters as a browser does it: byte order mark, header, declaration, then a guess."""

import codecs
import re

MARKS = ((codecs.BOM_UTF8, "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
SCAN = 4096  # bytes in which a declaration is looked for; the standard says 1024
DECLARED = re.compile(
    rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml[^>]{0,200}?encoding=["']([\w.:-]{1,40})""",
    re.I,
)
LANGUAGE = re.compile(rb"""<html[^>]{0,500}?\slang=["']?([a-zA-Z]{2})""", re.I)
GUESSES = {
    **dict.fromkeys(("ru", "uk", "bg", "be", "sr", "mk"), "cp1251"),
    **{"ja": "cp932", "ko": "cp949", "zh": "gb18030", "el": "cp1253", "he": "cp1255"},
    **{"ar": "cp1256", "fa": "cp1256", "tr": "cp1254", "th": "cp874", "vi": "cp1258"},
    **dict.fromkeys(("pl", "cs", "hu", "sk", "hr", "sl", "ro"), "cp1250"),
    **dict.fromkeys(("lt", "lv", "et"), "cp1257"),
}
WIDER = {  # names that the web means differently, or that Python does not know
    **dict.fromkeys(
        ("ascii", "us-ascii", "iso-8859-1", "latin1", "latin-1", "iso8859-1"), "cp1252"
    ),
    **dict.fromkeys(("iso-8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "korean", "windows-949"), "cp949"),
    **{"tis-620": "cp874", "iso-8859-11": "cp874", "x-user-defined": "cp1252", "big5": "big5hkscs"},
    **dict.fromkeys(("unicode", "utf-16", "ucs-2"), "utf-16-le"),
}
KNOWN = re.compile(
    r"utf-?8|utf-?16-?(le|be)|(windows-|cp)(125[0-8]|866|874|93[26]|949|950)|iso-?8859-?\d{1,2}"
    r"|koi8-?[ru]|big5(hkscs)?|gb18030|euc[-_]jp|iso-2022-jp|mac-?(roman|cyrillic)|macintosh"
)


def decode(content: bytes, header: str = "") -> str:
    """`header` is the charset of the content type. What cannot be decoded becomes U+FFFD."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    if named := _known(header):
        return content.decode(named, "replace")
    if found := DECLARED.search(content, 0, SCAN):
        declared = (found[1] or found[2]).decode("ascii")
        if named := _known(declared):
            # A declaration that could be read as ASCII is not in UTF-16, whatever it says.
            return content.decode("utf-8" if "16" in named else named, "replace")
    return _guessed(content)


def _known(name: str) -> str:
    """Python's name for an encoding of the web, or "". Codecs that are no encodings stay out."""
    name = name.strip().strip("\"'").lower()
    name = WIDER.get(name, name)
    return name if KNOWN.fullmatch(name) else ""


def _guessed(content: bytes) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)  # may end within a character
    except UnicodeDecodeError:
        found = LANGUAGE.search(content, 0, SCAN)
        language = found[1].decode("ascii").lower() if found else ""
        return content.decode(GUESSES.get(language, "cp1252"), "replace")
