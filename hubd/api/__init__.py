"""The local HTTP API in Seam's shapes. Handlers know neither aiohttp nor the tunnel."""
