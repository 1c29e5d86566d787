"""Project, its classes, and the people in it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse


class Project(models.Model):
    """One labelling task: classes, guidelines, protocol, members."""

    class Unit(models.TextChoices):
        IMAGE = "image", "Whole images"
        OBJECT = "object", "Objects in images"

    class Boxes(models.TextChoices):
        IMPORTED = "imported", "Come with the import"
        DRAWN = "drawn", "Are drawn by the annotators"

    class Order(models.TextChoices):
        RANDOM = "random", "Random, a different order for each annotator"
        FIXED = "fixed", "As imported, the same for everybody"
        HARDEST = "hardest", "Hardest first, by the response times so far"
        ADAPTIVE = "adaptive", "Adaptive: where a judgment says most about which items are the hardest"

    class LabelLevel(models.TextChoices):
        NOMINAL = "nominal", "No order: any two classes differ as much as any other two"
        ORDINAL = "ordinal", "An order: that of the list of classes"
        INTERVAL = "interval", "Numbers, as the classes are called: differences count"
        RATIO = "ratio", "Numbers from a true zero, as the classes are called: ratios count"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    guidelines = models.TextField(blank=True, help_text="What annotators read before and while they label.")
    unit = models.CharField(max_length=6, choices=Unit, default=Unit.IMAGE)
    boxes = models.CharField(
        max_length=8, choices=Boxes, default=Boxes.IMPORTED, help_text="Where objects come from, where they are judged."
    )
    label_level = models.CharField(
        max_length=8, choices=LabelLevel, default=LabelLevel.NOMINAL,
        help_text="What lies between two classes: it decides how far answers disagree.",
    )  # fmt: skip
    human_measure = models.CharField(
        max_length=40, default="time_and_labels", editable=False,
        help_text="The measure of hardness by people that rounds, pages, the queue and exports use.",
    )  # fmt: skip

    # Protocol: how people are asked
    overlap = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="How many people judge each item.",
    )
    order = models.CharField(max_length=10, choices=Order, default=Order.RANDOM)
    hard_share = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.001), MaxValueValidator(0.5)],
        help_text="For the adaptive order: it looks for this share of the items, the hardest by response times.",
    )
    repeat_share = models.FloatField(
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(0.5)],
        help_text="Share of trials that show an item again to somebody who has judged it, without saying so.",
    )
    gold_share = models.FloatField(
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(0.5)],
        help_text="Share of trials with an item whose answer is known, until each annotator has had them all.",
    )
    time_limit_ms = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(300), MaxValueValidator(600_000)],
        help_text="After this long without an answer the next item comes; empty for no limit.",
    )
    flash_frames = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text="Frames (16.7 ms each at 60 Hz) for which the image is seen before a mask; empty: until the answer.",
    )
    break_after = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(5)],
        help_text="A break is offered after this many trials; empty for none.",
    )
    lookahead = models.PositiveSmallIntegerField(
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text="How many items are handed out ahead, so that nobody waits for an image.",
    )
    lease_seconds = models.PositiveIntegerField(
        default=900,
        validators=[MinValueValidator(30)],
        help_text="After how long an item that was handed out and not answered goes to somebody else.",
    )
    floor_ms = models.PositiveSmallIntegerField(
        default=150, help_text="Answers faster than this cannot be answers to the image: no response time."
    )
    idle_ms = models.PositiveIntegerField(
        default=60_000, help_text="A pause this long without any input is marked as idle."
    )

    # State
    n_items = models.PositiveIntegerField(default=0, editable=False)
    n_training = models.PositiveIntegerField(default=0, editable=False, help_text="Items that everybody gets first.")
    n_gold = models.PositiveIntegerField(default=0, editable=False, help_text="Items whose answer is known.")
    reopened = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Rises whenever items become open again, so that annotators who had finished look again.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.slug])

    @property
    def draws_boxes(self) -> bool:
        """Whether annotators draw the objects: then images are handed out, and objects come from what was drawn."""
        return self.unit == self.Unit.OBJECT and self.boxes == self.Boxes.DRAWN

    @property
    def scope(self) -> str:
        """Name under which its jobs are found."""
        return f"project:{self.pk}"


class LabelClass(models.Model):
    """One of the answers an annotator can give. `code` is its number in all arrays, 0 to K - 1."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="classes")
    code = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    key = models.CharField(
        max_length=1, null=True, blank=True,
        help_text="The key that gives this answer, the same for everybody; none where it is searched for.",
    )  # fmt: skip

    class Meta:
        ordering = ["project", "code"]
        verbose_name = "class"
        verbose_name_plural = "classes"
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="class_code_once"),
            models.UniqueConstraint(fields=["project", "name"], name="class_name_once"),
            models.UniqueConstraint(fields=["project", "key"], name="class_key_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What a user may do in a project. Whoever has none, for them the project does not exist."""

    class Role(models.TextChoices):
        MANAGER = "manager", "Manager"
        ANNOTATOR = "annotator", "Annotator"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=9, choices=Role, default=Role.ANNOTATOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project", "user"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.get_role_display().lower()}"


class Annotator(models.Model):
    """Somebody who judges items of one project: a member, a name in an imported file, or a simulation.

    The queue keeps its state for the annotator here, in columns that only it writes.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Member"
        IMPORTED = "imported", "Imported"
        SYNTHETIC = "synthetic", "Synthetic"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="annotators")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="annotators"
    )
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.PERSON)
    seed = models.BigIntegerField(help_text="Seed of this annotator's random order.")
    created_at = models.DateTimeField(auto_now_add=True)

    # State of the queue
    drawn = models.JSONField(default=list, blank=True, editable=False, help_text="Item ids drawn, next last.")
    draws = models.PositiveIntegerField(default=0, editable=False)
    drawn_by = models.CharField(max_length=20, blank=True, editable=False, help_text="The policy that drew them.")
    drawn_from = models.PositiveIntegerField(
        default=0, editable=False, help_text="How many items stood to be chosen, as far as known."
    )
    finished_at_reopened = models.BigIntegerField(
        default=-1, editable=False, help_text="The project's `reopened` when nothing was left for them."
    )
    last_position = models.PositiveIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Rises with every change of the above: tells what was read from what is."
    )

    # Counts for the page that must not be counted at every answer
    n_answered = models.PositiveIntegerField(default=0, editable=False)
    n_skipped = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["project", "name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="annotator_name_once"),
            models.UniqueConstraint(
                fields=["project", "user"], condition=models.Q(user__isnull=False), name="annotator_user_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
