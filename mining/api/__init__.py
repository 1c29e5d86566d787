"""HTTP API of mining. Operations are added to `router`, which the site mounts under /api/v1/."""

from ninja import Router

from .predictions import router as predictions_router

router = Router(tags=["mining"])
router.add_router("", predictions_router)

__all__ = ["router"]
