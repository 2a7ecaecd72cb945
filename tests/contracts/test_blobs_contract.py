"""What every blob store must do, run over each implementation."""

import hashlib

import pytest

from doer.errors import StoreError
from doer.store.blobs import FolderBlobs, MemoryBlobs


@pytest.fixture(params=["memory", "folder"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else FolderBlobs(tmp_path / "blobs")


@pytest.mark.parametrize("content", [b"", b"picture", bytes(range(256)) * 100])
def test_what_is_put_can_be_got_by_its_digest(blobs, content):
    digest = blobs.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert blobs.get(digest) == content
    assert blobs.put(content) == digest


def test_a_blob_that_is_not_there_is_an_error(blobs):
    with pytest.raises(StoreError, match="no blob"):
        blobs.get("0" * 64)
