"""A strength-duration curve as a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from rheobase.instrument.tests import Curve


def draw(found: Curve, path: Path, truth: str = "") -> None:
    """Thresholds with both laws, and the charge line. path: .png, .svg or .pdf."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    widths = [point.width_us for point in found.points]
    fine = [20 * 1.02**step for step in range(205)]
    fine = [w for w in fine if min(widths) * 0.8 <= w <= max(widths) * 1.1]
    weiss, lapicque = found.weiss, found.lapicque
    by_weiss = [weiss.rheobase_ma * (1 + weiss.chronaxie_us / w) for w in fine]
    by_lapicque = [lapicque.rheobase_ma / (1 - 2 ** (-w / lapicque.chronaxie_us)) for w in fine]
    currents = [point.threshold_ua / 1e3 for point in found.points]
    bars = [point.threshold_ua / 1e3 * point.error for point in found.points]
    for law, values, style in (("Weiss", by_weiss, "-"), ("Lapicque", by_lapicque, "--")):
        fit = weiss if law == "Weiss" else lapicque
        label = (
            f"{law}: {fit.rheobase_ma:.2f} mA, {fit.chronaxie_us:.0f} us, "
            f"residual {fit.residual:.1%}"
        )
        left.plot(fine, values, style, label=label)
        right.plot(fine, [i * w / 1e3 for i, w in zip(values, fine, strict=True)], style)
    left.errorbar(widths, currents, yerr=bars, fmt="o", ms=4, color="black", capsize=2)
    charges = [i * w / 1e3 for i, w in zip(currents, widths, strict=True)]
    spans = [i * w / 1e3 for i, w in zip(bars, widths, strict=True)]
    right.errorbar(widths, charges, yerr=spans, fmt="o", ms=4, color="black", capsize=2)
    left.set(xlabel="phase width (us)", ylabel="threshold current (mA)", xscale="log")
    right.set(xlabel="phase width (us)", ylabel="threshold charge (uC)", title="charge line")
    left.set_title(truth or "strength-duration curve")
    left.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
