"""What `run` holds off, and what it does not: each line of its documentation."""

import contextlib
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from mnist_book.diagnosis import running
from mnist_book.diagnosis.running import Exit, run

LIMIT = 0.2  # seconds of work


def forever():
    while True:
        pass


# --------------------------------------------------------------------------------------------------
# Time
# --------------------------------------------------------------------------------------------------


def test_a_result_and_what_was_printed_come_back():
    def function(a, b):
        print("adding")
        return a + b

    assert run(function, (1, 2)) == (3, "adding\n")


def test_an_endless_loop_is_stopped():
    threads = threading.active_count()
    with pytest.raises(TimeoutError, match=r"within 0\.2 seconds of work"):
        run(forever, (), LIMIT)
    assert threading.active_count() == threads


def test_the_limit_is_read_when_it_is_needed(monkeypatch):
    monkeypatch.setattr(running, "TIME_LIMIT", 0.1)
    with pytest.raises(TimeoutError, match=r"0\.1"):
        run(forever)


def test_a_loop_that_catches_errors_is_stopped():
    def function():
        while True:
            with contextlib.suppress(Exception):
                sum(range(100))

    threads = threading.active_count()
    with pytest.raises(TimeoutError):
        run(function, (), LIMIT)
    assert threading.active_count() == threads


def test_a_loop_that_catches_everything_keeps_nobody_waiting():
    release = threading.Event()

    def work():
        return sum(range(100))

    def function():
        while not release.is_set():
            with contextlib.suppress(BaseException):
                while not release.is_set():
                    work()

    with pytest.raises(TimeoutError):
        run(function, (), LIMIT)
    assert run(lambda: 1)[0] == 1  # though the other may still be running
    release.set()


def test_a_call_that_only_waits_ends():
    release = threading.Event()
    with pytest.raises(TimeoutError):
        run(release.wait, (), LIMIT)
    release.set()


def test_waiting_counts_for_less_than_work(monkeypatch):
    monkeypatch.setattr(running, "WAITING", 0.01)  # it may take far longer on a busy machine
    assert run(time.sleep, (1.5 * LIMIT,), LIMIT)[0] is None


class SlowMachine:
    """A thread that gets a part of the processor: its clock advances by that part of a tick."""

    native_id = None

    def __init__(self, share, work):
        self.share, self.work, self.done = share, work, 0.0

    def join(self, seconds):
        self.done += self.share * seconds

    def is_alive(self):
        return self.done < self.work


@pytest.mark.parametrize("share", [1, 0.3, 0.02])
def test_a_busy_machine_changes_no_verdict(share):
    """One second of work takes up to 50 seconds here, and counts as one to thirteen."""
    thread = SlowMachine(share, work=1.0)
    assert running._ends_in_time(thread, {"clock": lambda: thread.done}, limit=15.0)
    endless = SlowMachine(share, work=np.inf)
    assert not running._ends_in_time(endless, {"clock": lambda: endless.done}, limit=15.0)


