"use strict";
/* The sound of one clip, in memory only: fetch, draw, play, forget. */

const WINDOW = 512;

/* Magnitudes of one windowed frame: an iterative radix-2 transform (Cooley and Tukey, 1965). */
function spectrum(samples, start) {
  const re = new Float32Array(WINDOW), im = new Float32Array(WINDOW);
  for (let i = 0, j = 0; i < WINDOW; i++) {
    re[j] = (samples[start + i] || 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
    let bit = WINDOW >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
  }
  for (let size = 2; size <= WINDOW; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const angle = (-2 * Math.PI * k) / size, c = Math.cos(angle), s = Math.sin(angle);
      for (let a = k; a < WINDOW; a += size) {
        const b = a + size / 2, x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y; re[a] += x; im[a] += y;
      }
    }
  }
  return re.map((value, i) => Math.hypot(value, im[i]));
}

function drawWave(canvas, samples) {
  const { width, height } = canvas, context = canvas.getContext("2d");
  const step = Math.max(1, samples.length / width);
  context.clearRect(0, 0, width, height);
  context.fillStyle = "#8cc4ff";
  for (let x = 0; x < width; x++) {
    let peak = 0;
    for (let i = Math.floor(x * step); i < (x + 1) * step && i < samples.length; i++)
      peak = Math.max(peak, Math.abs(samples[i]));
    context.fillRect(x, (height * (1 - peak)) / 2, 1, Math.max(1, height * peak));
  }
}

function drawSpectrogram(canvas, samples) {
  const { width, height } = canvas, context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let x = 0; x < width; x++) {
    const bins = spectrum(samples, Math.floor((x * samples.length) / width));
    for (let y = 0; y < height; y++) {
      const bin = Math.floor(((height - 1 - y) * WINDOW) / 2 / height);
      const level = Math.min(1, Math.max(0, 1 + Math.log10(bins[bin] / 32 + 1e-9) / 3.5));
      image.data.set([255 * level * level, 235 * level, 60 + 160 * level, 255], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
}

class Sound {
  constructor(onEnd) { this.onEnd = onEnd; }

  /* Resolves to whether there is a sound. */
  async load(address) {
    const answer = await fetch(address, { headers: { "X-Review": "play" }, cache: "no-store" });
    if (!answer.ok) return false;
    this.context = new AudioContext({ sampleRate: 16000 });
    this.buffer = await this.context.decodeAudioData(await answer.arrayBuffer());
    const samples = this.buffer.getChannelData(0);
    drawWave(document.getElementById("wave"), samples);
    drawSpectrogram(document.getElementById("spectrogram"), samples);
    return true;
  }

  play() {
    this.stop();
    if (!this.buffer) return;
    this.context.resume();
    this.source = this.context.createBufferSource();
    this.source.buffer = this.buffer;
    this.source.connect(this.context.destination);
    this.source.onended = () => { this.source = null; this.onEnd(); };
    this.source.start();
  }

  stop() {
    if (!this.source) return;
    this.source.onended = null;
    this.source.stop();
    this.source = null;
    this.onEnd();
  }

  forget() {
    this.stop();
    this.buffer = null;
    for (const id of ["wave", "spectrogram"]) {
      const canvas = document.getElementById(id);
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    }
  }
}
