"""The vault: recordings, encrypted, kept and deleted as their owner said."""
