"""Starting, and what happens when that goes wrong again and again.

Every start is counted until it has been good for a minute. After three starts that weren't,
the device stays in safe mode: its light, its link and the way to the REPL, nothing else.
"""

import os
import sys

import esp32
import machine
import micropython

CRASH_LOG = "crash.log"
_NVS = "bluering_boot"
_STARTS = "starts"
_TO_REPL = "to_repl"
_MOST_FAILURES = 3
_WATCHDOG_MS = 8000
_DEPTH = 12  # calls, as deep as a start goes


class Starts:
    """Counts starts in the NVS, where a reset leaves them."""

    def __init__(self, nvs):
        self._nvs = nvs

    def _get(self, key):
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0

    def _set(self, key, value):
        self._nvs.set_i32(key, value)
        self._nvs.commit()

    def begin(self, powered_on):
        """Count a start; returns how many before it failed. A power cut is no failure."""
        failed = 0 if powered_on else self._get(_STARTS)
        self._set(_STARTS, failed + 1)
        return failed

    def good(self):
        """This start was good."""
        self._set(_STARTS, 0)

    def ask_for_repl(self):
        """The next start is to lead to the REPL."""
        self.good()
        self._set(_TO_REPL, 1)

    def take_repl(self):
        """Whether this start is to lead to the REPL; asked once."""
        if not self._get(_TO_REPL):
            return False
        self._set(_TO_REPL, 0)
        return True


def write_crash(error, path=CRASH_LOG):
    """Keep an error's traceback; written aside, then renamed."""
    with open(path + ".new", "w") as file:
        sys.print_exception(error, file)
    os.rename(path + ".new", path)


def _keep_crash(error):
    try:
        write_crash(error)
    except OSError as fault:
        sys.print_exception(fault)  # a full file system keeps nobody from starting again


def read_crash(path=CRASH_LOG):
    """The last crash's traceback, or ""."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def forget_crash(path=CRASH_LOG):
    """It was told."""
    os.rename(path, path + ".old")


def main():
    """Start the device. Returns to the REPL where that was asked for, when the sound ended, or
    when not even safe mode works: then it is all that is left."""
    starts = Starts(esp32.NVS(_NVS))
    if starts.take_repl():
        return
    failed = starts.begin(machine.reset_cause() == machine.PWRON_RESET)
    if failed >= _MOST_FAILURES:
        try:
            _safe_mode(failed)
        except Exception as error:
            micropython.kbd_intr(3)
            sys.print_exception(error)
            return
    else:
        try:
            following = _run(starts)
        except Exception as error:
            _keep_crash(error)
            machine.reset()
        if not _leaves(following):
            return
    # A watchdog that is fed by hops alone can't be stopped: the REPL needs a new start.
    starts.ask_for_repl()
    machine.reset()


def _leaves(following):
    """Whether the REPL was asked for; other words need a new start."""
    from ear.commands import LEAVE, RESTART

    if following == RESTART:
        machine.reset()
    return following == LEAVE


def _safe_mode(failed):
    """Light, link and settings, nothing else, until the REPL is asked for."""
    from ear import ring
    from ear.base import Base
    from ear.commands import LEAVE
    from ear.halt import halt, take_leave

    base = Base()
    text = f"{failed} starts in a row failed; cut the power to try again. {read_crash()[-200:]}"
    # Whatever is changed meanwhile, a start of its own must show that it helps.
    while halt(base, ring.SAFE_MODE, "safe_mode", text) != LEAVE:
        pass
    take_leave(base, "the REPL was asked for")


def _overwrite_stack(depth):
    """What a start leaves on the stack below would keep for ever what it names: the collector
    takes whatever looks like a place for one."""
    return depth and _overwrite_stack(depth - 1)


def _run(starts):
    """Listen, or say why not; returns what is to follow: commands.LEAVE, RESTART, or app.ENDED."""
    from ear.base import ERROR, Base

    base = Base()
    base.load_settings()
    crash = read_crash()
    if crash:
        base.notes.append((ERROR, "crash", crash[-250:]))
        forget_crash()
    if machine.reset_cause() == machine.WDT_RESET:
        base.notes.append(
            (ERROR, "watchdog", "the watchdog ended the last run: it had stood still")
        )
    fault = device = None
    from ear import start

    try:
        device = start.make(base)
    except start.StartError as error:
        fault = error
    start = None  # it is over, its module forgotten
    watchdog = machine.WDT(timeout=_WATCHDOG_MS)
    if device:
        _overwrite_stack(_DEPTH)
        following = device.run(starts.good, watchdog)
    else:
        from ear.halt import halt

        following = halt(base, fault.state, fault.code, fault.text, watchdog)
    from ear.commands import LEAVE, RESTART
    from ear.halt import take_leave

    starts.good()
    if following == RESTART:
        base.link.flush()
        return following
    take_leave(base, "the REPL was asked for" if following == LEAVE else "the sound ended")
    return following
