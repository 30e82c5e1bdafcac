from controller_ref.timers import For, Timers


def test_in_order_of_time_then_of_setting() -> None:
    timers = Timers()
    for number, due_ms in ((1, 20), (2, 10), (3, 20), (1, 20)):
        timers.set((For.CAP, number), due_ms)
    popped = [timers.pop_due(20) for _ in range(4)]
    assert popped == [(For.CAP, 2), (For.CAP, 3), (For.CAP, 1), None]


def test_moved_cancelled_asked() -> None:
    timers = Timers()
    timers.set((For.CLOSE, 7), 50)
    assert timers.pop_due(49) is None
    assert timers.deadline_ms() == 50
    timers.set((For.CLOSE, 7), 90)
    assert timers.deadline_ms() == 90
    timers.cancel((For.CLOSE, 7), (For.CLOSE, 8))
    assert not timers.is_set((For.CLOSE, 7))
    assert timers.deadline_ms() is None
