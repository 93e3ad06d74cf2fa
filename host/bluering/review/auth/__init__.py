"""Who is there: accounts, passwords, one-time codes, limits on guessing, signed-in browsers."""
