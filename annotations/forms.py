"""Forms of the project pages. They check what was typed; what may be is decided by the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from annotations.models import Membership, Project

CLASS_HELP = "One a line. Each gets a key: the first is 1, the second 2, and so on; a class called like a key gets it."


def lines_of(text: str) -> list[str]:
    """Return the lines that hold anything."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class ProjectForm(forms.ModelForm):
    """What a new project needs."""

    classes = forms.CharField(widget=forms.Textarea(attrs={"rows": 5}), help_text=CLASS_HELP)

    class Meta:
        model = Project
        fields = ["name", "classes", "overlap", "unit", "boxes", "guidelines"]
        labels = {"overlap": "People for each item", "unit": "What is judged", "boxes": "Boxes of objects"}
        help_texts = {
            "overlap": "How many people judge each item. Three or more let you see where they disagree; "
            "hardness from times is steadier with five.",
        }
        widgets = {
            "unit": forms.RadioSelect,
            "boxes": forms.RadioSelect,
            "guidelines": forms.Textarea(attrs={"rows": 5}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["boxes"].required = False
        self.fields["boxes"].help_text = "Only where objects are judged. Drawn boxes are matched into objects."

    def clean_boxes(self) -> str:
        """Return where boxes come from; whole images have none."""
        return self.cleaned_data.get("boxes") or Project.Boxes.IMPORTED


class SettingsForm(forms.ModelForm):
    """How people of a project are asked."""

    class Meta:
        model = Project
        fields = [
            "name", "guidelines", "overlap", "label_level", "order", "hard_share", "repeat_share", "gold_share",
            "time_limit_ms", "flash_frames", "break_after", "lookahead", "lease_seconds", "floor_ms", "idle_ms",
        ]  # fmt: skip
        labels = {
            "overlap": "People for each item",
            "label_level": "What lies between two classes",
            "hard_share": "Share of items that count as hard",
            "repeat_share": "Share of hidden repeats",
            "gold_share": "Share of gold items",
            "time_limit_ms": "Time limit, in ms",
            "flash_frames": "Flash, in frames",
            "break_after": "Break after, in trials",
            "lookahead": "Items ahead",
            "lease_seconds": "Lease, in seconds",
            "floor_ms": "Shortest believable response time, in ms",
            "idle_ms": "Idle after, in ms",
        }
        widgets = {
            "order": forms.RadioSelect, "label_level": forms.RadioSelect,
            "guidelines": forms.Textarea(attrs={"rows": 8}),
        }  # fmt: skip
        help_texts = {
            "overlap": "How many people judge each item; in the adaptive order, at the most.",
            "label_level": "It decides how far two answers disagree: Krippendorff's alpha on the Hardness page. With "
            "an order, neighbours disagree less than the ends.",
            "repeat_share": "0 to 0.5. Repeats show how steady people are; they say nothing about hardness.",
            "gold_share": "0 to 0.5. Which items are gold or training items is chosen on the Items page.",
        }

    PROTOCOL = (
        "order", "hard_share", "repeat_share", "gold_share", "time_limit_ms", "flash_frames", "break_after",
    )  # fmt: skip
    TIMING = ("lookahead", "lease_seconds", "floor_ms", "idle_ms")

    def common_fields(self) -> list[forms.BoundField]:
        """Return the fields that most projects set."""
        return [field for field in self if field.name not in (*self.PROTOCOL, *self.TIMING)]

    def protocol_fields(self) -> list[forms.BoundField]:
        """Return the fields of the protocol of an experiment."""
        return [field for field in self if field.name in self.PROTOCOL]

    def has_protocol_errors(self) -> bool:
        """Whether one of the protocol's fields was refused."""
        return any(name in self.errors for name in self.PROTOCOL)

    def timing_fields(self) -> list[forms.BoundField]:
        """Return the fields that few projects change."""
        return [field for field in self if field.name in self.TIMING]

    def has_timing_errors(self) -> bool:
        """Whether one of the fields that are folded away was refused."""
        return any(name in self.errors for name in self.TIMING)


class ClassesForm(forms.Form):
    """Classes to add behind those there are."""

    names = forms.CharField(
        label="New classes", widget=forms.Textarea(attrs={"rows": 3}), help_text="One a line. Keys of the others stay."
    )


class InviteForm(forms.Form):
    """Somebody to add to a project."""

    name_or_email = forms.CharField(
        label="User name or e-mail address",
        max_length=150,
        help_text="Somebody who is new here is made a user; you get a link that signs them in once.",
    )
    role = forms.ChoiceField(choices=Membership.Role.choices, initial=Membership.Role.ANNOTATOR)


class ManyFilesInput(forms.ClearableFileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several uploaded files, each checked as one is."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return a list of files."""
        files = (data or [None]) if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    """Images to import: one zip archive, or image files."""

    images = ManyFilesField(
        label="A zip archive, or image files",
        widget=ManyFilesInput(attrs={"accept": ".zip,.jpg,.jpeg,.png,.webp,.gif,.bmp,.tif,.tiff"}),
    )
    labels_from_folders = forms.BooleanField(
        label="Folders are named by class",
        required=False,
        help_text="The folder nearest to a file that is called like a class gives its label. Only in zip archives.",
    )

    boxes_in_shares = forms.BooleanField(
        label="Boxes are shares of the image",
        required=False,
        help_text="From 0 to 1, and not pixels. Only for CSV files; COCO files are always in pixels.",
    )

    def __init__(self, *args: Any, takes_boxes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_boxes:
            del self.fields["boxes_in_shares"]
            return
        images = self.fields["images"]
        images.label = "A zip archive, or image files, with their boxes"
        images.widget.attrs["accept"] += ",.csv,.json"

    def clean_images(self) -> Sequence[UploadedFile]:
        """Refuse more files than one upload holds, and an archive among images."""
        from annotations.intake.uploads import is_archive

        files: list[UploadedFile] = self.cleaned_data["images"]
        most = settings.DATA_UPLOAD_MAX_NUMBER_FILES or 0
        if most and len(files) > most:
            raise forms.ValidationError(f"{len(files)} files; {most} is the most at once. Put them into a zip archive.")
        if len(files) > 1 and any(is_archive(file) for file in files):
            raise forms.ValidationError("A zip archive comes alone: import it without other files.")
        return files
