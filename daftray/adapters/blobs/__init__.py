"""Blobs, over obstore."""
