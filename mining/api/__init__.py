"""HTTP API of mining. Operations are added to `router`, which the site mounts under /api/v1/."""

from ninja import Router

router = Router(tags=["mining"])
