"""HTTP API of mining. Operations are added to `router`, which the site mounts under /api/v1/."""

from ninja import Router

from .features import router as features_router
from .hard_sets import router as hard_sets_router
from .images import router as images_router
from .predictions import router as predictions_router

router = Router(tags=["mining"])
router.add_router("", features_router)
router.add_router("", predictions_router)
router.add_router("", hard_sets_router, tags=["hard sets"])
router.add_router("", images_router, tags=["images"])

__all__ = ["router"]