def test_a_thread_that_waits_for_the_machine_is_not_idle(monkeypatch):
    thread = SlowMachine(0.001, work=0.1)
    monkeypatch.setattr(running, "_wants_to_run", lambda number: True)
    assert running._ends_in_time(thread, {"clock": lambda: thread.done}, limit=0.2)
    thread = SlowMachine(0.001, work=0.1)
    monkeypatch.setattr(running, "_wants_to_run", lambda number: False)
    assert not running._ends_in_time(thread, {"clock": lambda: thread.done}, limit=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread's state is to be seen")
def test_who_runs_is_told_from_who_sleeps():
    release, sleeper = threading.Event(), []
    thread = threading.Thread(
        target=lambda: (sleeper.append(threading.get_native_id()), release.wait()), daemon=True
    )
    thread.start()
    try:
        while not sleeper:
            time.sleep(0.01)
        time.sleep(0.05)
        assert running._wants_to_run(threading.get_native_id())
        assert not running._wants_to_run(sleeper[0]) and not running._wants_to_run(0)
    finally:
        release.set()
        thread.join()


def test_work_is_measured_in_the_thread_that_does_it(monkeypatch):
    """What other threads do meanwhile does not count."""
    monkeypatch.setattr(running, "WAITING", 0.01)
    if not hasattr(time, "pthread_getcpuclockid"):
        pytest.skip("no clock for each thread here")
    release = threading.Event()

    def busy():
        while not release.is_set():
            pass

    other = threading.Thread(target=busy, daemon=True)
    other.start()
    try:
        assert run(time.sleep, (1.5 * LIMIT,), LIMIT)[0] is None
    finally:
        release.set()
        other.join()


def test_without_threads_a_call_runs_all_the_same(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.delattr(threading, "get_native_id")  # a browser has neither of these
    monkeypatch.delattr(time, "pthread_getcpuclockid", raising=False)
    assert run(lambda: 7) == (7, "")
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


# --------------------------------------------------------------------------------------------------
# Errors and memory
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [ValueError("a"), MemoryError(), StopIteration(), OSError(2, "b")]
)
def test_an_error_comes_back_as_it_is(error):
    def function():
        raise error

    with pytest.raises(type(error)) as caught:
        run(function)
    assert caught.value is error


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_what_ends_a_program_comes_back_as_an_error(error):
    def function():
        raise error("goodbye")

    with pytest.raises(Exit, match=error.__name__):
        run(function)


def test_a_recursion_without_an_end_is_an_error():
    def function():
        return function()

    with pytest.raises(RecursionError):
        run(function)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a size")
def test_memory_is_held_to_a_limit_during_the_call():
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError):
        run(np.ones, (10 * 2**30 // 8,))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert run(np.ones, (1000,))[0].sum() == 1000


# --------------------------------------------------------------------------------------------------
# Output and settings
# --------------------------------------------------------------------------------------------------


def test_only_the_beginning_of_the_output_is_kept(capsys):
    def function():
        for _ in range(50):
            print("p" * 1_000_000)
        print("errors", file=sys.stderr)

    _, printed = run(function)
    assert printed == "p" * running.PRINTED_LIMIT
    assert capsys.readouterr() == ("", "")


def test_bytes_and_odd_characters_may_be_printed():
    def function():
        sys.stdout.buffer.write(b"\xff")
        print("\ud800 é")
        sys.stdout.flush()

    assert run(function)[1] == "\ufffd? é\n"


@pytest.mark.parametrize("change", ["sys.stdout.close()", "sys.stdout = None"])
def test_the_output_is_there_again_afterwards(change, capsys):
    run(exec, (change, {"sys": sys}))
    print("here")
    assert capsys.readouterr().out == "here\n"


def test_numpy_s_error_state_neither_comes_in_nor_goes_out():
    def function():
        value = np.exp(np.float64(1000))  # would raise with the caller's settings
        np.seterr(all="print")
        return value

    with np.errstate(all="raise"):
        before = np.geterr()
        assert run(function)[0] == np.inf
        assert np.geterr() == before


def test_warnings_neither_come_out_nor_change_their_filters():
    def function():
        warnings.warn("careful", stacklevel=1)
        warnings.simplefilter("error")
        return np.float64(1) / 0

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        assert run(function)[0] == np.inf
        assert warnings.filters == before
    assert seen == []


# --------------------------------------------------------------------------------------------------
# What is not held off
# --------------------------------------------------------------------------------------------------


def test_arguments_and_globals_change():
    argument, names = np.zeros(2), {}
    run(lambda a: a.fill(1), (argument,))
    run(exec, ("changed = 1", names))
    assert argument.tolist() == [1, 1]
    assert names["changed"] == 1


def test_c_code_that_keeps_the_interpreter_is_not_stopped():
    finished = []
    with contextlib.suppress(TimeoutError):
        run(lambda: finished.extend(map(sum, [range(5 * 10**6)])), (), 0.01)
    assert finished == [sum(range(5 * 10**6))]


TRACED = """
import sys, threading
from mnist_book.diagnosis.running import run
sys.settrace(lambda *_: None)
release = threading.Event()
try:
    run(release.wait, (), 0.05)
except TimeoutError:
    print("told")
release.set()
"""


def test_a_call_that_waits_does_not_hold_up_what_a_debugger_traces():
    command = [sys.executable, "-c", TRACED]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=100)
    assert done.stdout == "told\n", done.stderr
