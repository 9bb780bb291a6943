# Generated from daftray/client/_async by `python -m daftray.client.generate`: change it there.
"""Prices of a project, by which the cost of its runs is worked out."""

from __future__ import annotations

from collections.abc import Sequence

from daftray.client._sync.connection import decode
from daftray.client._sync.place import Place
from daftray.client.answers import PriceVersionsAnswer
from daftray.client.asked import parameters
from daftray.domain.price import Price, PriceTable, PriceTableRequest


class Prices:
    """The prices of a project, in US dollars. Every change is a version, and each is kept."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def set(self, prices: Sequence[Price], *, note: str | None = None) -> PriceTable:
        """Keep prices for the runs that are created from now on, in place of all that there were.

        The prices that are in force already make no new version.

        Args:
            prices: of the models, by name or pattern; the first that fits a model is the model's.
            note: why, for people.

        Raises:
            InvalidInputError: with every issue and its path.
        """
        body = PriceTableRequest(prices=list(prices), note=note)
        response = self._place.connection.call("PUT", self._path, body=body, repeatable=True)
        return decode(response, PriceTable)

    def get(self, *, version: int | None = None) -> PriceTable:
        """Return the newest prices, or a version of them. Raises `PricesNotFoundError`."""
        return self._place.connection.get(
            self._path, PriceTable, parameters=parameters(version=version)
        )

    def versions(self, *, limit: int = 50, offset: int = 0) -> list[PriceTable]:
        """Return versions, newest first."""
        answer = self._place.connection.get(
            f"{self._path}/versions", PriceVersionsAnswer, parameters=parameters(limit=limit, offset=offset)
        )
        return answer.versions

    @property
    def _path(self) -> str:
        return f"{self._place.project_path}/prices"
