"""The pages: server-rendered, with modules of our own for what moves; the same services as ``api/``."""
