"""Rooms: how much of the full pace each guard allows by what is observed.

A room of 1 is full pace, 0 is none; it goes a little beyond 1, so that a pace that was
lowered is not raised until there is some room to spare. A guard that cannot tell gives
none and bounds nothing. Each room falls, or stays, as what it guards becomes worse.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.pace import Cause, Disk, Limits, Surroundings

ROOM_MAX = 1.25
LEAST = 0.15
"""What is left where a guard slows down and does not stop: the lowest rung."""

MEMORY_RESERVE_PART, MEMORY_RESERVE_BYTES_MAX = 0.03, 512 << 20
DISK_RESERVE_PART, DISK_RESERVE_BYTES = 0.01, (16 << 20, 1 << 30)
DISK_RESERVE_PART_MAX = 0.125
"""Of a disk that is so small that the least reserve would be most of it."""
COUNTED_RESERVE_PART = 0.05
"""Of inodes and descriptors."""
INODES_EACH = 4
"""What an item takes of inodes on its way: stage, sidecar, container, delivered."""
LOAD_FREE_PART = 0.2
"""Others may use this much of all cores before they are made room for."""
BATTERY_ROOMS = ((10.0, 0.0), (30.0, 0.3), (101.0, 0.6))
"""Below each percentage, the room while a battery is what the machine lives from."""
SLOW_FACTOR = 4.0
"""A share that answers so many times more slowly than usual is made room for."""
ANSWER_SECONDS_LEAST = 0.005
"""Quicker answers are all alike; what differs is noise."""


def guard_rooms(limits: Limits, around: Surroundings) -> Iterator[tuple[Cause, float]]:
    """Give the room of each guard that stops, or slows down, at once."""
    if around.memory_free_bytes is not None:
        yield Cause.MEMORY, _memory(limits, around)
    full = 0.0 if limits.waits_for_disk else LEAST
    if around.disks:
        yield Cause.DISK, max(full, min(_disk(limits, disk) for disk in around.disks))
    inodes = [_inodes(limits, disk) for disk in around.disks if disk.total_inodes]
    if inodes:
        yield Cause.INODES, max(full, min(inodes))
    if around.descriptors_free is not None:
        yield Cause.DESCRIPTORS, _descriptors(limits, around)
    yield Cause.BATTERY, _battery(around.battery_percent)


def load_room(busy_elsewhere: float) -> float:
    """Return the room beside others who keep that part of the cores busy.

    The cores that they leave, so that nobody waits for one; never nothing, as who
    comes last would wait for ever where something computes all the time.
    """
    return _bounded((1.0 - busy_elsewhere) / (1.0 - LOAD_FREE_PART), least=LEAST)


def share_room(answer_seconds: float, usual_seconds: float) -> float:
    """Return the room on a share that answers in that time, and usually in that."""
    usual = max(usual_seconds, ANSWER_SECONDS_LEAST)
    slower = max(answer_seconds, ANSWER_SECONDS_LEAST) / usual
    return _bounded(SLOW_FACTOR / slower, least=LEAST)


def _memory(limits: Limits, around: Surroundings) -> float:
    """As many workers are to have work as there is memory for."""
    free, total = around.memory_free_bytes or 0, around.memory_total_bytes or 0
    spare = free - min(int(total * MEMORY_RESERVE_PART), MEMORY_RESERVE_BYTES_MAX)
    if spare <= 0:
        return 0.0
    if not limits.lot_memory_bytes:
        return ROOM_MAX
    lots = spare / limits.lot_memory_bytes
    return _bounded(lots / limits.workers, least=LEAST)


def spare_bytes(around: Surroundings) -> int | None:
    """Return what the fullest disk has left to take; None if nobody can tell."""
    return min((_spare(disk) for disk in around.disks), default=None)


def _disk(limits: Limits, disk: Disk) -> float:
    """What is in flight has to fit, and something is left for others."""
    return _fitting(_spare(disk), limits.bytes)


def _spare(disk: Disk) -> int:
    least, most = DISK_RESERVE_BYTES
    reserve = min(
        max(int(disk.total_bytes * DISK_RESERVE_PART), least),
        most,
        int(disk.total_bytes * DISK_RESERVE_PART_MAX),
    )
    return disk.free_bytes - reserve


def _inodes(limits: Limits, disk: Disk) -> float:
    free, total = disk.free_inodes or 0, disk.total_inodes or 0
    reserve = min(int(total * COUNTED_RESERVE_PART), INODES_EACH * limits.files)
    return _fitting(free - reserve, INODES_EACH * limits.files)


def _descriptors(limits: Limits, around: Surroundings) -> float:
    free, total = around.descriptors_free or 0, around.descriptors_total or 0
    return _fitting(free - int(total * COUNTED_RESERVE_PART), limits.files)


def _battery(percent: float | None) -> float:
    if percent is None:
        return ROOM_MAX
    return next((room for below, room in BATTERY_ROOMS if percent < below), 0.6)


def _fitting(spare: int, wanted: int) -> float:
    return 0.0 if spare <= 0 else _bounded(spare / max(wanted, 1), least=LEAST)


def _bounded(room: float, *, least: float = 0.0) -> float:
    return min(max(room, least), ROOM_MAX)
