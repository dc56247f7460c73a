"""Short messages: codec, modem and simulator behind one transport."""
