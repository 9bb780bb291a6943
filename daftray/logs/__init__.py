"""The archive of drivers' logs, byte-exact and chunked, and the stream that follows them."""
