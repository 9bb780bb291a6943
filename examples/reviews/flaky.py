"""Fail in a UDF, to see what a failed run looks like.

Try ``daftray run flaky.py:total_weight``.

One of the weights is no number. The run fails with reason `user_error`; its problem holds the exception, the
line below that had the plan executed, and what Daft tells of the value.
"""

from __future__ import annotations

import daft
from daft import col

WEIGHTS = ["1.5 kg", "0.3 kg", "unknown", "12 kg"]


@daft.func
def kilograms(text: str) -> float:
    """Return the number in a weight such as ``1.5 kg``."""
    return float(text.removesuffix(" kg"))


def total_weight() -> float:
    """Return the sum of all weights, or rather don't."""
    weights = daft.from_pydict({"weight": WEIGHTS})
    total = weights.select(kilograms(col("weight"))).sum("weight").to_pydict()
    return total["weight"][0]


if __name__ == "__main__":
    print(total_weight())
