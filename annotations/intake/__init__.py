"""How files become images: one reader a source, then verification with Pillow, then storage by sha256.

A reader gives a stream of `SourceFile` and `Refusal`; it never decodes. `verify` decodes and never touches the
database; `annotations.services.images` writes the rows.
"""
