"""In place of main.py on the model of the chip's memory: what each stage of a start takes.

Prints a line of JSON for each: its name, then what ``chip_start`` tells of the memory in use.
"""

import gc
import json
import os

import chip_pool
import chip_start

chip_start.begin()


def stage(name):
    gc.collect()
    line = [name]
    line += chip_pool.heap()
    line += chip_pool.free(), chip_pool.largest(), chip_pool.exec_bytes()
    print(json.dumps(line))


stage("prompt")
__import__("ear.boot")
stage("boot")
from ear import app

stage("imports")
app.micropython.kbd_intr(-1)
kernels = app.native.load()
stage("native kernels")
board = app.Board(app.BOARD)
light = app.ring.Ring(board.leds, board.led_count, board.led_limit)
link = app.Link(app.BOARD["link_rate"])
stage("link")
settings = app.Settings()
settings.load()
frontend = app.FrontEnd(kernels.frontend)
stage("front end")
identity = app.Identity(app.esp32.NVS("bluering"))
encoder = app.codecs.Encoder(app.codecs.ADPCM, kernels.adpcm.encode)
cipher = app.Cipher(encoder.capacity)
recorder = app.Recorder(identity, encoder, cipher, link.out, app._SLOTS, os.urandom)
stage("recorder")
try:
    words = app.words.load(settings, kernels.spotter)
    stage("word")
except MemoryError as error:
    stage("word: " + str(error))
