"""AES-256-GCM for secrets at rest (NIST SP 800-38D), keys derived from one master key by HKDF (RFC 5869)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daftray.domain.errors import SecretUnreadableError
from daftray.domain.project import SealedSecret

_NONCE_BYTES = 12
_KEY_BYTES = 32


class AesGcmVault:
    """Seals and opens secrets under keys derived from a master key.

    The associated data is the secret's owner and name, so that a ciphertext moved to another row does not
    open there. ``key_id`` names the master key that sealed it, for rotation.
    """

    def __init__(self, master_key: bytes) -> None:
        self._key_id = hashlib.sha256(b"daftray key id\0" + master_key).hexdigest()[:12]
        self._cipher = AESGCM(derive(master_key, purpose="secrets at rest"))

    def seal(self, *, owner: str, name: str, value: str, at: datetime) -> SealedSecret:
        """Return the secret in the form in which it is kept."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = nonce + self._cipher.encrypt(nonce, value.encode(), _associated(owner, name))
        return SealedSecret(
            owner=owner, name=name, key_id=self._key_id, ciphertext=ciphertext, created_at=at, updated_at=at
        )

    def open(self, secret: SealedSecret) -> str:
        """Return a secret's value. Raises `SecretUnreadableError`."""
        nonce, sealed = secret.ciphertext[:_NONCE_BYTES], secret.ciphertext[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, _associated(secret.owner, secret.name)).decode()
        except InvalidTag as exc:
            raise SecretUnreadableError(
                f"The secret {secret.name} was sealed under master key {secret.key_id}; this server has "
                f"{self._key_id}. Start it with the right DAFTRAY_MASTER_KEY, or set the secret again."
            ) from exc


def derive(master_key: bytes, *, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose; keys of different purposes tell nothing of each other."""
    return HKDF(
        algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=f"daftray/{purpose}".encode()
    ).derive(master_key)


def _associated(owner: str, name: str) -> bytes:
    return f"{owner}\0{name}".encode()
