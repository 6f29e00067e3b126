from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from servers.catalog.packing import unplaced

small = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 2)), min_size=1, max_size=2)


def brute_force(devices: list[int], bins: list[int]) -> bool:
    return any(
        all(
            sum(d for d, place in zip(devices, places, strict=True) if place == i) <= size
            for i, size in enumerate(bins)
        )
        for places in product(range(len(bins)), repeat=len(devices))
    )


@given(small, small)
def test_small_cases_are_exact(loads: list[tuple[int, int]], bins: list[tuple[int, int]]) -> None:
    devices = [size for size, count in loads for _ in range(count)]
    room = [size for size, count in bins for _ in range(count)]
    assert (not any(unplaced(loads, bins))) == brute_force(devices, room)


@given(st.integers(1, 1000), st.integers(1, 100_000), st.integers(1, 2000), st.integers(1, 100_000))
def test_one_kind_of_each_is_plain_arithmetic(size: int, count: int, cap: int, bins: int) -> None:
    assert unplaced([(size, count)], [(cap, bins)]) == [max(0, count - (cap // size) * bins)]


@given(small, small)
def test_another_bin_never_makes_it_worse(
    loads: list[tuple[int, int]], bins: list[tuple[int, int]]
) -> None:
    if not any(unplaced(loads, bins)):
        assert not any(unplaced(loads, [*bins, (9, 1)]))


def test_the_sum_may_fit_where_no_supply_carries_the_device_whole() -> None:
    assert unplaced([(65, 3)], [(120, 2)]) == [1]  # 195 W of 240 W, yet one server has no supply


def test_nothing_to_place_and_nowhere_to_place_it() -> None:
    assert unplaced([], [(10, 1)]) == []
    assert unplaced([(5, 2), (7, 1)], []) == [2, 1]
