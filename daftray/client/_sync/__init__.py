# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""The client, written once: ``_sync`` is made of this by ``python -m daftray.client.generate``."""
