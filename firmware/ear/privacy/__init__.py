"""What may be recorded, and the only way by which sound leaves the device."""
