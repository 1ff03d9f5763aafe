"""Filters that weigh bars by their distance in time."""

from __future__ import annotations

import numpy as np
import talib

from services.data.domain.bars import Doubles


def gaussian_weights(window: int, sigma: float) -> Doubles:
    """exp(-i^2 / (2 sigma^2)) for i = 0 (now) to window - 1 bars ago, with sum 1; shape (window,)."""
    weights: Doubles = np.exp(-0.5 * (np.arange(window) / sigma) ** 2)
    weights /= weights.sum()
    return weights


def rational_quadratic_weights(window: int, bandwidth: float, relative_weight: float) -> Doubles:
    """(1 + i^2 / (2 r h^2))^-r for i = 0 to window - 1 bars ago, with sum 1; shape (window,).

    Rasmussen, Williams, Gaussian Processes for Machine Learning (2006), eq. 4.19.
    """
    ages = np.arange(window)
    weights: Doubles = (1 + ages**2 / (2 * relative_weight * bandwidth**2)) ** -relative_weight
    weights /= weights.sum()
    return weights


def weighted_past(price: Doubles, weights: Doubles) -> Doubles:
    """sum_i weights[i] price[t - i]; NaN for the first len(weights) - 1 bars. Shape as ``price``.

    Not by Fourier transform: rounding would carry what comes later into what was before.
    """
    result = np.full(len(price), np.nan)
    result[len(weights) - 1 :] = np.convolve(price, weights, mode="valid")
    return result


def one_sided_gaussian(price: Doubles, window: int, sigma: float, deviations: float) -> tuple[Doubles, ...]:
    """Estimate, upper and lower band: the right half of a Gaussian kernel over the past alone.

    y_t = sum_i w_i x_{t-i} with Gaussian w (as `gaussian_weights`), the filter of loxx, One-Sided Gaussian
    Filter w/ Channels (TradingView, 2022); the bands lie k weighted standard deviations around it,
    s_t^2 = sum_i w_i (x_{t-i} - y_t)^2.
    """
    weights = gaussian_weights(window, sigma)
    estimate = weighted_past(price, weights)
    known = estimate[window - 1 :]
    variance = np.zeros(len(known))
    for age, weight in enumerate(weights):
        past = price[window - 1 - age : len(price) - age]
        variance += weight * (past - known) ** 2
    width = np.full(len(price), np.nan)
    width[window - 1 :] = deviations * np.sqrt(variance)
    return estimate, estimate + width, estimate - width


def nadaraya_watson(
    price: Doubles, weights: Doubles, multiplier: float, *, repaint: bool
) -> tuple[Doubles, Doubles, Doubles]:
    """Estimate, upper and lower envelope; ``weights`` by distance in bars, 0 first.

    Nadaraya (1964), Watson (1964): m(t) = sum_j K(t - j) x_j / sum_j K(t - j). Causal: j runs over the last
    len(weights) bars up to t, as in jdehorty, Nadaraya-Watson: Rational Quadratic Kernel (Non-Repainting)
    (TradingView, 2022). Repainting: j runs as far to the other side too, so that the last values change with
    every new bar. The envelope, as in LuxAlgo, Nadaraya-Watson Envelope (TradingView, 2021), lies a multiple
    of the mean |x - m| of the last len(weights) bars around it. All are NaN for 2 (len(weights) - 1) bars.
    """
    window = len(weights)
    if repaint:
        kernel = np.concatenate((weights[:0:-1], weights))
        rows = slice(window - 1, window - 1 + len(price))
        estimate = (
            np.convolve(price, kernel, mode="full")[rows]
            / np.convolve(np.ones(len(price)), kernel, mode="full")[rows]
        )
    else:
        estimate = weighted_past(price, weights)
    error = np.abs(price - estimate)
    width = multiplier * (talib.SMA(error, window) if window > 1 else error)
    width[: 2 * (window - 1)] = np.nan
    estimate[: 2 * (window - 1)] = np.nan
    return estimate, estimate + width, estimate - width
