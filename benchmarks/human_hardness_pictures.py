"""Draw the pictures of docs/human-hardness.md from simulated trials with known truth.

    python benchmarks/human_hardness_pictures.py            # writes docs/images/human-hardness-*.svg

The same seed gives the same pictures. Each says on its face that it is synthetic.
"""

from __future__ import annotations

import sys
from pathlib import Path

import altair as alt
import numpy as np
import vl_convert
from scipy.stats import spearmanr

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mining.hardness.human_measures import HUMAN_MEASURES  # noqa: E402
from mining.hardness.timing import fit_response_times  # noqa: E402

INK, SOFT, ACCENT, WARM = "#1c2326", "#8a9499", "#0b6e7f", "#b4561d"
SHOWN = {
    "raw_mean_time": ("Mean time", SOFT),
    "mean_rank_time": ("Mean rank", WARM),
    "time": ("Time hardness", ACCENT),
    "time_and_labels": ("… with answers", INK),
}


def simulate(n_items, n_judgments, seed, n_annotators=24, n_classes=4):
    """Return item, annotator, ms, position, label and the truth; people practise, lapse and err."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.3, n_items)
    item = np.repeat(np.arange(n_items), n_judgments)
    annotator = np.concatenate([rng.choice(n_annotators, n_judgments, replace=False) for _ in range(n_items)])
    position = np.empty(item.size)
    for who in range(n_annotators):
        own = np.flatnonzero(annotator == who)
        position[own] = 1 + rng.permutation(own.size)
    slow, sd = rng.normal(0, 0.4, n_annotators), rng.uniform(0.15, 0.7, n_annotators)
    noise = rng.standard_t(4, item.size) * sd[annotator]
    ms = 1200 * np.exp(truth[item] + slow[annotator] - 0.12 * np.log(position) + noise)
    ms *= np.where(rng.random(item.size) < 0.03, 4, 1)
    wrong = rng.random(item.size) < 1 / (1 + np.exp(3 - 4 * truth[item]))
    label = np.where(wrong, rng.integers(0, n_classes, item.size), item % n_classes)
    return item, annotator, ms, position, label, truth


def with_intervals() -> alt.Chart:
    """Thirty-six items in the order of their estimate, with 90 % intervals and the truth."""
    item, annotator, ms, position, _, truth = simulate(300, 6, seed=1)
    fit = fit_response_times(item, annotator, ms, position=position, n_items=300)
    scale = 1 if fit.scale == "log-seconds" else truth.std() / np.nanstd(fit.item_effect)
    chosen = np.argsort(fit.item_effect)[:: 300 // 36][:36]
    rows = [
        {
            "place": place, "estimate": round(scale * fit.item_effect[i], 3), "truth": round(truth[i], 3),
            "low": round(scale * (fit.item_effect[i] - 1.645 * fit.item_se[i]), 3),
            "high": round(scale * (fit.item_effect[i] + 1.645 * fit.item_se[i]), 3),
        }
        for place, i in enumerate(chosen.tolist())
    ]  # fmt: skip
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("place:Q", title="Items, easiest first", axis=alt.Axis(labels=False, ticks=False, grid=False))
    )
    return alt.layer(
        base.mark_rule(color=ACCENT, strokeWidth=2, opacity=0.55).encode(
            y=alt.Y("low:Q", title="Hardness (log-seconds)"), y2="high:Q"
        ),
        base.mark_point(filled=True, color=ACCENT, size=34, opacity=1).encode(y="estimate:Q"),
        base.mark_point(color=WARM, shape="cross", filled=True, size=42, opacity=1).encode(y="truth:Q"),
    ).properties(
        title=title("Estimates with 90 % intervals (dots) and the truth (crosses)", "6 judgments an item"),
        width=560, height=240,
    )  # fmt: skip


def by_judgments() -> alt.Chart:
    """Rank correlation with the truth, by judgments an item."""
    rows = []
    for k in (2, 3, 4, 6, 9, 14):
        found = {name: [] for name in SHOWN}
        for seed in range(4):
            item, annotator, ms, _, label, truth = simulate(300, k, seed=10 * k + seed)
            for name in SHOWN:
                score = HUMAN_MEASURES[name].compute(item, annotator, ms, label, n_items=300)
                found[name].append(spearmanr(score, truth).statistic)
        rows += [
            {"judgments": k, "measure": SHOWN[name][0], "rho": round(float(np.mean(values)), 3)}
            for name, values in found.items()
        ]
    names, colours = zip(*SHOWN.values(), strict=True)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("judgments:Q", title="Judgments an item", scale=alt.Scale(type="log", domain=[2, 16]),
                axis=alt.Axis(values=[2, 3, 4, 6, 9, 14], grid=False)),
        y=alt.Y("rho:Q", title="Rank correlation with the truth", scale=alt.Scale(zero=False)),
        color=alt.Color("measure:N", title=None, sort=None, scale=alt.Scale(domain=names, range=colours)),
    )  # fmt: skip
    return (base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=40, opacity=1)).properties(
        title=title("The same trials, four ways to score them", "300 items, 24 annotators of unequal noise"),
        width=460, height=240,
    )  # fmt: skip


def practice() -> alt.Chart:
    """Times of one annotator over their trials, with the geometric mean of doubling steps."""
    from mining.hardness.annotators import practice_curve

    _, annotator, ms, position, _, _ = simulate(400, 6, seed=3)
    own = annotator == int(np.argmin([np.std(np.log(ms[annotator == who])) for who in range(24)]))
    at, mean = practice_curve(position[own], ms[own], 12)
    points = [{"trial": int(x), "s": round(y / 1000, 2)} for x, y in zip(position[own], ms[own], strict=True)]
    curve = [{"trial": round(x, 1), "s": round(y / 1000, 3)} for x, y in zip(at, mean, strict=True)]
    axes = {
        "x": alt.X(
            "trial:Q",
            title="Trial of this annotator",
            scale=alt.Scale(type="log", domain=[1, 120]),
            axis=alt.Axis(grid=False),
        ),
        "y": alt.Y("s:Q", title="Seconds", scale=alt.Scale(type="log", domain=[0.2, 4])),
    }
    return (
        alt.Chart(alt.Data(values=points))
        .mark_point(filled=True, size=18, color=SOFT, opacity=0.7, clip=True)
        .encode(**axes)
        + alt.Chart(alt.Data(values=curve)).mark_line(color=ACCENT, strokeWidth=2.5).encode(**axes)
    ).properties(title=title("Practice: times fall as people learn the task", "one annotator"), width=460, height=220)


def title(text: str, more: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=f"Synthetic data: {more}", anchor="start", color=INK, subtitleColor=WARM)


def main() -> None:
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in {"intervals": with_intervals, "judgments": by_judgments, "practice": practice}.items():
        chart = draw().configure(background="white").configure_view(stroke=None)
        path = folder / f"human-hardness-{name}.svg"
        path.write_text(vl_convert.vegalite_to_svg(chart.to_dict()) + "\n")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
