"""The part of a computer's /etc that is made for it: its user, its name, no name servers, and the
authorities it trusts beyond those of the system."""

import hashlib
import json
import ssl
from base64 import b64encode
from pathlib import Path

from doer.computers.inside import HOME

LOCAL_AUTHORITIES = "usr/local/share/ca-certificates"
BUNDLE = "ssl/certs/ca-certificates.crt"


def write(
    folder: Path,
    name: str,
    system: Path,
    authorities: tuple[str, ...],
    user: tuple[int, int] = (1000, 1000),
) -> None:
    """Fill an empty folder. `authorities`: certificates as PEM that Chromium and OpenSSL trust in
    addition; those that this machine's administrator added are trusted as well. `user`: the
    agent's ids of user and group inside."""
    host = name.replace("_", "-").strip("-")
    policy = {"CACertificates": [*map(_encode, (*_local(system), *authorities))]}
    files = {
        "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
        f"agent:x:{user[0]}:{user[1]}:agent:{HOME}:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "group": f"root:x:0:\nagent:x:{user[1]}:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost {host}\n::1 localhost\n",
        "hostname": f"{host}\n",
        "machine-id": hashlib.sha256(f"{folder}".encode()).hexdigest()[:32] + "\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "resolv.conf": "",
        "chromium/policies/managed/doer.json": json.dumps(policy),
        "opt/chrome/policies/managed/doer.json": json.dumps(policy),
    }
    bundle = system / "etc" / BUNDLE
    if authorities and bundle.is_file():
        files[BUNDLE] = bundle.read_text() + "\n" + "\n".join(authorities)
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)


def _local(system: Path) -> list[str]:
    return [path.read_text() for path in sorted((system / LOCAL_AUTHORITIES).rglob("*.crt"))]


def _encode(pem: str) -> str:
    return b64encode(ssl.PEM_cert_to_DER_cert(pem.strip())).decode()
