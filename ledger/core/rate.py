"""How often something may be done: a bucket that fills up evenly and is emptied by what is done.

* A bucket holds ``burst`` at most and gains ``rate`` a second. One that nobody touched is full.
* Time is given, in seconds of any clock that never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """``rate`` a second in the long run, ``burst`` at once."""

    rate: float
    burst: int

    @property
    def window(self) -> float:
        """Seconds that an empty bucket takes to fill up."""
        return self.burst / self.rate


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left at a moment."""

    left: float
    at: float


def take(budget: Budget, bucket: Bucket | None, now: float) -> tuple[Bucket, float]:
    """Return the bucket after one more, and 0; or the bucket as it is, and the seconds until there is one.

    ``None`` is a bucket that nobody has touched.
    """
    left = float(budget.burst)
    if bucket is not None:
        left = min(left, bucket.left + max(0.0, now - bucket.at) * budget.rate)
    if left >= 1:
        return Bucket(left - 1, now), 0.0
    return Bucket(left, now), (1 - left) / budget.rate
