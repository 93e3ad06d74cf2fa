"""On MicroPython: makes recordings that end in every way, over a link of uneven speed.

Arguments: firmware, settings file, PCM file, output folder, number of recordings, bytes
per hop that the link takes. Writes ``stream`` (what went out), ``lights`` (the ring's light
for each of its bytes) and prints what was taken, one JSON line for each recording.
"""

import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(1, sys.argv[0].rsplit("/", 1)[0])

import json
import random

from privacy_world import World

from ear.link import telemetry
from ear.privacy import gate
from ear.settings import Settings

HOP_BYTES = 320
ENDINGS = (
    (gate.SILENCE, 60),
    (gate.SILENCE, 35),
    (gate.DEADLINE, 0),
    (gate.CANCEL, 20),
    (gate.FALSE_MARK, 20),
    (gate.SWITCH_ON, 20),
    (gate.RING_FAILED, 10),
    (gate.MIC_FAILED, 10),
)
LAST = gate.MUTE, 20  # nothing is recorded after it

settings_path, pcm_path, folder, count, speed = sys.argv[2:7]
random.seed(int(count) + int(speed))
settings = Settings(settings_path)
settings.set("record", True)
settings.set("longest_s", 1)
settings.set("pre_roll", True)
with open(pcm_path, "rb") as file:
    pcm = file.read()
stream = open(folder + "/stream", "wb")  # noqa: SIM115
lights = open(folder + "/lights", "wb")  # noqa: SIM115
world = World(settings, stream, lights, 24)
shell, recorder = world.shell, world.recorder
shell.start()
shell.post(gate.SWITCH_OFF)

place = 0


def hear(lost=0):
    """One hop of time; what the recorder took of it, as [position, index of the hop]."""
    global place
    taken = None
    if world.microphone.open:
        hop = pcm[HOP_BYTES * place : HOP_BYTES * (place + 1)]
        before, overrun = recorder.samples, recorder.overrun
        shell.push(hop, lost)
        if recorder.samples != before and recorder.overrun == overrun:
            taken = [recorder.samples - 160, place]
        place = (place + 1) % (len(pcm) // HOP_BYTES)
    if random.random() < 0.2:
        telemetry.health(world.outbox, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    world.ten_milliseconds(int(speed))
    return taken


def back_to_listening():
    """Undo whatever ended the recording; the ring and the switch are mended."""
    world.ring.broken = False
    shell.post(gate.SWITCH_OFF)
    for _ in range(5000):
        if shell.state == gate.LISTENING and not world.outbox.pending:
            return
        hear()
    raise AssertionError("it never listened again")


def record(ending, hops):
    """One recording that ends with an event, after about so many hops."""
    first = place
    world.wake.low = place
    shell.woke(True)
    assert shell.state == gate.RECORDING, gate.name(shell.state)
    pre_roll = recorder.samples // 160
    hops_of_pcm = len(pcm) // HOP_BYTES
    taken = [[160 * hop, (first - pre_roll + hop) % hops_of_pcm] for hop in range(pre_roll)]
    left = random.randrange(hops) if hops else 1000
    while shell.state == gate.RECORDING and left:
        got = hear(random.choice((1, 160, 777)) if random.random() < 0.01 else 0)
        if got:
            taken.append(got)
        left -= 1
    if ending == gate.RING_FAILED:
        world.ring.broken = True
    if ending == gate.FALSE_MARK:
        assert shell.mark_false()
    elif ending != gate.DEADLINE:
        shell.post(ending)
    print(json.dumps({"number": recorder.number, "ending": ending, "taken": taken}))


shell.allow_pre_roll(False)
for index in range(int(count)):
    if index:
        back_to_listening()
    if index == int(count) // 2:
        shell.allow_pre_roll(True)
    for _ in range(random.randrange(5)):
        hear()
    record(*random.choice(ENDINGS) if index < int(count) - 1 else LAST)
while world.outbox.pending:
    hear()
stream.close()
lights.close()
