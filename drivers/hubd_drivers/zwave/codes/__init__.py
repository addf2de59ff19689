"""PINs on locks: written, read back, known from zwave-js's cache, hinted at by the lock; for both command classes."""
