from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0009_label_level_and_human_measure")]

    operations = [
        migrations.AddField(
            model_name="queueranking",
            name="plan",
            field=models.JSONField(
                default=list,
                help_text="Adaptive: [item, how often it may have been taken] of the judgments planned for, worth most first.",
            ),
        ),
    ]
