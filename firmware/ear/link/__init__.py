"""The link to the host: messages, frames, and the buffers between them and the stream."""
