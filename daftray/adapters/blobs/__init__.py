"""Blobs, over obstore."""

from daftray.adapters.blobs.store import ObjectBlobs

__all__ = ["ObjectBlobs"]
