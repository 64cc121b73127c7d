"""The layout of a treemap: fair, without gaps and overlaps, at any size; and the way from box to box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.stats.treemap import CELL_TALL, Box, neighbour, treemap

SIZES = [(118, 30), (78, 14), (48, 9), (760, 300)]


@given(
    st.lists(st.integers(0, 10**12), max_size=60).map(lambda sizes: sorted(sizes, reverse=True)),
    st.integers(1, 130),
    st.integers(1, 45),
)
def test_every_cell_is_in_exactly_one_box(weights: list[int], width: int, height: int) -> None:
    boxes = treemap(weights, width, height)
    assert bool(boxes) == bool(sum(weights))
    cells = [(x, y) for b in boxes for x in range(b.x, b.x + b.width) for y in range(b.y, b.y + b.height)]
    if boxes:
        assert len(cells) == width * height
        assert set(cells) == {(x, y) for x in range(width) for y in range(height)}
        assert all(b.width and b.height for b in boxes)
        assert len(boxes) <= len(weights)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_areas_are_as_the_weights(width: int, height: int) -> None:
    weights = [600, 600, 400, 300, 200, 200, 100]
    boxes = treemap(weights, width, height)
    assert len(boxes) == len(weights)
    for weight, box in zip(weights, boxes, strict=True):
        fair = width * height * weight / sum(weights)
        assert abs(box.width * box.height - fair) <= box.width + box.height + 2  # edges are whole cells


def test_boxes_are_nearly_square_as_they_are_seen() -> None:
    boxes = treemap([6, 6, 4, 3, 2, 2, 1], 120, 40)
    shapes = [box.width / (box.height * CELL_TALL) for box in boxes]
    assert all(1 / 3 <= shape <= 3 for shape in shapes)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_tiny_ones_are_gathered_in_the_last_box(width: int, height: int) -> None:
    weights = [10**6, 10**5, *[10] * 500]
    boxes = treemap(weights, width, height)
    assert len(boxes) == 3
    assert boxes[0].width * boxes[0].height > 0.8 * width * height
    assert boxes[2].width >= 3
    assert boxes[2].width * boxes[2].height < 0.15 * width * height
    assert len(treemap([5], width, height)) == 1
    assert treemap([5, 0, 0], width, height) == [Box(0, 0, width, height)]  # nothing is not drawn


def test_many_equal_ones_that_have_no_room() -> None:
    assert treemap([1] * 1000, 20, 4) == [Box(0, 0, 20, 4)]
    assert len(treemap([1] * 4, 20, 4)) == 4


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=40).map(lambda sizes: sorted(sizes, reverse=True)))
def test_steps_lead_to_a_box_that_touches_and_reach_every_box(weights: list[int]) -> None:
    boxes = treemap(weights, 100, 30)
    reached, todo = {0}, [0]
    while todo:
        at = todo.pop()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            there = neighbour(boxes, at, dx, dy)
            here, box = boxes[at], boxes[there]
            if there != at:
                assert not dx or (box.x > here.x) is (dx > 0)
                assert not dy or (box.y > here.y) is (dy > 0)
            if there not in reached:
                reached.add(there)
                todo.append(there)
    assert reached == set(range(len(boxes)))


def test_a_step_over_the_edge_stays() -> None:
    assert neighbour([Box(0, 0, 10, 5)], 0, 1, 0) == 0
