"""Which power supply carries which device: a device is never split over two supplies."""

from collections.abc import Sequence

EXACT = 12
"""Up to so many devices the answer is exact; beyond, first-fit decreasing may ask for more."""


def unplaced(loads: Sequence[tuple[int, int]], bins: Sequence[tuple[int, int]]) -> list[int]:
    """Return how many of each load find no bin, in the order given.

    Both are given by kind: (size, count) of loads, (capacity, count) of bins.
    """
    left = _first_fit(loads, bins)
    devices = [size for size, count in loads for _ in range(min(count, EXACT + 1))]
    if any(left) and len(devices) <= EXACT:
        room = [capacity for capacity, count in bins for _ in range(min(count, EXACT))]
        if _fits(sorted(devices, reverse=True), room):
            return [0] * len(loads)
    return left


def fewest(
    loads: Sequence[tuple[int, int]],
    bins: Sequence[tuple[int, int]],
    extra: Sequence[tuple[int, int]],
) -> list[int]:
    """Return how many of each extra bin are needed, when all of them together are enough.

    The smaller ones are dropped first; of what stays, none can be left out.
    """
    counts = [count for _, count in extra]

    def fits() -> bool:
        added = [(size, n) for (size, _), n in zip(extra, counts, strict=True)]
        return not any(unplaced(loads, [*bins, *added]))

    for place in sorted(range(len(extra)), key=lambda i: (extra[i][0], i)):
        low, high = 0, counts[place]
        while low < high:
            counts[place] = (low + high) // 2
            low, high = (low, counts[place]) if fits() else (counts[place] + 1, high)
        counts[place] = high
    return counts


def _first_fit(loads: Sequence[tuple[int, int]], bins: Sequence[tuple[int, int]]) -> list[int]:
    """Place the largest loads first, each into the tightest bins; counts keep it quick."""
    room: dict[int, int] = {}
    for capacity, count in bins:
        room[capacity] = room.get(capacity, 0) + count
    left = [0] * len(loads)
    for place in sorted(range(len(loads)), key=lambda i: (-loads[i][0], i)):
        size, count = loads[place]
        for capacity in sorted(c for c in room if c >= size):
            if not count:
                break
            each = capacity // size if size else count
            full, rest = min(room[capacity], count // each), 0
            if full < room[capacity]:
                rest = count - full * each
            room[capacity] -= full + bool(rest)
            for used, number in ((full and each, full), (rest, int(bool(rest)))):
                if number:
                    remaining = capacity - used * size
                    room[remaining] = room.get(remaining, 0) + number
            count -= full * each + rest
        left[place] = count
    return left


def _fits(devices: Sequence[int], room: list[int]) -> bool:
    """Say whether every device finds a place, by trying; equal rooms are tried once."""
    if not devices:
        return True
    for capacity in sorted({c for c in room if c >= devices[0]}):
        room.remove(capacity)
        room.append(capacity - devices[0])
        if _fits(devices[1:], room):
            return True
        room.remove(capacity - devices[0])
        room.append(capacity)
    return False
