"""How static files are named: by their content, modules that import each other included."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN_FOLDERS = ("site", "annotations", "mining")


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Names with a hash, so that browsers may keep files for ever and an upgrade never mixes old and new modules.

    Django finds the imports of modules by pattern, in comments too. So this is done for the site's own files only.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _, imports = self._js_module_import_aggregation_patterns
        self.patterns: Any = (
            *CompressedManifestStaticFilesStorage.patterns,
            *((f"{folder}/*.js", imports) for folder in OWN_FOLDERS),
        )
        super().__init__(*args, **kwargs)
