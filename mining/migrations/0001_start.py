"""All tables as they were when the first sites had several small steps behind them: a new site makes them at once.

Sites that have taken the steps it replaces take no notice of it.
"""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('mining', '0001_initial'), ('mining', '0002_hard_set_versions_and_schedules'), ('mining', '0003_webhooks'), ('mining', '0004_feature_sources'), ('mining', '0005_schedule_settings')]

    initial = True

    dependencies = [
        ('annotations', '0001_start'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('jobs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FeatureSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feature_sources', to='annotations.project')),
                ('kind', models.CharField(choices=[('network', 'Network'), ('file', 'File')], max_length=8)),
                ('name', models.CharField(max_length=40)),
                ('sha256', models.CharField(help_text="Of the network's file, or of items and vectors.", max_length=64)),
                ('dimension', models.PositiveIntegerField(help_text='Numbers an item.')),
                ('n_items', models.PositiveIntegerField(blank=True, help_text='Items in the file; empty for a network.', null=True)),
                ('n_bytes', models.PositiveBigIntegerField()),
                ('facts', models.JSONField(blank=True, default=dict, help_text='Input, normalisation and output of a network.')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['project', 'kind', 'name'],
                'constraints': [models.UniqueConstraint(fields=('project', 'kind', 'name'), name='feature_source_once')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rounds', to='annotations.project')),
                ('number', models.PositiveIntegerField(help_text='1, 2, … within the project.')),
                ('status', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('succeeded', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('params', models.JSONField(default=dict, help_text='Learners, strategies with parameters, seeds.')),
                ('folder', models.CharField(help_text='Folder in the artifact storage.', max_length=120)),
                ('summary', models.JSONField(blank=True, default=dict, help_text='The figures that lists and reports show.')),
                ('has_synthetic', models.BooleanField(default=False, help_text='Trials of synthetic annotators went into it.')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['project', '-number'],
                'constraints': [models.UniqueConstraint(fields=('project', 'number'), name='round_number_once'), models.UniqueConstraint(condition=models.Q(('status__in', ['queued', 'running'])), fields=('project',), name='round_one_at_a_time')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='RoundStage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stages', to='mining.round')),
                ('index', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=30)),
                ('job', models.ForeignKey(blank=True, help_text='Its latest job.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job')),
                ('status', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('succeeded', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('result', models.JSONField(blank=True, default=dict)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['round', 'index'],
                'constraints': [models.UniqueConstraint(fields=('round', 'index'), name='stage_index_once'), models.UniqueConstraint(fields=('round', 'name'), name='stage_name_once')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='HardSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hard_sets', to='mining.round')),
                ('strategy', models.CharField(max_length=40)),
                ('params', models.JSONField(blank=True, default=dict)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='versions', to='mining.hardset')),
                ('sha256', models.CharField(help_text='Of strategy, parameters, round and members in order.', max_length=64)),
                ('n_members', models.PositiveIntegerField()),
                ('summary', models.JSONField(blank=True, default=dict, help_text='What the strategy says of the whole set.')),
                ('reason', models.CharField(blank=True, help_text='Why members of the parent were dropped.', max_length=300)),
                ('created_by', models.ForeignKey(blank=True, help_text='Who dropped them; empty for what a strategy picked.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['round', 'strategy', 'version'],
                'constraints': [models.UniqueConstraint(fields=('round', 'strategy', 'version'), name='hard_set_version_once')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='HardSetMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hard_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='mining.hardset')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotations.item')),
                ('rank', models.PositiveIntegerField(help_text='1 is hardest.')),
                ('score', models.FloatField()),
                ('reason', models.CharField(max_length=300)),
                ('verdict', models.CharField(blank=True, help_text='What the noise gate says.', max_length=20)),
            ],
            options={
                'ordering': ['hard_set', 'rank'],
                'constraints': [models.UniqueConstraint(fields=('hard_set', 'item'), name='member_item_once'), models.UniqueConstraint(fields=('hard_set', 'rank'), name='member_rank_once')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='SecondLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hard_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='second_looks', to='mining.hardset')),
                ('extra_judgments', models.PositiveSmallIntegerField()),
                ('same_people', models.BooleanField(default=False, help_text='People who have judged an item may be asked again.')),
                ('n_items', models.PositiveIntegerField()),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reported_in', models.ForeignKey(blank=True, help_text='The latest round that says what came of it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mining.round')),
                ('outcome', models.JSONField(blank=True, default=dict, help_text='Outcome -> how many items, as of that round.')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='RoundSchedule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='round_schedule', to='annotations.project')),
                ('every_annotations', models.PositiveIntegerField(blank=True, help_text='New annotations after which a round starts; empty for never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000000)])),
                ('every_hours', models.PositiveIntegerField(blank=True, help_text='Hours after which a round starts, if anything was annotated; empty for never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(8760)])),
                ('settings_from', models.CharField(choices=[('latest', 'As the last round that somebody started'), ('usual', 'The usual settings'), ('round', 'As one round')], default='latest', help_text='Which learners, strategies and other settings such a round has.', max_length=6)),
                ('like_round', models.ForeignKey(blank=True, help_text='The round whose settings are taken, where one is named.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mining.round')),
                ('last_message', models.CharField(blank=True, help_text='Why the latest attempt started nothing.', max_length=300)),
                ('tried_at', models.DateTimeField(blank=True, help_text='When a due round could not be started.', null=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['project'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('every_annotations__isnull', True), ('every_annotations__gt', 0), _connector='OR'), models.Q(('every_hours__isnull', True), ('every_hours__gt', 0), _connector='OR')), name='schedule_never_zero')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='annotations.project')),
                ('url', models.CharField(max_length=500)),
                ('events', models.JSONField(default=list)),
                ('is_active', models.BooleanField(default=True)),
                ('off_reason', models.CharField(blank=True, help_text='Why it was switched off, if the site did so.', max_length=200)),
                ('salt', models.CharField(max_length=32)),
                ('fingerprint', models.CharField(max_length=16)),
                ('old_salt', models.CharField(blank=True, help_text='Of the secret before; it signs too for a while.', max_length=32)),
                ('old_until', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['project', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('project', 'url'), name='webhook_url_once')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='mining.webhook')),
                ('key', models.CharField(max_length=40, unique=True)),
                ('occasion', models.CharField(help_text='What it tells of: told once to each webhook.', max_length=80)),
                ('event', models.CharField(max_length=30)),
                ('round', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mining.round')),
                ('hard_set', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='mining.hardset')),
                ('payload', models.TextField(help_text='The body, byte for byte.')),
                ('payload_sha256', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Being sent'), ('succeeded', 'Delivered'), ('failed', 'Given up'), ('cancelled', 'Not sent')], default='queued', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('attempts_before', models.PositiveSmallIntegerField(default=0, help_text='Attempts made before somebody asked for it to be sent again.')),
                ('response_status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('history', models.JSONField(default=list, help_text='The latest attempts: at, status, error, duration_ms.')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('worker', models.CharField(blank=True, max_length=120)),
                ('claim', models.CharField(blank=True, max_length=32)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'ordering': ['-pk'],
                'indexes': [models.Index(condition=models.Q(('status', 'queued')), fields=['next_attempt_at'], name='delivery_due'), models.Index(condition=models.Q(('status', 'running')), fields=['claimed_at'], name='delivery_in_hand')],
                'constraints': [models.UniqueConstraint(fields=('webhook', 'occasion'), name='delivery_occasion_once')],
            },
        ),
    ]
