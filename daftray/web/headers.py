"""Headers of pages and of what they bring: nothing runs, and nothing is asked, that is not ours."""

from __future__ import annotations

from daftray.api.headers import SAFE_HEADERS

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    # No text becomes markup or code in a page but by the one policy of `live.js`, which takes our own pages.
    "require-trusted-types-for 'script'",
    "trusted-types daftray",
)

PAGE_HEADERS = {
    **SAFE_HEADERS,
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    # Not `no-referrer`: with it a browser sends `Origin: null` with our own forms (Fetch, section 3.2).
    "Referrer-Policy": "same-origin",
}
"""What comes with every page."""

ASSET_HEADERS = {
    **SAFE_HEADERS,
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What comes with a file; one whose address names its content is kept for a year (`KEEP`)."""
KEEP = "public, max-age=31536000, immutable"
