"""AES-256-GCM for secrets at rest (NIST SP 800-38D), keys derived from master keys by HKDF (RFC 5869)."""

from __future__ import annotations

import secrets
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daftray.adapters.vault.key_ring import KeyRing, MasterKey
from daftray.domain.errors import SecretUnreadableError
from daftray.domain.project import SealedSecret

_NONCE_BYTES = 12
_PURPOSE = "secrets at rest"


class AesGcmVault:
    """Seals secrets under the first master key of a ring, and opens what any of them sealed.

    The associated data is the secret's owner and name, so that a ciphertext moved to another row does not
    open there.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys that open, the one that seals first."""
        return tuple(key.id for key in self._ring.all)

    def seal(self, *, owner: str, name: str, value: str, at: datetime) -> SealedSecret:
        """Return the secret in the form in which it is kept."""
        key, nonce = self._ring.first, secrets.token_bytes(_NONCE_BYTES)
        ciphertext = nonce + _cipher(key).encrypt(nonce, value.encode(), _associated(owner, name))
        return SealedSecret(
            owner=owner, name=name, key_id=key.id, ciphertext=ciphertext, created_at=at, updated_at=at
        )

    def open(self, secret: SealedSecret) -> str:
        """Return a secret's value. Raises `SecretUnreadableError`."""
        key = self._ring.get(secret.key_id)
        if key is None:
            raise SecretUnreadableError(
                f"The secret {secret.name} was sealed under master key {secret.key_id}; this server has "
                f"{', '.join(self.key_ids)}. Start it with that key beside its own, or set the secret again."
            )
        nonce, sealed = secret.ciphertext[:_NONCE_BYTES], secret.ciphertext[_NONCE_BYTES:]
        try:
            return _cipher(key).decrypt(nonce, sealed, _associated(secret.owner, secret.name)).decode()
        except InvalidTag as exc:
            raise SecretUnreadableError(
                f"The secret {secret.name} does not open under master key {secret.key_id}, which sealed it: "
                "its row was changed or moved. Set the secret again."
            ) from exc


def _cipher(key: MasterKey) -> AESGCM:
    return AESGCM(key.derived(_PURPOSE))


def _associated(owner: str, name: str) -> bytes:
    return f"{owner}\0{name}".encode()
