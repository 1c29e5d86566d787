"""Images and items."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from annotations.models import Image, Item, ItemAlias

from .read_only import ReadOnlyAdmin


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    """Stored files."""

    list_display = ["__str__", "media_type", "width", "height", "size", "created_at"]
    list_filter = ["media_type"]
    search_fields = ["sha256__startswith"]

    @admin.display(description="Size", ordering="n_bytes")
    def size(self, image: Image) -> str:
        """Return the file's size in words."""
        return filesizeformat(image.n_bytes)


class ItemAliasInline(admin.TabularInline):
    """The item's other names."""

    model = ItemAlias
    fields = readonly_fields = ("path",)
    extra = 0
    can_delete = False


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    """What is judged."""

    list_display = ["path", "project", "number", "role", "given", "answered", "needed", "skipped", "priority", "page"]
    list_filter = ["project", "role"]
    list_select_related = ["project", "given"]
    search_fields = ["path"]
    raw_id_fields = ["image"]
    inlines = [ItemAliasInline]

    @admin.display(description="Page")
    def page(self, item: Item) -> str:
        """Link to the item's page."""
        return format_html('<a href="{}">Look</a>', reverse("item", args=[item.project.slug, item.pk]))
