"""Typed API of people's part. `router` is mounted at /api/v1."""

from ninja import Router

from .trials import router as trials_router

router = Router()
router.add_router("", trials_router, tags=["trials"])

__all__ = ["router"]
