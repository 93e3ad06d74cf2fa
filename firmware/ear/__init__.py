"""The ear: the firmware of a BlueRing device."""
