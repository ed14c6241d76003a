"""When a service is away: who asks it again, how soon, and how many."""

from __future__ import annotations

import asyncio

import pytest

from runmask.batch.submitting.circuit import Circuit


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self):
        self.now, self.waits = 0.0, []

    def __call__(self):
        return self.now

    async def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def circuit_of(clock):
    return Circuit(clock.wait, clock, lambda low, high: high)


def test_pauses_grow_and_end_with_a_success():
    async def failing():
        clock = Clock()
        circuit = circuit_of(clock)
        circuit.failed()
        for _ in range(8):
            async with circuit.passage():
                circuit.failed()
        circuit.succeeded()
        async with circuit.passage():
            pass
        return clock.waits

    from runmask.batch.submitting.circuit import FIRST_PAUSE_S, LONGEST_PAUSE_S

    expected = [min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**n) for n in range(8)]
    assert asyncio.run(failing()) == pytest.approx(expected)


def test_one_probe_at_a_time_and_all_after_it():
    async def crowd():
        clock = Clock()
        circuit = circuit_of(clock)
        circuit.failed()
        inside, most, order = 0, 0, []

        async def one(name):
            nonlocal inside, most
            async with circuit.passage():
                inside += 1
                most = max(most, inside) if circuit.since is not None else most
                await asyncio.sleep(0.001)
                order.append(name)
                inside -= 1
                if len(order) == 3:
                    circuit.succeeded()
                elif len(order) < 3:
                    circuit.failed()

        await asyncio.gather(*(one(name) for name in range(10)))
        return most, len(order)

    assert asyncio.run(crowd()) == (1, 10)


def test_a_named_pause_is_kept_to_and_is_no_outage():
    clock = Clock()
    circuit = circuit_of(clock)
    circuit.failed(3600)
    assert circuit.pause() == 3600
    clock.now = 3605
    assert not circuit.patience_is_over(10)
    clock.now = 3611
    assert circuit.patience_is_over(10)


def test_single_lost_answers_are_bad_luck():
    circuit = circuit_of(Clock())
    for _ in range(10):
        circuit.lost_an_answer()
        circuit.lost_an_answer()
        assert circuit.since is None
        circuit.succeeded()
    for _ in range(3):
        circuit.lost_an_answer()
    assert circuit.since is not None
