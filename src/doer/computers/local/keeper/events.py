"""What befell a computer, a line of JSON each, in a file that is not seen inside."""

import json
import time
from pathlib import Path

MAX_BYTES = 1 << 20
FILE = "events.jsonl"


def tell(what: str, said: str) -> None:
    """`what`: memory, disk, processes, or ended. A full file makes room by becoming the old one."""
    path = Path(FILE)
    if path.exists() and path.stat().st_size > MAX_BYTES:
        path.replace(f"{FILE}.old")
    with path.open("a") as file:
        file.write(json.dumps({"at": time.time(), "what": what, "said": said}) + "\n")
