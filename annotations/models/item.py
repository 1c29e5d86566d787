"""Images and the items to be judged in them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from .project import LabelClass, Project


class Image(models.Model):
    """A stored file, known by its sha256: the same bytes are stored once, whatever they are called."""

    sha256 = models.CharField(max_length=64, unique=True)
    file = models.CharField(max_length=120, help_text="Name in the storage; the bytes exactly as they came.")
    thumbnail = models.CharField(max_length=120)
    display = models.CharField(
        max_length=120, blank=True, help_text="Copy for browsers, where they cannot show the file itself."
    )
    media_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(help_text="Pixels, after the EXIF orientation is applied.")
    height = models.PositiveIntegerField(help_text="Pixels, after the EXIF orientation is applied.")
    n_bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.sha256[:12]


class Item(models.Model):
    """What is judged: a whole image, or one object (region) in it. Hardness belongs to items.

    `taken` counts the answers and the running leases of the present look. It only changes by compare-and-set
    in `annotations.queue` and `annotations.services`, so that an item is never handed out more often than `needed`.
    """

    class Role(models.TextChoices):
        ORDINARY = "", "Ordinary"
        TRAINING = "training", "Training: everybody gets it first"
        GOLD = "gold", "Gold: its answer is known"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="items")
    ordinal = models.PositiveIntegerField(help_text="0 to n - 1 within the project, in the order of import.")
    path = models.CharField(max_length=500, help_text="Path given at import: the item's name in files.")
    given = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="The label that came with the import, if one did.",
    )  # fmt: skip

    # The object's box as shares of the image's width and height; empty for a whole image.
    box_x = models.FloatField(null=True, blank=True)
    box_y = models.FloatField(null=True, blank=True)
    box_width = models.FloatField(null=True, blank=True)
    box_height = models.FloatField(null=True, blank=True)

    role = models.CharField(
        max_length=8, choices=Role, default=Role.ORDINARY, blank=True,
        help_text="Training and gold items go to everybody once, beside what is needed.",
    )  # fmt: skip

    unmatched = models.BooleanField(
        default=False, help_text="Boxes drawn in this image have come or changed since they were matched into objects."
    )

    # What the queue knows
    needed = models.PositiveSmallIntegerField(help_text="Judgments wanted in all.")
    taken = models.PositiveSmallIntegerField(default=0, help_text="Answers and running leases.")
    answered = models.PositiveSmallIntegerField(default=0)
    skipped = models.PositiveSmallIntegerField(default=0)
    priority = models.SmallIntegerField(default=0, help_text="Items above 0 come before all others.")
    look = models.PositiveSmallIntegerField(
        default=1, help_text="Above 1 people who have judged it may be asked again."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["project", "ordinal"], name="item_ordinal_once"),
            models.UniqueConstraint(
                fields=["project", "image"], condition=Q(box_width__isnull=True), name="item_whole_image_once"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "path"], name="item_path"),
            models.Index(fields=["project", "ordinal"], condition=Q(taken__lt=F("needed")), name="item_open"),
            models.Index(
                fields=["project", "-priority", "ordinal"],
                condition=Q(priority__gt=0, taken__lt=F("needed")),
                name="item_open_first",
            ),
            models.Index(fields=["project", "role"], condition=~Q(role=""), name="item_with_role"),
            models.Index(fields=["project", "ordinal"], condition=Q(unmatched=True), name="item_unmatched"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def n_saw(self) -> int:
        """Of a drawn object: how many saw the image, whether they drew it or not."""
        return self.answered + self.skipped

    @property
    def number(self) -> int:
        """Its place in the order of import as people count, from 1."""
        return self.ordinal + 1


class ItemAlias(models.Model):
    """Another path under which the same bytes were imported into the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="aliases")
    path = models.CharField(max_length=500)

    class Meta:
        verbose_name_plural = "item aliases"
        constraints = [models.UniqueConstraint(fields=["project", "path"], name="alias_path_once")]

    def __str__(self) -> str:
        return self.path
